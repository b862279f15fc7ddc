"""Whether another healer of the account and region looks after the same function: two would undo each other.

Within one program components refuse that; of other stacks nobody knows before both are deployed.
"""

from collections.abc import Iterator
from typing import Any

from selfheal.cli.doctor.check import Check, State
from selfheal.cli.doctor.stack import Deployed
from selfheal.cli.operator.aws_access import ClientSource
from selfheal.functions.healer.target import parse_targets

NAME = "targets.healers"
WHAT = "other healers"


def check_other_healers(clients: ClientSource, deployed: Deployed) -> Iterator[Check]:
    """Look through the functions of the region for healers that have a target of this one."""
    own = {target.function for target in deployed.targets}
    shared: list[str] = []
    unread: list[str] = []
    pages = clients.get("lambda").get_paginator("list_functions").paginate()
    for function in (each for page in pages for each in page["Functions"]):
        name, variables = str(function["FunctionName"]), _variables(function)
        if not {"TARGETS", "LEDGER_TABLE"} <= variables.keys() or name == deployed.healer:
            continue
        try:
            theirs = {target.function for target in parse_targets(variables["TARGETS"])}
        except ValueError:
            unread.append(name)
            continue
        shared += [f"{name} has {each} too (ledger {variables['LEDGER_TABLE']})" for each in own & theirs]
    if shared:
        do = "Leave each function to one of them: remove the target from the other's stack, and deploy that."
        yield Check(NAME, WHAT, State.FAIL, "; ".join(sorted(shared)), do)
    elif unread:
        do = "See for yourself whether it has a target of this one; it is of another version."
        yield Check(NAME, WHAT, State.UNKNOWN, f"targets not readable: {', '.join(sorted(unread))}", do)
    else:
        yield Check(NAME, WHAT, State.OK, "none has a target of this one")


def _variables(function: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = function.get("Environment", {}).get("Variables", {})
    return found
