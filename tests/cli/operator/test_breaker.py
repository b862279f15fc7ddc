"""`selfheal breaker` as typed, on circuits that moto keeps: what is shown, written and refused."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfheal.functions.shared.breaker.circuit import Circuit, Forced, Lease, State
from selfheal.functions.shared.breaker.outages import Outage
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.breaker.window import Count, bucket_of
from tests.cli.support import client, create_table, said, told

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("dynamodb")]

TABLE = "payments-circuit-1a2b3c4"
AWS = ("--aws",)
GIVEN = ("--table", TABLE, *AWS)
CALLER = "arn:aws:sts::123456789012:user/moto"
S = BreakerSettings()
AT_REST = Circuit("payments", version=1, changed_at=1_700_000_000.0)


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dynamodb: Any) -> None:
    monkeypatch.chdir(tmp_path)
    create_table(TABLE, dynamodb)


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Put a `pulumi` on PATH that tells these outputs of the stack."""

    def tell(document: Any) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "pulumi").write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(document)}\nEND\n")
        (folder / "pulumi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return tell


def store(table: str = TABLE) -> Store:
    return Store(client(), table, "payments")


def put(circuit: Circuit) -> Circuit:
    before = store().read()
    written, now = store().replace(before, replace(circuit, version=before.version + 1))
    assert written
    return now


def test_the_stacks_circuits_are_listed_and_found_is_said_where_one_is_not_at_rest(
    outputs: Callable[[Any], None],
) -> None:
    outputs({"circuits": {"payments": TABLE, "mail": "mail-circuit"}})
    create_table("mail-circuit")
    put(AT_REST)
    listed = told("breaker", "list", *AWS)
    assert [(each["circuit"], each["state"], each["at_rest"]) for each in listed] == [
        ("mail", "closed", True),
        ("payments", "closed", True),
    ]
    assert "circuit state since next forced mail closed" in said("breaker", "list", *AWS)
    now = time.time()
    put(AT_REST.opened(now, 0.5, S))
    assert told("breaker", "list", *AWS, code=3)[1]["state"] == "open"
    assert "payments open" in said("breaker", "list", *AWS, code=3)
    put(replace(AT_REST, limit=4))
    assert "closed, slow start" in said("breaker", "list", *AWS, code=3)
    put(AT_REST.force(Forced(State.CLOSED, "ann", "drill", now + 60), now, S))
    assert "drill" in said("breaker", "list", *AWS, code=3)


def test_everything_about_one_is_shown() -> None:
    now = time.time()
    put(
        replace(
            AT_REST,
            state=State.HALF_OPEN,
            changed_at=now - 5,
            openings=3,
            successes=2,
            lease=Lease("a", now + 50, claimed=True),
            outages=(Outage(1_700_000_000.0, 1_700_000_060.5), Outage(now - 30)),
        )
    )
    shown = told("breaker", "show", "payments", *GIVEN)
    assert (shown["circuit"], shown["table"], shown["state"]) == ("payments", TABLE, "half-open")
    assert (shown["openings"], shown["successes"], shown["next_probe"]) == (3, 2, None)
    assert shown["outages"][1] == {"began": "2023-11-14T22:13:20.000Z", "ended": "2023-11-14T22:14:20.500Z"}
    assert shown["outages"][0]["ended"] is None
    text = said("breaker", "show", "payments", *GIVEN)
    assert "2 successful probes, one under way until" in text
    assert "outage 2023-11-14T22:13:20.000Z to 2023-11-14T22:14:20.500Z" in text
    put(AT_REST)
    store().add({bucket_of(now): Count(10, 4)}, 0, now, S.window_seconds)
    assert "4 of 10 calls failed" in said("breaker", "show", "payments", *GIVEN)


@pytest.mark.parametrize(("verb", "state"), [("open", State.OPEN), ("close", State.CLOSED)])
@pytest.mark.parametrize(
    ("given", "seconds"), [((), 3600), (("--for", "90s"), 90), (("--for", "24h"), 86400)]
)
def test_forcing_writes_who_why_and_until_when(
    verb: str, state: State, given: tuple[str, ...], seconds: int
) -> None:
    put(AT_REST.opened(time.time(), 0.5, S))
    began = time.time()
    answer = told("breaker", verb, "payments", "--why", "the bank moves", *given, *GIVEN)
    circuit = store().read()
    assert circuit.state is state
    assert circuit.forced is not None
    assert (circuit.forced.state, circuit.forced.by, circuit.forced.why) == (state, CALLER, "the bank moves")
    assert circuit.forced.until == pytest.approx(began + seconds, abs=20)
    assert (answer["state"], answer["forced"]["by"]) == (state, CALLER)
    assert circuit.limit == (2 if state is State.CLOSED else None), "closed by force, it starts slowly"


def test_a_circuit_that_nothing_was_ever_written_of_can_be_forced() -> None:
    said("breaker", "open", "payments", "--why", "drill", *GIVEN)
    circuit = store().read()
    assert (circuit.state, circuit.episode, circuit.version) == (State.OPEN, 1, 1)


def test_what_another_person_had_forced_is_said_and_replaced() -> None:
    now = time.time()
    put(AT_REST.force(Forced(State.OPEN, "bob", "the bank moves", now + 600), now, S))
    text = said("breaker", "close", "payments", "--why", "it has moved", *GIVEN)
    assert "Replaced: open until" in text
    assert "by bob: the bank moves" in text
    assert store().read().forced_now(now + 3000) is not None


def test_released_the_calls_decide_again() -> None:
    now = time.time()
    put(AT_REST.force(Forced(State.OPEN, "bob", "the bank moves", now + 600), now, S))
    assert "Released: open until" in said("breaker", "release", "payments", *GIVEN)
    circuit = store().read()
    assert circuit.forced is None
    assert circuit.until <= time.time(), "probed at once"
    version = circuit.version
    assert "Nothing is forced" in said("breaker", "release", "payments", *GIVEN)
    assert store().read().version == version


@pytest.mark.parametrize(
    "arguments",
    [
        ("open", "payments"),
        ("open", "payments", "--why", ""),
        ("open", "payments", "--why", "x", "--for", "25h"),
        ("open", "payments", "--why", "x", "--for", "0s"),
        ("close", "payments", "--why", "x", "--for", "60"),
        ("close", "payments", "--why", "x", "--for", "-1h"),
        ("open", "--why", "x"),
    ],
)
def test_a_wrong_command_line_writes_nothing(arguments: tuple[str, ...]) -> None:
    said("breaker", *arguments, *GIVEN, code=2)
    assert store().read().version == 0


def test_a_circuit_that_is_not_there_is_not_made_by_a_slip_of_the_pen(
    outputs: Callable[[Any], None],
) -> None:
    put(AT_REST)
    text = said("breaker", "open", "paymnets", "--why", "x", *GIVEN, code=1)
    assert "holds no circuit 'paymnets', but payments" in text
    assert "There is no table other" in said("breaker", "show", "payments", "--table", "other", *AWS, code=1)
    outputs({"circuits": {"payments": TABLE}})
    text = said("breaker", "open", "paymnets", "--why", "x", *AWS, code=1)
    assert "Did you mean payments?" in text
    assert client().scan(TableName=TABLE)["Count"] == 1


def test_a_stack_that_does_not_tell_its_circuits_is_refused_with_what_to_do(
    outputs: Callable[[Any], None],
) -> None:
    assert "there is no Pulumi CLI" in said("breaker", "list", *AWS, code=1)
    outputs({"url": "https://x"})
    text = said("breaker", "show", "payments", *AWS, code=1)
    assert "no output `circuits`" in text
    assert "--table NAME" in text


def test_a_circuit_of_a_newer_version_is_neither_guessed_at_nor_written() -> None:
    put(AT_REST)
    key = {"pk": {"S": "breaker#payments"}, "sk": {"S": "breaker"}}
    client().update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "schema"},
        ExpressionAttributeValues={":s": {"N": "9"}},
    )
    for arguments in (("show", "payments"), ("open", "payments", "--why", "x"), ("release", "payments")):
        assert "deploy a newer version" in said("breaker", *arguments, *GIVEN, code=1)
    assert client().get_item(TableName=TABLE, Key=key)["Item"]["state"] == {"S": "closed"}


@pytest.mark.parametrize("command", ["list", "show", "open", "close", "release"])
def test_every_command_teaches_by_example_and_documents_its_exit_codes(command: str) -> None:
    shown = said("breaker", command, "--help")
    for text in ("Examples", f"selfheal breaker {command}", "0 done · 1 failed · 2 wrong usage", "--aws"):
        assert text in shown
    assert "--ledger" not in shown
    assert ("3 a circuit is not at rest" in shown) is (command == "list")
