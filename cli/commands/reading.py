"""outputs: what is deployed."""

import json as json_module
from typing import Annotated, Any

import typer

from cli.console import Output
from cli.errors import CliError
from cli.exits import epilog
from cli.options import Endpoint, Json, Stack
from cli.site import exports, load

OUTPUTS_EPILOG = epilog(
    "selfheal outputs                every output of the stack dev",
    "curl $(selfheal outputs url)    one value, for scripts",
    "selfheal outputs --json | jq -r .ledgerTable",
)
Key = Annotated[
    str | None, typer.Argument(metavar="[KEY]", help="Print this output's value only.", show_default=False)
]


def outputs(
    ctx: typer.Context, key: Key = None, stack: Stack = "dev", endpoint: Endpoint = None, json: Json = False
) -> None:
    """Print the stack's outputs.

    They are read from the state of the last `up` that ended well; nothing is started, no endpoint is asked.
    With --endpoint it is the state kept for that endpoint.
    """
    output = Output.make(json=json)
    found = exports(load(ctx, stack), endpoint)
    if key is not None and key not in found:
        raise CliError(f"Stack {stack} has no output {key!r}. It has: {', '.join(sorted(found))}.")
    if json:
        output.document(found if key is None else found[key])
    elif key is not None:
        output.say(_text(found[key]))
    else:
        for name in sorted(found):
            output.say(f"{name}: {_text(found[name])}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_module.dumps(value, ensure_ascii=False)
