"""Arguments of remedies, and the checks on them before anything is registered."""

import re
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi

from selfheal.components.errors import ComponentError
from selfheal.functions.shared.contract import EXPIRY_SECONDS, PAUSE_SECONDS, RemedyKind

FORCED_OPEN = "open"

_CIRCUIT = re.compile(r"[A-Za-z0-9_-]{1,50}")
"""As `Circuit` takes it. IAM conditions contain it, so wildcards are not allowed."""

_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
"""Source: AWS Lambda API reference, Environment."""

_RESERVED_PREFIXES = ("AWS_", "LAMBDA_")
"""Reserved by Lambda. One of them, AWS_LAMBDA_EXEC_WRAPPER, runs any program before the function."""

_LOADERS = frozenset(
    {"BASH_ENV", "DOTNET_STARTUP_HOOKS", "GEM_PATH", "JAVA_TOOL_OPTIONS", "LD_LIBRARY_PATH", "LD_PRELOAD"}
    | {"NODE_OPTIONS", "NODE_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "RUBYLIB", "RUBYOPT"}
)  # fmt: skip
"""Variables that decide which code runs. A healer that sets them could run any code as the target."""


class RemedyArgs(TypedDict):
    """One way to make a target healthy again. Each kind accepts only the arguments that it needs."""

    kind: RemedyKind
    """What it changes."""

    variable: NotRequired[str]
    """ENVIRONMENT: name of the variable to set. OVERRIDE: key by which the service reads the value."""

    value: NotRequired[str]
    """ENVIRONMENT and OVERRIDE: the value that makes the service healthy, for example "0"."""

    limit: NotRequired[int]
    """LIMIT_CONCURRENCY: maximum number of concurrent requests, 0 or more."""

    mapping: NotRequired[pulumi.Input[str]]
    """PAUSE_CONSUMER: UUID of the event source mapping, not its ARN. One that a circuit breaker owns is
    refused when it is to be paused: declare FORCE_BREAKER."""

    circuit: NotRequired[str]
    """FORCE_BREAKER: name of the circuit that the function calls through, `Circuit.circuit_name`."""

    circuit_table: NotRequired[pulumi.Input[str]]
    """FORCE_BREAKER: name of its table, `Circuit.table_name`."""

    baseline: NotRequired[pulumi.Input[str]]
    """Value in stack configuration; not for aliases, mappings and circuits. Drift ends when it is the live
    value."""

    revert_safe: NotRequired[bool]
    """Whether the change may be reverted while the service still fails. Default false; a circuit always may,
    because the breaker probes before it closes."""

    expires_after: NotRequired[int]
    """Seconds until it is reverted, 60 to 86,400. Default: it is not reverted; a pause and a forced circuit
    last 300."""


_NAMED_VALUE = ("variable", "value")
_NEEDED: Mapping[RemedyKind, tuple[str, ...]] = {
    RemedyKind.ENVIRONMENT: _NAMED_VALUE,
    RemedyKind.OVERRIDE: _NAMED_VALUE,
    RemedyKind.ROLLBACK_ALIAS: (),
    RemedyKind.LIMIT_CONCURRENCY: ("limit",),
    RemedyKind.PAUSE_CONSUMER: ("mapping",),
    RemedyKind.FORCE_BREAKER: ("circuit", "circuit_table"),
}
_WITH_BASELINE = (RemedyKind.ENVIRONMENT, RemedyKind.OVERRIDE, RemedyKind.LIMIT_CONCURRENCY)
_WITHOUT_EVIDENCE = (RemedyKind.PAUSE_CONSUMER, RemedyKind.FORCE_BREAKER)
"""They end by themselves: only then can the service be judged."""


def setting_name(remedy: RemedyArgs, alias: pulumi.Input[str] | None) -> pulumi.Input[str]:
    """Return the name of the setting: a variable, a key, an alias, a mapping's UUID, a circuit, or ""."""
    match RemedyKind(remedy["kind"]):
        case RemedyKind.ENVIRONMENT | RemedyKind.OVERRIDE:
            return remedy.get("variable", "")
        case RemedyKind.ROLLBACK_ALIAS:
            return alias or ""
        case RemedyKind.LIMIT_CONCURRENCY:
            return ""
        case RemedyKind.PAUSE_CONSUMER:
            return remedy.get("mapping", "")
        case RemedyKind.FORCE_BREAKER:
            return remedy.get("circuit", "")


def setting_value(remedy: RemedyArgs) -> str | None:
    """Return the value that a remedy sets. None for an alias, whose previous version is read from AWS."""
    match RemedyKind(remedy["kind"]):
        case RemedyKind.ENVIRONMENT | RemedyKind.OVERRIDE:
            return remedy.get("value", "")
        case RemedyKind.ROLLBACK_ALIAS:
            return None
        case RemedyKind.LIMIT_CONCURRENCY:
            return str(remedy.get("limit", 0))
        case RemedyKind.PAUSE_CONSUMER:
            return "Disabled"
        case RemedyKind.FORCE_BREAKER:
            return FORCED_OPEN


def expiry(remedy: RemedyArgs) -> int | None:
    """Return the seconds after which a remedy is reverted, or None if it is not.

    A pause always ends, and so does a forced circuit. Until then there is no evidence.
    """
    default = PAUSE_SECONDS if remedy["kind"] in _WITHOUT_EVIDENCE else None
    return remedy.get("expires_after", default)


def may_revert_in_alarm(remedy: RemedyArgs) -> bool:
    """Return whether a change may be reverted while the service still fails."""
    # A circuit that is released is probed before it closes.
    return remedy["kind"] == RemedyKind.FORCE_BREAKER or remedy.get("revert_safe", False)


def check_remedy(target: str, aliased: bool, remedy: RemedyArgs) -> None:
    """Raise unless a remedy can work on a target and cannot be misused.

    Args:
        target: Name of the target.
        aliased: Whether its traffic uses an alias.
        remedy: The remedy.

    Raises:
        ComponentError: when the kind does not exist or cannot work on the target's traffic, an argument is
            missing, belongs to another kind or is out of range, or a variable decides which code runs.

    """
    if remedy["kind"] not in list(RemedyKind):
        raise ComponentError(
            f"target {target!r}: the kind of a remedy must be one of {', '.join(RemedyKind)}, got "
            f"{remedy['kind']!r}. Write a member of RemedyKind."
        )
    kind = RemedyKind(remedy["kind"])
    where = f"target {target!r}: remedy `{kind}`"
    _check_arguments(where, kind, remedy)
    _check_traffic(where, kind, aliased)
    if "variable" in remedy:
        _check_variable(target, remedy["variable"])
    if "value" in remedy:
        _check_value(where, remedy["value"])
    if "limit" in remedy:
        _check_number(where, "limit", remedy["limit"], 0, None)
    if "circuit" in remedy:
        _check_circuit(where, remedy["circuit"])
    if "expires_after" in remedy:
        _check_number(where, "expires_after", remedy["expires_after"], *EXPIRY_SECONDS)


def _check_arguments(where: str, kind: RemedyKind, remedy: RemedyArgs) -> None:
    needed = _NEEDED[kind]
    baseline = ("baseline",) if kind in _WITH_BASELINE else ()
    safe = () if kind is RemedyKind.FORCE_BREAKER else ("revert_safe",)
    allowed = (*needed, *baseline, *safe, "expires_after")
    given = [key for key in remedy if key != "kind"]
    missing = [key for key in needed if key not in given]
    foreign = [key for key in given if key not in allowed]
    if missing or foreign:
        wrong = [f"{key} is missing" for key in missing] + [f"{key} is not its own" for key in foreign]
        raise ComponentError(
            f"{where} needs {', '.join(needed) or 'nothing'} and takes "
            f"{', '.join(key for key in allowed if key not in needed)} besides: {', '.join(wrong)}."
        )


def _check_traffic(where: str, kind: RemedyKind, aliased: bool) -> None:
    if kind is RemedyKind.ENVIRONMENT and aliased:
        raise ComponentError(
            f"{where} cannot work on traffic that uses an alias, because the environment of a published "
            f"version never changes. Allowed there are {RemedyKind.OVERRIDE}, {RemedyKind.ROLLBACK_ALIAS}, "
            f"{RemedyKind.LIMIT_CONCURRENCY}, {RemedyKind.PAUSE_CONSUMER} and {RemedyKind.FORCE_BREAKER}. "
            "Choose one of them, or leave `alias` out if traffic reaches $LATEST."
        )
    if kind is RemedyKind.ROLLBACK_ALIAS and not aliased:
        raise ComponentError(
            f"{where} works only on traffic that uses an alias, because $LATEST has no earlier version. "
            "Give the target its `alias`, or choose another kind."
        )


def _check_variable(target: str, variable: str) -> None:
    if not _VARIABLE.fullmatch(variable):
        raise ComponentError(
            f"target {target!r}: a variable's name must be at least two letters, digits and underscores, the "
            f"first a letter, got {variable!r}. Write it as it stands in the function's environment."
        )
    # An override is not an environment variable, but a service may copy it into one.
    if variable.startswith(_RESERVED_PREFIXES) or variable in _LOADERS:
        raise ComponentError(
            f"target {target!r}: a remedy must not set {variable}, which decides what code the function "
            f"runs. Refused are names that start with {' or '.join(_RESERVED_PREFIXES)}, and "
            f"{', '.join(sorted(_LOADERS))}. Let the function read a variable of its own."
        )


def _check_value(where: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ComponentError(f'{where} sets text, got {value!r}. Write it in quotes, such as "{value}".')


def _check_circuit(where: str, circuit: Any) -> None:
    if not isinstance(circuit, str) or not _CIRCUIT.fullmatch(circuit):
        raise ComponentError(
            f"{where}: circuit must be 1 to 50 letters, digits, hyphens or underscores, got {circuit!r}. "
            "Write the circuit_name of the Circuit."
        )


def _check_number(where: str, key: str, value: Any, least: int, most: int | None) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        upto = f" to {most}" if most is not None else " or more"
        raise ComponentError(f"{where}: {key} must be a whole number, {least}{upto}, got {value!r}.")
