"""What the owner of a stack says of it: who only tells, what is a lever, and what is no production.

Pure. `recognition_policy` reads it from the pack's configuration.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from selfheal_policies.waivers import LONGEST, described, form_problem, reason_problem

FIELDS = ("name", "reason", "expires")


@dataclass(frozen=True)
class Voucher:
    """The owner's word that an actor heals nothing. All three are given, or it is refused."""

    name: str
    """The logical name of a function or state machine."""
    reason: str
    expires: date
    """The last day on which it holds (UTC)."""


@dataclass(frozen=True)
class Recognition:
    """What the pack takes the owner's word for."""

    notifiers: Mapping[str, Voucher] = field(default_factory=dict[str, Voucher])
    """Logical name to why it is no healer, although an alarm reaches it and it may change something."""
    levers: frozenset[str] = frozenset()
    """Names of tables and buckets whose content changes how something behaves."""
    sandbox_stacks: frozenset[str] = frozenset()
    """Names of stacks that are not production."""


def read(config: Mapping[str, Any], today: date) -> tuple[Recognition, list[str]]:
    """Return what a configuration of the right types says, and a sentence for each refused voucher."""
    held: dict[str, Voucher] = {}
    refused: list[str] = []
    for number, given in enumerate(config["notifiers"], 1):
        problem = next(filter(None, _problems(given, today)), "")
        if problem:
            refused.append(f"notifier {number} ({described(given, FIELDS)}) is refused: {problem}")
        else:
            held[given["name"]] = Voucher(
                given["name"], given["reason"], date.fromisoformat(given["expires"])
            )
    return Recognition(held, frozenset(config["levers"]), frozenset(config["sandboxStacks"])), refused


def _problems(given: Mapping[str, Any], today: date) -> Iterator[str]:
    if problem := form_problem(given, FIELDS):
        yield problem
        return
    yield from _problems_of_day(given["expires"], today)
    yield reason_problem(given["reason"])


def _problems_of_day(given: str, today: date) -> Iterator[str]:
    try:
        expires = date.fromisoformat(given)
    except ValueError:
        yield f"expires must be a day such as 2027-03-31, got {given!r}"
        return
    if expires < today:
        yield "it has expired. Take the rights away, or look again and give it a later day"
    if expires - today > LONGEST:
        yield f"expires must be within a year, got {given}"


def used(voucher: Voucher, why: Callable[[], str]) -> str:
    """Return what is reported of the use of a voucher; `why` says by what it would count as a healer."""
    return (
        f"{voucher.name} is taken for a notifier until {voucher.expires.isoformat()}: {voucher.reason}. "
        f"Without that it would be a healer, for it {why()}"
    )
