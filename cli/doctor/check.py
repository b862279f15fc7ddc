"""One thing that was looked at, and how it is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.functions.healer.rehearsal import is_denied


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """It works, and somebody should know."""
    FAIL = "fail"
    """The healer would not do in an incident what it is there for."""
    UNKNOWN = "unknown"
    """It could not be looked at: for example, you may not read it."""


@dataclass(frozen=True)
class Check:
    """A check and its result."""

    id: str
    """Stable, such as `alarms.actions`: docs/sandbox.md names it beside the claims that it shows."""
    what: str
    """What is looked at, in a few words."""
    state: State
    found: str
    """What was found."""
    do: str = ""
    """What to do next. Empty where there is nothing to do."""
    statement: Mapping[str, Any] | None = None
    """The IAM statement that is missing."""


NOT_THERE = frozenset({"NotFound", "NotFoundException", "NoSuchEntity", "ResourceNotFoundException"})
NOT_KNOWN = frozenset({"InvalidAction", "UnknownAction", "UnknownOperationException"})
"""How an endpoint says that it has no such operation."""


def tried(
    name: str, what: str, look: Callable[[], Iterable[Check]], otherwise: State = State.UNKNOWN
) -> list[Check]:
    """Return the checks of a group, or one check that says why AWS does not answer.

    Args:
        name: Id of that check.
        what: What it looks at.
        look: Makes the checks.
        otherwise: The state where AWS neither says that something is not there, nor denies to tell.

    """
    again = "Run the doctor again; look into what is said here, and at your credentials and the network."
    try:
        return list(look())
    except ClientError as error:
        code, said = (str(error.response.get("Error", {}).get(part, "")) for part in ("Code", "Message"))
        found = f"{error.operation_name}: {code}: {said}"
        if code in NOT_THERE:
            return [Check(name, what, State.FAIL, found, "Deploy it, or name the right --stack or --ledger.")]
        if code in NOT_KNOWN:
            do = "Nothing, if this is not AWS: it has no such thing then."
            return [Check(name, what, State.WARN, found, do)]
        if is_denied(code):
            do = "Allow yourself what is named here, or have somebody run the doctor who may."
            return [Check(name, what, State.UNKNOWN, found, do)]
        return [Check(name, what, otherwise, found, again)]
    except BotoCoreError as error:
        return [Check(name, what, otherwise, str(error), again)]
