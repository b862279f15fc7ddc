"""How many calls a client needs until it succeeds: full jitter, plain exponential backoff, and no pause.

    python bench/backoff.py [clients ...]      default: 10 100 1000

All clients begin at once, as after an outage, against a downstream that serves RATE calls a second (a token
bucket of one tenth of a second) and refuses the rest. A call takes a random time each way, as in the
simulation of the article that functions/shared/backoff.py names. Simulated, so that the figures are the same
everywhere.
"""
# ruff: noqa: INP001  (a script, no package)

import argparse
import heapq
import json
import random
import sys
from collections.abc import Callable

from selfheal.functions.shared.backoff import full_jitter, longest_pause

RATE = 50.0
"""Calls a second that the downstream serves."""

BURST = RATE / 10
"""Calls that it serves at once after a rest."""

BASE, CAP = 0.1, 20.0
"""Seconds."""

TRIP_SECONDS = (0.010, 0.002)
"""Mean and standard deviation of the time that a call, or its answer, is on its way."""

ROUNDS = 5

Pause = Callable[[int, random.Random], float]

STRATEGIES: dict[str, Pause] = {
    "full jitter": lambda attempt, dice: full_jitter(attempt, dice.random, base=BASE, cap=CAP),
    "exponential": lambda attempt, _: longest_pause(attempt, base=BASE, cap=CAP),
    "none": lambda _attempt, _dice: 0.0,
}


def simulate(clients: int, pause: Pause, dice: random.Random) -> tuple[float, float]:
    """Return the calls per client until all have succeeded, and the seconds until the last one did."""

    def trip() -> float:
        return max(0.0, dice.gauss(*TRIP_SECONDS))

    arrivals = [(trip(), client, 1) for client in range(clients)]
    heapq.heapify(arrivals)
    tokens, calls, now = BURST, 0, 0.0
    while arrivals:
        arrived, client, attempt = heapq.heappop(arrivals)
        tokens, now = min(BURST, tokens + (arrived - now) * RATE), arrived
        calls += 1
        if tokens >= 1:
            tokens -= 1
            continue
        again = now + trip() + pause(attempt + 1, dice) + trip()
        heapq.heappush(arrivals, (again, client, attempt + 1))
    return calls / clients, now


def compare(clients: int) -> dict[str, dict[str, float]]:
    """Return the mean of several rounds for each strategy."""
    result: dict[str, dict[str, float]] = {}
    for name, pause in STRATEGIES.items():
        rounds = [simulate(clients, pause, random.Random(seed)) for seed in range(ROUNDS)]  # noqa: S311
        calls, seconds = (sum(values) / ROUNDS for values in zip(*rounds, strict=True))
        result[name] = {"calls a client": round(calls, 1), "seconds": round(seconds, 1)}
    return result


def main() -> int:
    """Print one JSON line a number of clients; 1 if full jitter is not the one with the fewest calls."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clients", type=int, nargs="*", default=[10, 100, 1000])
    worst = 0
    for clients in parser.parse_args().clients:
        result = compare(clients)
        print(json.dumps({"clients": clients, "served in at least": clients / RATE, **result}))  # noqa: T201
        fewest = min(result, key=lambda name: result[name]["calls a client"])
        worst |= int(fewest != "full jitter")
    return worst


if __name__ == "__main__":
    sys.exit(main())
