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


def tried(name: str, what: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """Return the checks of a group; one that is unknown if AWS does not answer the caller."""
    try:
        return list(look())
    except ClientError as error:
        if is_denied(str(error.response.get("Error", {}).get("Code", ""))):
            do = f"Allow yourself what AWS names, or have somebody run the doctor who may: {_said(error)}"
            return [Check(name, what, State.UNKNOWN, f"you may not {error.operation_name}", do)]
        found = f"{error.operation_name}: {_said(error)}"
        return [Check(name, what, State.UNKNOWN, found, "Run the doctor again; look into what AWS says.")]
    except BotoCoreError as error:
        do = "Run the doctor again; check the network, the endpoint and your credentials."
        return [Check(name, what, State.UNKNOWN, str(error), do)]


def _said(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", error))
