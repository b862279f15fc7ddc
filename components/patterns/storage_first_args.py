"""The arguments of a `StorageFirstApi`, and what is refused of them."""

import re
from collections.abc import Mapping
from typing import Any, NotRequired, Protocol

import pulumi
from pulumi import Input, Output

from selfheal.components import ranges
from selfheal.components.errors import ComponentError
from selfheal.components.function import DEFAULT_RETENTION_DAYS, RETENTION_DAYS
from selfheal.components.patterns.function import FunctionArgs, timeout_of
from selfheal.components.patterns.schema_size import DRAFT, largest
from selfheal.components.security import SecurityArgs

MOST_BYTES = 256 * 1024 - 8 * 1024
"""Of a body that is stored. 256 KiB is the most of an EventBridge entry and of an Express workflow's input
(quotas of both); 8 KiB are left for the envelope."""

RATES = (1, 10_000)
DEFAULT_RATE = 50
BURSTS = (1, 5000)
DEFAULT_BURST = 100
"""Minimum, default, and maximum: what an account has by default. Source: API Gateway quotas."""

READERS_SECONDS = (1, 29)
DEFAULT_READER_SECONDS = 10
"""The same of the reader's timeout; API Gateway waits no longer. Source: as above, integration timeout."""

_PATH = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Queue(Protocol):
    """Where requests are stored, such as a LevelledQueue."""

    queue_name: Output[str]
    queue_arn: Output[str]
    queue_url: Output[str]


class StorageFirstApiArgs(SecurityArgs):
    """What is stored, for whom, and who answers questions about it."""

    path: str
    """First part of the path: `orders` makes PUT and GET of /orders/{id}. 1 to 64 lower-case letters, digits,
    hyphens and underscores, of which the first is a letter or a digit."""

    queue: Queue
    """Gets each request: as body the request's body as it came, as message attributes `id`, `caller` and
    `requestId`. Its consumer must check the id's form, which API Gateway cannot: an odd one is poison. Its
    maximum message size limits a body's space and repeated keys, which no schema does."""

    schema: Mapping[str, Any]
    """JSON schema (draft 4) of a body. Strings need maxLength, arrays maxItems, objects additionalProperties
    False: the largest body must stay below 248 KiB, with 12 bytes for each character."""

    reader: FunctionArgs
    """Answers GET, as a proxy integration (payload 1.0). The caller is in
    `event["requestContext"]["authorizer"]["principalId"]`: somebody else's must be 404. Its timeout is at
    most 29 s, by default 10 s."""

    people: Input[str]
    """ARN of the topic that is told when requests fail."""

    reads: NotRequired[Mapping[str, FunctionArgs]]
    """Further functions by first part of the path: `status` makes GET of /status/{id}, for the same callers
    and at the same rate. Their answers and timeouts are as the reader's. Default: none."""

    callers: NotRequired[Input[Mapping[str, Input[str]]]]
    """Token by caller: at least 32 characters of visible ASCII, by a name of 1 to 64 letters, digits, hyphens
    and underscores. Treated as a secret; only digests are stored. Default: none, so nobody gets in."""

    public: NotRequired[bool]
    """Whether everybody may store and read. Allowed in a sandbox only. Default False."""

    sandbox: NotRequired[bool]
    """Whether the stack is a sandbox. What is not said to be one is production. Default False."""

    rate: NotRequired[float]
    """Requests a second of all callers together, 1 to 10,000. Above it: 429. Default 50."""

    burst: NotRequired[int]
    """Requests at once, 1 to 5,000. Default 100."""

    log_retention_days: NotRequired[int]
    """Days to keep access logs; one of the values that CloudWatch Logs supports. Default 14."""


def check(args: StorageFirstApiArgs) -> int:
    """Return the most bytes of a body, if the arguments are allowed.

    Raises:
        ComponentError: when an argument is out of its range, a part of the schema has no limit, or a public
            API is outside a sandbox.

    """
    _check_path("path", args["path"])
    reads = reads_of(args)
    for path in reads:
        _check_path("the paths of reads", path)
    if args["path"] in reads:
        raise ComponentError(
            f"reads must not name {args['path']!r}, which `path` does: its GET is the reader's. Rename it."
        )
    _check_public(args)
    ranges.number("rate", args.get("rate"), RATES, default=DEFAULT_RATE)
    ranges.whole("burst", args.get("burst"), BURSTS, default=DEFAULT_BURST)
    for where, function in (("the reader", reader_of(args)), *reads.items()):
        ranges.whole(
            f"timeout_seconds of {where}",
            timeout_of(function),
            READERS_SECONDS,
            default=DEFAULT_READER_SECONDS,
        )
    if (days := args.get("log_retention_days", DEFAULT_RETENTION_DAYS)) not in RETENTION_DAYS:
        raise ComponentError(
            f"log_retention_days must be one of {', '.join(map(str, RETENTION_DAYS))}, got {days}. Leave it "
            f"out for {DEFAULT_RETENTION_DAYS}."
        )
    return _check_schema(args["schema"])


def reader_of(args: StorageFirstApiArgs) -> FunctionArgs:
    """Return what there is to say of the reader, with the API's own default timeout."""
    return {"timeout_seconds": DEFAULT_READER_SECONDS, **args["reader"]}


def reads_of(args: StorageFirstApiArgs) -> Mapping[str, FunctionArgs]:
    """Return what there is to say of the further functions, likewise."""
    return {
        path: {"timeout_seconds": DEFAULT_READER_SECONDS, **read}
        for path, read in args.get("reads", {}).items()
    }


def _check_path(what: str, path: str) -> None:
    if not _PATH.fullmatch(path):
        raise ComponentError(
            f"{what} must be 1 to 64 lower-case letters, digits, hyphens and underscores, of which the first "
            f"is a letter or a digit, got {path!r}. Give one part, without slashes, such as orders."
        )


def _check_public(args: StorageFirstApiArgs) -> None:
    if not args.get("public", False):
        return
    if not args.get("sandbox", False):
        raise ComponentError(
            f"public must be False in production, and stack {pulumi.get_stack()} is not said to be a "
            "sandbox: anybody could store and read. Remove it and give `callers`, or set `sandbox`."
        )
    if "callers" in args:
        raise ComponentError(
            "callers must not be given with public True: nobody would be asked for a token. Remove one."
        )


def _check_schema(schema: Mapping[str, Any]) -> int:
    if schema.get("type") != "object":
        raise ComponentError(
            f"schema must have `type` object, got {schema.get('type')!r}: a body is a JSON object."
        )
    if schema.get("$schema", DRAFT) != DRAFT:
        raise ComponentError(
            f"schema must be of draft 4, the only one that API Gateway knows, got {schema['$schema']!r}. "
            f"Leave `$schema` out, or give {DRAFT}."
        )
    if (size := largest(schema)) > MOST_BYTES:
        raise ComponentError(
            f"schema must allow {MOST_BYTES:,} bytes at most, got one that allows {size:,} (12 bytes for "
            "each character of a string): a larger body could be stored, but never be passed on as an event "
            "or to a workflow. Lower maxLength or maxItems."
        )
    return size
