"""The bearer tokens of the callers in whose names orders are sent."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from selfheal.cli.errors import CliError
from selfheal.functions.downstream.core import PARTIAL_SHARE, Mode
from selfheal.functions.shared.callers import share_of
from selfheal.functions.shared.tokens import CALLER, TOKEN
from selfheal.scenarios.faults import DownstreamFault
from selfheal.scenarios.scenario import Scenario

VARIABLE = "SELFHEAL_TOKENS"
"""Holds what the file holds that --tokens-file names."""

_GET = "pulumi config get callers -s STACK"
_HELP = (
    'They are a JSON object of callers and their tokens, such as {"ann": "..."}: what the stack\'s '
    f'configuration has as `callers`, for example {VARIABLE}="$({_GET})".'
)


def read_tokens(file: Path | None) -> dict[str, str]:
    """Return tokens by caller, of a file or else of the environment.

    Raises:
        CliError: when there are none, or they cannot be read. The text quotes none of them.

    """
    if file is None:
        source, text = VARIABLE, os.environ.get(VARIABLE, "")
        if not text:
            raise CliError(
                f"Orders are sent with tokens of callers, and none are given: set {VARIABLE}, or name a file "
                f"with --tokens-file. {_HELP}"
            )
    else:
        source = str(file)
        try:
            text = file.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise CliError(f"Cannot read the tokens in {file}: {error}") from error
    try:
        found: Any = json.loads(text)
    except ValueError:
        # Without the cause: it holds the text.
        raise CliError(f"The tokens in {source} cannot be used: this is not JSON. {_HELP}") from None
    if not isinstance(found, dict) or not found:
        what = "an empty object" if found == {} else "JSON, but no object"
        raise CliError(f"The tokens in {source} cannot be used: this is {what}. {_HELP}")
    tokens = cast("dict[str, Any]", found)
    good = all(
        CALLER.fullmatch(name) and isinstance(token, str) and TOKEN.fullmatch(token)
        for name, token in tokens.items()
    )
    if not good:
        raise CliError(
            f"The tokens in {source} cannot be used: a caller's name is not {CALLER.pattern}, or a token is "
            f"not {TOKEN.pattern}. {_HELP}"
        )
    return cast("dict[str, str]", tokens)


def choose(scenario: Scenario, tokens: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Return the callers that send orders, and what must be known of the choice; empty for nothing.

    A partial outage hits a third of all callers, always the same ones: of those that send orders it is to hit
    a third as well.

    Raises:
        CliError: when a partial outage would hit none of the callers, or all.

    """
    wanted, names = scenario.traffic.callers, sorted(tokens)
    fault = scenario.fault
    if not (isinstance(fault, DownstreamFault) and fault.mode == Mode.PARTIAL_OUTAGE):
        few = f"{len(names)} of {wanted} callers sent orders: there were no more tokens"
        return {name: tokens[name] for name in names[:wanted]}, few if len(names) < wanted else ""
    hit = [name for name in names if share_of(name) < PARTIAL_SHARE]
    spared = [name for name in names if name not in hit]
    part = max(1, round(wanted * PARTIAL_SHARE))
    if len(hit) < part or len(spared) < wanted - part:
        raise CliError(
            f"{scenario.name} needs {wanted} callers of whom the outage hits {part}; of the {len(names)} "
            f"whose tokens are given it hits {len(hit)}. Who is hit depends on the name: give more callers."
        )
    chosen = [*hit[:part], *spared[: wanted - part]]
    return {name: tokens[name] for name in sorted(chosen)}, ""
