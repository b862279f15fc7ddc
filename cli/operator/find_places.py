"""Find a stack's dead letters: by its outputs, or as they are named on the command line."""

import difflib
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError

from selfheal.cli.console import remark
from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import AwsAccess, PatientSource, aws_access
from selfheal.cli.operator.delivery import Deliveries, NoAddressError
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.places import BucketPlace, Place, QueuePlace
from selfheal.cli.operator.stack_outputs import stack_outputs

OUTPUT = "deadLetters"
"""Output of a stack: an object with, by name, a queue's URL or s3://BUCKET."""

_BUCKET = re.compile(
    r"(?:s3://|arn:[a-z0-9-]+:s3:::)?(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?"
)


@dataclass(frozen=True)
class Named:
    """What the command line names."""

    name: str | None = None
    """Of an entry of the stack's output."""
    queue: str | None = None
    """URL, ARN or name of a queue."""
    bucket: str | None = None
    """A bucket's name, or s3://BUCKET/PREFIX."""


@contextmanager
def open_places(location: Location, named: Named) -> Generator[tuple[AwsAccess, list[Place]]]:
    """Find the dead letters that are named, or all of the stack, and print where.

    Raises:
        CliError: when they cannot be found; or as `aws_access` does.

    """
    with aws_access(location) as access:
        remark(f"{access.description}.")
        if named.queue:
            yield access, [_queue(access.clients, named.queue)]
        elif named.bucket:
            yield access, [_bucket(access.clients, named.bucket, named.bucket)]
        else:
            found = _of_outputs(access, location)
            yield access, found if named.name is None else [_one(found, named.name, location.stack)]


@contextmanager
def open_place(location: Location, named: Named) -> Generator[tuple[AwsAccess, Place]]:
    """Find the one place that is named, or the only one that there is; raises as `open_places`."""
    with open_places(location, named) as (access, found):
        if len(found) != 1:
            raise CliError(
                f"Stack {location.stack} has {len(found)} places of dead letters: name one of "
                f"{_names(found)}. `selfheal dlq list{location.as_options()}` tells about each."
            )
        yield access, found[0]


def places_of(outputs: Mapping[str, Any], clients: PatientSource) -> list[Place]:
    """Return the places that a stack's outputs name, in the order of their names.

    Raises:
        CliError: when the output is not what it should be.

    """
    listed = outputs.get(OUTPUT)
    if not isinstance(listed, dict):
        raise CliError(
            f"The stack's output `{OUTPUT}` should be an object with the URLs of queues, or s3://BUCKET, by "
            f"name; it {'is missing' if listed is None else f'is {listed!r}'}. {_BY_HAND}"
        )
    return [_place(clients, name, value) for name, value in sorted(cast("dict[str, Any]", listed).items())]


_BY_HAND = "Name what you look for with --queue URL_OR_NAME or --bucket NAME."


def _of_outputs(access: AwsAccess, location: Location) -> list[Place]:
    outputs, problem = stack_outputs(access, location.folder, location.stack)
    if outputs is None:
        raise CliError(f"Cannot tell the dead letters of stack {location.stack}: {problem}. {_BY_HAND}")
    return places_of(outputs, access.clients)


def _one(found: list[Place], name: str, stack: str) -> Place:
    for each in found:
        if each.name == name:
            return each
    close = difflib.get_close_matches(name, [each.name for each in found], n=1, cutoff=0.5)
    hint = f". Did you mean {close[0]}?" if close else f"; it has {_names(found)}."
    raise CliError(f"Stack {stack} has no dead letters {name!r}{hint}")


def _names(found: list[Place]) -> str:
    return ", ".join(each.name for each in found) or "none"


def _place(clients: PatientSource, name: str, value: Any) -> Place:
    if isinstance(value, str) and value.startswith("s3://"):
        return _bucket(clients, name, value)
    if isinstance(value, str) and value.startswith(("https://", "http://")):
        return QueuePlace(name, value, clients.get("sqs"))
    raise CliError(
        f"{name} in the stack's output `{OUTPUT}` should be a queue's URL or s3://BUCKET; it is {value!r}. "
        f"{_BY_HAND}"
    )


def _queue(clients: PatientSource, named: str) -> Place:
    """Return the queue with this URL, ARN or name."""
    try:
        address = Deliveries(clients, "").resolve(named)
    except NoAddressError as error:
        raise CliError(f"--queue {named}: {error}.") from error
    if address.service != "sqs":
        raise CliError(f"--queue {named}: this is a function. Give the URL, ARN or name of a queue.")
    return QueuePlace(address.place.rsplit("/", 1)[-1], address.place, clients.get("sqs"))


def _bucket(clients: PatientSource, name: str, address: str) -> Place:
    found = _BUCKET.fullmatch(address)
    if found is None:
        raise CliError(f"{address!r} is no bucket: give its name, or s3://BUCKET/PREFIX.")
    s3 = clients.get("s3")
    try:
        s3.head_bucket(Bucket=found["bucket"])
    except ClientError as error:
        raise CliError(f"The bucket {found['bucket']} cannot be read: {error}") from error
    return BucketPlace(name, found["bucket"], found["prefix"] or "", s3)
