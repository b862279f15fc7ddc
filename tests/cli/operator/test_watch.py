"""`selfheal watch` as typed, on AWS as moto has it: where it looks, what it prints, and how it ends."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from selfheal.cli.errors import Terminated
from selfheal.cli.operator import watch
from selfheal.functions.shared.breaker.circuit import Circuit
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.status.picture import Picture
from tests.cli.support import TABLE, Screen, client, create_table, deploy, later, put, run, said, verifying

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ledger")]

AWS = ("--aws", "--region", "us-east-1")
CIRCUIT = "payments-circuit-1a2b3c4"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dynamodb: Any) -> None:
    """A stack that was deployed in mode act, whose one alarm is OK."""
    assert dynamodb
    monkeypatch.chdir(tmp_path)
    deploy("act", targets=["fragile"], alarms={"fragile": ["fragile-fast"]}, budget=12)
    cloudwatch = boto3.client("cloudwatch", region_name="us-east-1")
    cloudwatch.put_metric_alarm(
        AlarmName="fragile-fast", ComparisonOperator="LessThanThreshold", EvaluationPeriods=1, Threshold=1
    )
    cloudwatch.set_alarm_state(AlarmName="fragile-fast", StateValue="OK", StateReason="well")


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a `pulumi` on PATH that tells these outputs of the stack."""

    def tell(**document: Any) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "pulumi").write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(document)}\nEND\n")
        (folder / "pulumi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return tell


def pictures(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    outcome = run("watch", "--json", *arguments)
    assert outcome.exit_code == code, outcome.output
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def test_a_fragile_stack_has_no_circuit_and_is_well(outputs: Callable[..., None]) -> None:
    outputs(ledgerTable=TABLE, url="https://x")
    text = said("watch", *AWS)
    assert text.split("ledger selfheal-dev-ledger. ")[-1].startswith("WELL ")
    assert "mode act budget 0 of 12 used in 24 h" in text
    assert "Alarms 1 OK (fragile)" in text
    assert not {"Circuits", "Queues", "letters", "!"} & {*text.split()}


def test_everything_that_the_outputs_name_is_shown(outputs: Callable[..., None]) -> None:
    create_table(CIRCUIT)
    store = Store(client(), CIRCUIT, "payments")
    store.replace(Circuit("payments"), Circuit("payments").opened(time.time(), 0.5, BreakerSettings()))
    sqs = boto3.client("sqs", region_name="us-east-1")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("intake", "dead")}
    for url in urls.values():
        sqs.send_message(QueueUrl=url, MessageBody="the secret of an order")
    put(verifying(opened_at=later(-2)))
    outputs(
        ledgerTable=TABLE,
        circuits={"payments": CIRCUIT},
        queues={"intake": urls["intake"]},
        deadLetters={"dead": urls["dead"]},
    )
    text = said("watch", "--once", *AWS, code=3)
    for words in (
        "TROUBLE 1 incident, 1 circuit, 1 letter",
        "! fragile VERIFYING 2m0",
        "environment:FAILURE_RATE 0.3 → 0",
        "OPEN → VERIFYING mode-forbids-acting",
        f"> selfheal incidents show fragile {' '.join(AWS)}",
        "! payments open",
        "1 opening, probed in",
        "! dead 1",
        "> selfheal dlq show dead",
        "intake 1 0 0",
    ):
        assert words in text, text
    [picture] = pictures("--once", *AWS, code=3)
    assert picture["incidents"][0]["target"] == "fragile"
    assert picture["queues"] == [{"name": "intake", "waiting": 1, "in_flight": 0, "delayed": 0}]
    assert "secret" not in text + json.dumps(picture)


def test_with_a_ledger_only_it_is_said_what_is_not_known() -> None:
    text = said("watch", "--ledger", TABLE, *AWS, code=3)
    assert "UNKNOWN 1 unknown" in text
    assert "! circuits, queues and dead letters are not known: there is no Pulumi CLI" in text
    assert "Alarms 1 OK (fragile)" in text


def test_the_outputs_of_another_stack_are_not_mixed_with_a_ledger_that_is_named(
    outputs: Callable[..., None],
) -> None:
    outputs(ledgerTable="another", circuits={"payments": CIRCUIT})
    [picture] = pictures("--once", "--ledger", TABLE, *AWS, code=3)
    assert picture["circuits"] == []
    assert picture["problems"] == [
        "circuits, queues and dead letters are not known: the stack dev has another ledger"
    ]


def test_outputs_that_are_not_as_they_should_be_are_refused(outputs: Callable[..., None]) -> None:
    outputs(ledgerTable=TABLE, circuits=["payments"])
    assert "the output circuits must be an object of texts by name" in said("watch", *AWS, code=1)


@pytest.mark.parametrize("how", [(), ("--once",), ("--json",)])
def test_a_table_that_there_is_not_is_an_error_with_what_to_do(how: tuple[str, ...]) -> None:
    text = said("watch", *how, "--ledger", "nowhere", *AWS, code=1)
    assert f"There is no table nowhere in us-east-1. Ledgers there: {TABLE}. Name the table with" in text
    assert "UNKNOWN" not in text


def test_a_table_that_goes_meanwhile_ends_nothing_and_is_never_taken_for_well(
    outputs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs(ledgerTable=TABLE)

    class Gone(After):
        def sleep(self, seconds: float) -> None:
            if not self.seconds:
                client().delete_table(TableName=TABLE)
            super().sleep(seconds)

    monkeypatch.setattr(watch, "time", Gone(2, KeyboardInterrupt()))
    before, after = pictures(*AWS)
    assert before["stack"]["mode"] == "act"
    assert after["stack"]["mode"] is None
    assert "could not read what was deployed: ResourceNotFoundException" in "".join(after["problems"])


class After:
    """In the place of `time`: its n-th sleep is ended by a signal."""

    def __init__(self, calls: int, signalled: BaseException) -> None:
        self.calls, self.signalled = calls, signalled
        self.seconds: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == self.calls:
            raise self.signalled


def test_json_is_a_picture_a_line_until_ctrl_c_which_ends_it_well(
    outputs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs(ledgerTable=TABLE)
    wait = After(3, KeyboardInterrupt())
    monkeypatch.setattr(watch, "time", wait)
    found = pictures("--every", "7", *AWS)
    assert len(found) == 3
    assert wait.seconds == [7, 7, 7]
    assert found[0]["at"] <= found[2]["at"]
    monkeypatch.setattr(watch, "time", After(1, Terminated()))
    assert pictures(*AWS, code=143)[-1]["exit_code"] == 143


def test_a_terminal_shows_each_picture_and_keeps_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Screen.make(force_terminal=True, _environ={"TERM": "xterm-256color"})
    monkeypatch.setattr(watch, "time", After(2, KeyboardInterrupt()))
    modes = iter(("act", "observe"))
    watch.show(output, lambda: Picture(later(0), next(modes)), 1, " --aws")
    assert "mode act" in output.text
    screen, _, kept = output.text.rpartition("\x1b[?1049l")
    assert "mode observe" in screen
    assert "mode observe" in kept
    assert "mode act" not in kept


def test_a_picture_that_is_late_is_said_to_be_old() -> None:
    output = Screen.make(force_terminal=True)
    shown = watch.Shown(output, "", 2)
    output.people.print(shown())
    assert "reading" in output.text
    shown.picture, shown.read_at = Picture(later(0), "act"), time.monotonic() - 9
    output.people.print(shown())
    assert "OLD" not in output.text
    shown.read_at = time.monotonic() - 31
    output.people.print(shown())
    assert "31 s OLD" in output.text
