"""Find the circuits of a stack, and the table that holds each."""

import difflib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.stack_outputs import stack_outputs
from selfheal.functions.shared.breaker.changes import LostRaceError, change
from selfheal.functions.shared.breaker.circuit import Circuit
from selfheal.functions.shared.breaker.store import Store

OUTPUT = "circuits"
"""The stack's output: an object from the names of circuits to those of their tables."""

_EXPLICIT = "name its table: selfheal breaker show CIRCUIT --table NAME"
_PREFIX = "breaker#"


@dataclass(frozen=True)
class Place:
    """A circuit, and where it is."""

    name: str
    table: str
    dynamodb: Any

    def read(self) -> Circuit:
        """Return the circuit as it is now; a closed one if nothing was ever written.

        Raises:
            CliError: when there is no such table, it holds others only, or a newer version wrote the circuit.

        """
        try:
            found = Store(self.dynamodb, self.table, self.name).read()
        except ValueError as error:
            raise CliError(f"{self.name}: {error}") from error
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise CliError(
                f"There is no table {self.table} in {self.dynamodb.meta.region_name}: look at the name, the "
                "stack and the region."
            ) from error
        if not found.version and (others := self._others()):
            raise CliError(
                f"The table {self.table} holds no circuit {self.name!r}, but {', '.join(others)}. Name that."
            )
        return found

    def change(self, how: Callable[[Circuit], Circuit | None]) -> Circuit | None:
        """Change the circuit, and return it as it was written; None where there was nothing to change.

        Raises:
            CliError: when others wrote it each time that it was tried, or it cannot be changed so.

        """
        try:
            return change(Store(self.dynamodb, self.table, self.name), how)
        except (ValueError, LostRaceError) as error:
            raise CliError(f"{self.name}: {error}") from error

    def _others(self) -> list[str]:
        """Return the names of other circuits in the table; none where it may not be searched."""
        with suppress(BotoCoreError, ClientError):
            items = self.dynamodb.scan(TableName=self.table, ProjectionExpression="pk", Limit=20)["Items"]
            return sorted(item["pk"]["S"].removeprefix(_PREFIX) for item in items)
        return []


def all_circuits(location: Location, access: AwsAccess) -> list[Place]:
    """Return the circuits of the stack, by name.

    Raises:
        CliError: when the stack's outputs do not tell them.

    """
    outputs, problem = stack_outputs(access, location.folder, location.stack)
    if outputs is None:
        raise CliError(f"Cannot tell which circuits there are: {problem}. For one circuit {_EXPLICIT}")
    named = outputs.get(OUTPUT)
    if not isinstance(named, Mapping) or not all(isinstance(table, str) for table in named.values()):
        raise CliError(
            f"The stack {location.stack} has no output `{OUTPUT}`, an object from circuits to their tables. "
            f"Export it, or {_EXPLICIT}"
        )
    dynamodb = access.clients.get("dynamodb")
    return [Place(str(name), str(table), dynamodb) for name, table in sorted(named.items())]


def find_circuit(location: Location, access: AwsAccess, name: str, table: str | None) -> Place:
    """Return a circuit: in the table that was given, or else as the stack's outputs tell.

    Raises:
        CliError: when the stack has no circuit of that name, or does not tell its circuits.

    """
    if table is not None:
        return Place(name, table, access.clients.get("dynamodb"))
    circuits = all_circuits(location, access)
    for each in circuits:
        if each.name == name:
            return each
    names = [each.name for each in circuits]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else f"It has {', '.join(names) or 'none'}."
    raise CliError(f"The stack {location.stack} has no circuit {name!r}. {hint}")
