"""A circuit as a DynamoDB item.

Counts are numbers of their own, `calls#<generation>#<bucket>` and `failures#<generation>#<bucket>`, because
DynamoDB adds to a number of an item atomically. Those of an older generation are not read.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from selfheal.functions.shared.breaker.circuit import Circuit, Forced, Lease, State
from selfheal.functions.shared.breaker.outages import Outage
from selfheal.functions.shared.breaker.window import Buckets, Count

SCHEMA = 1
"""Schema of the item. A later one is refused, because misreading it could end a pause."""

Item = Mapping[str, Any]
KINDS = ("calls", "failures")


def to_item(circuit: Circuit) -> dict[str, Any]:
    """Return the item's attributes, without its counts, which only `count_names` writes, and its key."""
    item: dict[str, Any] = {
        "schema": _number(SCHEMA),
        "state": {"S": circuit.state.value},
        "version": _number(circuit.version),
        "generation": _number(circuit.generation),
        "episode": _number(circuit.episode),
        "openings": _number(circuit.openings),
        "changed_at": _number(circuit.changed_at),
        "until": _number(circuit.until),
        "successes": _number(circuit.successes),
    }
    if circuit.lease is not None:
        item["lease"] = {
            "M": {
                "id": {"S": circuit.lease.id},
                "expires": _number(circuit.lease.expires),
                "claimed": {"BOOL": circuit.lease.claimed},
            }
        }
    if circuit.limit is not None:
        item["limit"] = _number(circuit.limit)
    if circuit.settled_at is not None:
        item["settled_at"] = _number(circuit.settled_at)
    if circuit.forced is not None:
        item["forced"] = {
            "M": {
                "state": {"S": circuit.forced.state.value},
                "by": {"S": circuit.forced.by},
                "why": {"S": circuit.forced.why},
                "until": _number(circuit.forced.until),
            }
        }
    if circuit.outages:
        item["outages"] = {"L": [_outage_item(each) for each in circuit.outages]}
    return item


OPTIONAL = ("lease", "limit", "settled_at", "forced", "outages")
"""Attributes that are absent where the circuit has none."""


def from_item(name: str, item: Item) -> Circuit:
    """Return the circuit that an item holds.

    Raises:
        ValueError: when a later schema wrote it.
        KeyError: when an attribute is missing.

    """
    schema = int(item["schema"]["N"])
    if schema > SCHEMA:
        raise ValueError(f"breaker item of schema {schema}, known up to {SCHEMA}: deploy a newer version")
    generation = int(item["generation"]["N"])
    lease, forced = item.get("lease"), item.get("forced")
    return Circuit(
        name=name,
        state=State(item["state"]["S"]),
        version=int(item["version"]["N"]),
        generation=generation,
        episode=int(item["episode"]["N"]),
        openings=int(item["openings"]["N"]),
        changed_at=float(item["changed_at"]["N"]),
        until=float(item["until"]["N"]),
        successes=int(item["successes"]["N"]),
        lease=None if lease is None else _lease(lease["M"]),
        limit=int(item["limit"]["N"]) if "limit" in item else None,
        settled_at=float(item["settled_at"]["N"]) if "settled_at" in item else None,
        forced=None if forced is None else _forced(forced["M"]),
        outages=tuple(_outage(each["M"]) for each in item.get("outages", {"L": []})["L"]),
        buckets=_buckets(item, generation),
    )


def count_names(generation: int, bucket: int) -> tuple[str, str]:
    """Return the attributes that count calls and failures of one bucket."""
    calls, failures = (f"{kind}#{generation}#{bucket}" for kind in KINDS)
    return calls, failures


def stale_counts(names: Iterable[str], generation: int, oldest: int) -> list[str]:
    """Return which attributes are counts of another generation, or of a bucket older than `oldest`."""
    found = [name for name in names if name.split("#")[0] in KINDS]
    return [name for name in found if _place(name)[0] != generation or _place(name)[1] < oldest]


def _place(name: str) -> tuple[int, int]:
    _, generation, bucket = name.split("#")
    return int(generation), int(bucket)


def _buckets(item: Item, generation: int) -> Buckets:
    places = {_place(name) for name in item if name.split("#")[0] in KINDS}
    buckets: dict[int, Count] = {}
    for of, bucket in places:
        if of == generation:
            calls, failures = (
                int(item.get(name, {"N": "0"})["N"]) for name in count_names(generation, bucket)
            )
            buckets[bucket] = Count(calls, failures)
    return buckets


def _lease(raw: Item) -> Lease:
    return Lease(raw["id"]["S"], float(raw["expires"]["N"]), raw["claimed"]["BOOL"])


def _forced(raw: Item) -> Forced:
    return Forced(State(raw["state"]["S"]), raw["by"]["S"], raw["why"]["S"], float(raw["until"]["N"]))


def _outage_item(outage: Outage) -> dict[str, Any]:
    ended = {} if outage.ended is None else {"ended": _number(outage.ended)}
    return {"M": {"began": _number(outage.began), **ended}}


def _outage(raw: Item) -> Outage:
    return Outage(float(raw["began"]["N"]), float(raw["ended"]["N"]) if "ended" in raw else None)


def _number(value: float) -> dict[str, str]:
    return {"N": repr(value)}
