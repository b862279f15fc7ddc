"""One run of the controller: observe, decide, act once. What the workflow calls between its waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from selfheal.functions.breaker.control import Act, Step, next_step
from selfheal.functions.breaker.mappings import Consumer, change, read
from selfheal.functions.breaker.probes import Probe
from selfheal.functions.shared.breaker.changes import settle
from selfheal.functions.shared.breaker.circuit import Circuit, Outcome
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.log import log


@dataclass(frozen=True)
class Controller:
    """What a run needs: the circuit, its consumers, and the world outside."""

    store: Store
    lambda_: Any
    """A boto3 client."""
    consumers: Sequence[Consumer]
    probe: Probe
    settings: BreakerSettings
    clock: Callable[[], float]
    """Returns seconds since the epoch."""
    chance: Callable[[], float]
    """Returns a random number in [0, 1)."""
    new_id: Callable[[], str]
    """Returns an id that no other lease has."""

    def run(self, episode: int) -> dict[str, Any]:
        """Take one step and return `done`, and `wait` in whole seconds.

        Raises:
            Exception: what boto3 raises. The workflow retries the run.

        """
        circuit = self.store.read()
        mappings = read(self.lambda_, self.consumers)
        step = next_step(circuit, mappings, self.clock(), self.chance(), self.settings, episode=episode)
        self._take(step, circuit)
        log(
            "info",
            "breaker step",
            circuit=circuit.name,
            state=circuit.state,
            act=step.act,
            reason=step.reason,
        )
        # The workflow's Wait takes whole seconds, and a loop without one would be billed by the transition.
        return {"done": step.act is Act.DONE, "wait": max(1, ceil(step.wait))}

    def _take(self, step: Step, circuit: Circuit) -> None:
        if step.act is Act.CHANGE:
            change(self.lambda_, step.changes)
        elif step.act is Act.WRITE and step.circuit is not None:
            # Lost against another writer: the next run sees what that one wrote.
            self.store.replace(circuit, step.circuit)
        elif step.act is Act.PROBE:
            self._probe(circuit)
        elif step.act is Act.EXPIRE and circuit.lease is not None:
            self._settle(circuit.lease.id, Outcome.FAILURE)

    def _probe(self, circuit: Circuit) -> None:
        lease = self.new_id()
        written, _ = self.store.replace(circuit, circuit.leased(lease, self.clock(), self.settings))
        if not written:
            return
        # None: the consumer was to record it. If it did, this comes too late and is ignored. If it did not,
        # it made no call: an invalid message, say.
        self._settle(lease, self.probe(lease) or Outcome.NEUTRAL)

    def _settle(self, lease: str, outcome: Outcome) -> None:
        settle(self.store, lease, outcome, now=self.clock(), chance=self.chance(), settings=self.settings)
