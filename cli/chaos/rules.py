"""What a run may do where: kinds of faults, their size, and what production allows. Pure."""

import json
from dataclasses import asdict, replace
from hashlib import sha256

from selfheal.cli.errors import CliError
from selfheal.functions.downstream.core import PARTIAL_SHARE, Mode
from selfheal.scenarios.faults import (
    DownstreamFault,
    Fault,
    FaultKind,
    FunctionFault,
    ThrottleFault,
)
from selfheal.scenarios.scenario import Scenario

PRODUCTION_PERCENT = 10
"""The largest share of calls, in percent, that may be broken in production."""

DIGEST_LENGTH = 32
"""Characters of a digest. Whoever writes a scenario chooses its content: with half of them, two that have the
same digest could be found in minutes, one to be approved and another to be run."""

WHERE = {
    FaultKind.DOWNSTREAM: "AWS and sandbox, by the downstream's switch",
    FaultKind.FUNCTION: "AWS and sandbox, by FIS",
    FaultKind.THROTTLE: "sandbox only: nothing on AWS makes a service throttle on command",
    FaultKind.KILL: "sandbox only: nobody can kill an execution environment of Lambda on AWS",
}
"""Where each kind can be made, and how."""


def percent_of(fault: Fault) -> float:
    """Return which share of the calls that it is about a fault breaks, in percent."""
    match fault:
        case FunctionFault(percent=percent):
            return percent
        case ThrottleFault(share=share):
            return 100 * share
        case DownstreamFault(mode=Mode.ERRORS, share=share):
            return 100 * (0.5 if share is None else share)
        case DownstreamFault(mode=Mode.PARTIAL_OUTAGE):
            return 100 * PARTIAL_SHARE
        case _:
            return 100.0


def with_percent(scenario: Scenario, percent: int | None) -> Scenario:
    """Return the scenario with a fault of this size; as it is for None.

    Raises:
        CliError: when its fault has no size, or that is larger than the scenario says.

    """
    if percent is None:
        return scenario
    fault = scenario.fault
    most = percent_of(fault)
    if percent > most:
        raise CliError(
            f"--percent {percent} is more than the {most:g} % of {scenario.name}: it makes a fault smaller. "
            "For a larger one write a scenario of your own."
        )
    match fault:
        case FunctionFault():
            return replace(scenario, fault=replace(fault, percent=percent))
        case ThrottleFault() | DownstreamFault(mode=Mode.ERRORS):
            return replace(scenario, fault=replace(fault, share=percent / 100))
        case _:
            raise CliError(
                f"The fault of {scenario.name} has no smaller form: {fault_text(fault)}. --percent is for "
                "faults of functions, throttles, and the downstream's mode errors."
            )


def check_place(scenario: Scenario, *, emulated: bool, production: bool) -> None:
    """Refuse what may not be broken there.

    Args:
        scenario: What would be broken.
        emulated: Whether there is the sandbox's emulator, and not AWS.
        production: Whether the stack is not declared a sandbox.

    Raises:
        CliError: with the reason, and what to do.

    """
    if not emulated and scenario.only_in_sandbox:
        raise CliError(f"{scenario.name} cannot be run on AWS. It is {WHERE[scenario.fault.kind]}.")
    percent = percent_of(scenario.fault)
    if production and percent > PRODUCTION_PERCENT:
        smaller = (
            f"Or make the fault smaller: add --percent {PRODUCTION_PERCENT}."
            if _has_size(scenario.fault)
            else f"The fault has no smaller form: {fault_text(scenario.fault)}."
        )
        raise CliError(
            f"{scenario.name} breaks {percent:g} % of the calls; in production at most "
            f"{PRODUCTION_PERCENT} % may be broken. Every stack is production that does not declare itself a "
            "sandbox (output `sandbox`): if nobody depends on this one, `pulumi config set sandbox true` and "
            f"deploy. {smaller}"
        )


def _has_size(fault: Fault) -> bool:
    """Return whether --percent makes it smaller."""
    match fault:
        case FunctionFault() | ThrottleFault() | DownstreamFault(mode=Mode.ERRORS):
            return True
        case _:
            return False


def digest_of(scenario: Scenario, stack: str) -> str:
    """Return what identifies an experiment: the scenario's content with its percentage, and the stack."""
    content = json.dumps(
        {"scenario": asdict(scenario), "stack": stack, "percent": percent_of(scenario.fault)},
        sort_keys=True,
        default=str,
    )
    return sha256(content.encode()).hexdigest()[:DIGEST_LENGTH]


def fault_text(fault: Fault) -> str:
    """Return what is broken, for people."""
    match fault:
        case DownstreamFault():
            more = [f"{fault.seconds:g} s"] if fault.seconds is not None else []
            more += [f"share {fault.share:g}"] if fault.share is not None else []
            return f"downstream: {fault.mode}{''.join(f', {each}' for each in more)}"
        case FunctionFault():
            return f"function {fault.target}: {fault.action} in {fault.percent} % of the invocations"
        case ThrottleFault():
            return f"{fault.service}:{fault.operation} throttled, share {fault.share:g}"
        case _:
            return f"workers of {fault.target} killed every {fault.every_seconds:g} s"
