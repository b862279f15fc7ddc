"""Find a bus, its archive and its rules: by the stack's output `buses`, or as the command line names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.stack_outputs import stack_outputs

OUTPUT = "buses"
"""Output of a stack: by name, what `FanOut.replays` gives."""

_BY_HAND = "Name the archive and the rules with --archive NAME and --rule NAME."


@dataclass(frozen=True)
class Bus:
    """A bus from whose archive events can be replayed."""

    name: str
    """In the stack's output, or of the bus."""
    arn: str
    archive: str
    """ARN of the archive."""
    rules: Mapping[str, str]
    """ARN of the rule by subscriber."""

    def only(self, subscribers: Sequence[str]) -> "Bus":
        """Return the bus with the rules of these subscribers only.

        Raises:
            CliError: when it has no such subscriber.

        """
        unknown = sorted(set(subscribers) - set(self.rules))
        if unknown:
            raise CliError(
                f"{self.name} has no subscriber {', '.join(unknown)}; there are "
                f"{', '.join(sorted(self.rules))}. Nothing was replayed."
            )
        return replace(self, rules={name: self.rules[name] for name in dict.fromkeys(subscribers)})


def bus_of_stack(location: Location, access: AwsAccess, name: str | None) -> Bus:
    """Return a bus of the stack's output `buses`; without a name, its only one.

    Raises:
        CliError: when the outputs are not known, or do not have it.

    """
    outputs, problem = stack_outputs(access, location.folder, location.stack)
    if outputs is None:
        raise CliError(f"Cannot tell which bus to use: {problem}. {_BY_HAND}")
    found = outputs.get(OUTPUT)
    if not isinstance(found, dict) or not found:
        raise CliError(
            f"The stack {location.stack} has no output {OUTPUT}. Export `FanOut.replays` there by name: "
            f'pulumi.export("{OUTPUT}", {{"orders": fan_out.replays}}). Or: {_BY_HAND}'
        )
    buses = cast("dict[str, Any]", found)
    if name is None and len(buses) > 1:
        raise CliError(
            f"The stack {location.stack} has the buses {', '.join(sorted(buses))}: name one with --bus."
        )
    wanted = name or next(iter(buses))
    if wanted not in buses:
        raise CliError(
            f"The stack {location.stack} has no bus {wanted}; there are {', '.join(sorted(buses))}."
        )
    return _bus(wanted, buses[wanted])


def bus_of_archive(access: AwsAccess, archive: str, rules: Sequence[str]) -> Bus:
    """Return the bus of an archive, with rules by their names.

    Args:
        access: Where AWS is.
        archive: Name or ARN.
        rules: Names of rules of its bus.

    Raises:
        CliError: when the bus has no such rule.
        botocore.exceptions.ClientError: when the archive or the rules cannot be read.

    """
    events = access.clients.get("events")
    found = events.describe_archive(ArchiveName=archive.rpartition("archive/")[2])
    bus = str(found["EventSourceArn"])
    name = bus.rpartition("/")[2]
    arns: dict[str, str] = {}
    for rule in rules:
        try:
            arns[rule] = events.describe_rule(Name=rule, EventBusName=name)["Arn"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise CliError(
                f"The bus {name} of the archive has no rule {rule}. Nothing was replayed. "
                f"`aws events list-rules --event-bus-name {name}` lists them."
            ) from error
    return Bus(name, bus, str(found["ArchiveArn"]), arns)


def _bus(name: str, output: Any) -> Bus:
    if isinstance(output, dict):
        parts = cast("dict[str, Any]", output)
        arn, archive, rules = (parts.get(key) for key in ("bus", "archive", "rules"))
        if isinstance(arn, str) and isinstance(archive, str) and isinstance(rules, dict):
            known = cast("dict[str, Any]", rules)
            return Bus(name, arn, archive, {subscriber: str(rule) for subscriber, rule in known.items()})
    raise CliError(
        f"The stack's output {OUTPUT} says of {name} {output!r}, where `FanOut.replays` gives bus, archive "
        f"and rules. Export that, or: {_BY_HAND}"
    )
