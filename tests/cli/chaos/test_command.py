"""`selfheal chaos` as typed, on a ledger that moto keeps: what is refused, recorded, undone, judged and told.

What is broken is the downstream's switch, which is real; the run itself is a fake, whose phases have tests of
their own.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from selfheal.cli.chaos import experiment, undo
from selfheal.cli.chaos.approval import Approvals
from selfheal.cli.chaos.record import Records, RunItem, Undo
from selfheal.cli.chaos.recording import Recording
from selfheal.cli.chaos.rules import digest_of, with_percent
from selfheal.cli.chaos.run import Run
from selfheal.cli.chaos.stack import Stack
from selfheal.cli.errors import CliError, Terminated
from selfheal.functions.downstream.core import Mode, Setting
from selfheal.functions.downstream.store import Store, setting_item
from selfheal.scenarios.scenario import load, shipped
from tests.cli.chaos.support import by_key, look, order, picture, put, replace
from tests.cli.support import TABLE, client, create_table, run, said, told, words

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stack")]

DOWNSTREAM = "orders-downstream-1a2b"
ME = "arn:aws:sts::123456789012:user/moto"
BOB = "arn:aws:iam::123456789012:user/bob"
OUTPUTS = {
    "url": "https://example.test/v1",
    "ordersTable": "orders",
    "downstreamTable": DOWNSTREAM,
    "circuits": {"orders-downstream": "circuit"},
    "deadLetters": {"billing": "https://sqs.test/billing"},
    "ledgerTable": TABLE,
    "sandbox": True,
}
SMALL = """
schema: 1
title: A share of the calls fails
story: Some calls fail.
fault: {kind: downstream, mode: errors, share: 0.2}
traffic: {per_second: 5, callers: 1}
before_seconds: 5
fault_seconds: 10
after_seconds: 10
hypothesis: [{measure: accepted_share, at_least: 1, why: stored first}]
"""


@dataclass
class Scripted:
    """The run: what happens while the fault lasts, and what is recorded then."""

    during: Callable[[], object] = lambda: None
    changes: Callable[[Recording], dict[str, Any]] = lambda _: {}
    seen: Recording | None = None
    setting: dict[str, str] | None = None
    """Of the downstream, while the fault lasted."""
    record: RunItem | None = None
    ran: int = 0


@pytest.fixture
def script() -> Scripted:
    return Scripted()


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dynamodb: Any, script: Scripted) -> None:
    create_table(DOWNSTREAM, dynamodb)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    (tmp_path / "tokens.json").write_text(json.dumps({"ann": "t" * 32}))
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.setattr(Stack, "picture", lambda _: picture())  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr(experiment, "not_ready", lambda *_: "")  # pyright: ignore[reportUnknownLambdaType]

    class Scene(Run):
        def go(self) -> Recording:
            script.ran += 1
            script.record = records().read()
            self.allow()
            self.is_undone = False
            try:
                self.way.make()
                script.setting = Store(client(), DOWNSTREAM).setting()
                script.during()
            finally:
                self.undo(self.way.undo)
                self.is_undone = True
            puts = tuple(put(number, number / 5) for number in range(40))
            made = replace(
                self.recording,
                puts=puts,
                orders=by_key(*(order(number, done=1) for number in range(40))),
                looks=(look(0), look(25)),
                calls=(),
                fault_began=5.0,
                fault_ended=15.0,
                ended=25.0,
            )
            script.seen = replace(made, **script.changes(made))
            return script.seen

    monkeypatch.setattr(experiment, "Run", Scene)


def records() -> Records:
    return Records(client(), TABLE)


def where(stack: str = "orders") -> list[str]:
    return ["--aws", "--region", "us-east-1", "--outputs", "outputs.json", "--stack", stack]


@pytest.fixture
def production(stack: None) -> None:
    """The stack does not say that it is a sandbox."""
    _ = stack  # whose outputs these replace
    outputs = {name: value for name, value in OUTPUTS.items() if name != "sandbox"}
    Path("outputs.json").write_text(json.dumps(outputs))


def chaos(verb: str, *arguments: str, stack: str = "orders") -> list[str]:
    tokens = ["--tokens-file", "tokens.json", "--out", "report"] if verb == "run" else []
    return ["chaos", verb, *arguments, *tokens, *where(stack)]


def broken() -> dict[str, str]:
    return Store(client(), DOWNSTREAM).setting()


def leave_behind(*, alive: float) -> RunItem:
    """Leave what a killed run leaves: a record, and the fault."""
    until = time.time() + 300
    left = RunItem(
        "left", "big", BOB, "2026-11-26T12:00:00.000Z", time.time() + alive, until,
        (Undo("switch", {"table": DOWNSTREAM, "until": repr(until)}),),
    )  # fmt: skip
    records().begin(left)
    client().put_item(TableName=DOWNSTREAM, Item=setting_item(Setting(mode=Mode.OUTAGE), until))
    return left


def test_the_list_says_what_breaks_and_where() -> None:
    listed = run("chaos", "list")
    assert listed.exit_code == 0
    for each in shipped():
        assert each.name in listed.output
    assert "sandbox only: nobody can kill an execution environment" in words(listed)
    found = {each["name"]: each for each in told("chaos", "list")}
    assert found["consumer-killed"]["only_in_sandbox"] is True
    assert found["third-party-out"]["fault"] == "downstream: outage"
    assert found["billing-fails"]["percent"] == 20


def test_a_hypothesis_that_holds(script: Scripted) -> None:
    text = said(*chaos("run", "small.yaml"))
    assert "✓ accepted_share at least 1: 1" in text
    assert "holds. All 1 expectations" in text
    assert "made by the downstream's switch" in text
    assert json.loads(Path("report/report.json").read_text())["verdict"] == "holds"
    assert "A share of the calls fails" in Path("report/report.html").read_text()
    # While it lasted: recorded first, and only what the scenario says.
    assert script.record is not None
    assert (script.record.scenario, script.record.by) == ("small", ME)
    assert script.setting is not None
    assert (script.setting["mode"], script.setting["share"]) == ("errors", "0.2")
    assert "rate" not in script.setting
    [undo] = script.record.undo
    assert undo.where["until"] == repr(float(script.setting["until"]))
    assert (broken(), records().read()) == ({}, None)


@pytest.mark.parametrize(
    ("changes", "code", "verdict"),
    [
        ({"puts": tuple(put(number, 1, 500) for number in range(40))}, 3, "fails"),
        ({"puts": ()}, 1, "inconclusive"),
        ({"stopped": "an alarm"}, 1, "stopped"),
        ({"fault_began": None, "not_started": "it is not well"}, 1, "not started"),
    ],
)
def test_only_a_hypothesis_that_holds_ends_with_0(
    changes: dict[str, Any], code: int, verdict: str, script: Scripted
) -> None:
    script.changes = lambda _: changes
    assert told(*chaos("run", "small.yaml"), code=code)["verdict"] == verdict
    assert records().read() is None


def test_a_stack_that_is_not_well_gets_no_record(script: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "not_ready", lambda *_: "the circuit is open")  # pyright: ignore[reportUnknownLambdaType]
    assert "not started. Nothing was broken: the circuit is open." in said(
        *chaos("run", "small.yaml"), code=1
    )
    assert (script.ran, records().read()) == (0, None)


@pytest.mark.parametrize(("signalled", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_a_signal_ends_with_its_code_after_all_is_undone(
    signalled: type[BaseException], code: int, script: Scripted
) -> None:
    def interrupt() -> None:
        raise signalled

    script.during = interrupt
    text = said(*chaos("run", "small.yaml"), code=code)
    assert "the downstream's switch in orders-downstream-1a2b is gone" in text
    assert (broken(), records().read()) == ({}, None)


def test_what_cannot_be_undone_keeps_its_record(script: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise CliError("no way")

    monkeypatch.setattr(undo, "UNDO", {"switch": refuse})
    assert "Not undone" in said(*chaos("run", "small.yaml"), code=1)
    assert broken()["mode"] == "errors"
    left = records().read()
    assert left is not None
    assert left.undo[0].kind == "switch"
    assert script.ran == 1


def test_a_run_undoes_first_what_a_killed_one_left(script: Scripted) -> None:
    leave_behind(alive=-1)
    text = said(*chaos("run", "small.yaml"))
    assert f"The run of big by {BOB}, begun 2026-11-26T12:00:00.000Z, was killed." in text
    assert text.index("is gone") < text.index("Sending the first orders")
    assert script.setting is not None
    assert script.setting["mode"] == "errors"
    assert (broken(), records().read()) == ({}, None)


def test_one_run_at_a_time(script: Scripted) -> None:
    left = leave_behind(alive=15)
    text = said(*chaos("run", "small.yaml"), code=1)
    assert f"big is run in orders by {BOB}" in text
    assert (script.ran, records().read()) == (0, left)
    assert broken()["mode"] == "outage"


def test_stop_undoes_what_was_left_behind() -> None:
    leave_behind(alive=-1)
    assert "Nothing is broken any more" in said(*chaos("stop"))
    assert (broken(), records().read()) == ({}, None)
    assert "No run is under way" in said(*chaos("stop"))
    assert told(*chaos("stop")) == {"ended": False}


def test_stop_undoes_at_once_and_waits_for_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(alive=60)
    seen: list[Any] = []

    def meanwhile(_seconds: float) -> None:
        """The run hears of the stop when it renews its record, and ends."""
        seen.append((broken(), records().renew("left", time.time() + 60)))
        records().end("left")

    monkeypatch.setattr(experiment.time, "sleep", meanwhile)
    monkeypatch.setattr(experiment.stop, "__defaults__", (meanwhile,))
    assert "Nothing is broken any more" in said(*chaos("stop"))
    assert seen == [({}, ME)]


def test_stop_undoes_again_what_a_run_made_before_it_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    left = leave_behind(alive=60)

    def meanwhile(_seconds: float) -> None:
        item = setting_item(Setting(mode=Mode.OUTAGE), float(left.undo[0].where["until"]))
        client().put_item(TableName=DOWNSTREAM, Item=item)
        records().renew("left", time.time() - 1)

    monkeypatch.setattr(experiment.stop, "__defaults__", (meanwhile,))
    said(*chaos("stop"))
    assert (broken(), records().read()) == ({}, None)


@pytest.mark.parametrize("name", ["consumer-killed", "parameter-store-throttled"])
def test_what_only_the_sandbox_can_break_is_refused_on_aws(name: str, script: Scripted) -> None:
    assert "cannot be run on AWS" in said(*chaos("run", name), code=1)
    assert (script.ran, records().read()) == (0, None)


def test_a_function_is_broken_by_a_template_of_the_stack_only() -> None:
    assert "no experiment template for billing-fails" in said(*chaos("run", "billing-fails"), code=1)


def test_wrong_scenarios_and_missing_tokens_are_explained() -> None:
    assert "third-party-out" in said(*chaos("run", "third-party"), code=1)
    Path("wrong.yaml").write_text(SMALL.replace("measure: accepted", "measure: acepted"))
    assert "acepted" in said(*chaos("run", "wrong.yaml"), code=1)
    missing = said("chaos", "run", "small.yaml", *where(), code=1)
    assert "SELFHEAL_TOKENS" in missing
    assert "pulumi config get callers" in missing


def test_without_a_report_the_verdict_is_said_all_the_same(script: Scripted) -> None:
    Path("report").mkdir()
    Path("report/report.json").write_text("of another run")
    script.during = lambda: Path("report/report.html").mkdir()  # then nothing can be written there
    text = said(*chaos("run", "small.yaml"), code=1)
    assert "holds. All 1 expectations" in text
    assert "The report could not be written to report" in text
    script.during = lambda: None
    script.changes = lambda _: {"puts": tuple(put(number, 1, 500) for number in range(40))}
    assert "fails. Seen otherwise" in said(*chaos("run", "small.yaml"), code=3)
    assert sorted(path.name for path in Path("report").iterdir()) == ["report.html", "report.json"]


def test_a_ledger_that_does_not_answer_at_the_end_costs_no_verdict(
    script: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "later"}}, "DeleteItem")

    monkeypatch.setattr(Records, "end", refuse)
    text = said(*chaos("run", "small.yaml"))
    assert "All is undone, but the run's record could not be deleted" in text
    assert "holds. All 1 expectations" in text
    assert script.ran == 1


def test_an_output_that_nobody_reads_ends_no_run(script: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise SystemExit(1)  # as rich does for a closed pipe

    script.during = lambda: monkeypatch.setattr(Console, "print", closed)
    assert run(*chaos("run", "small.yaml")).exit_code == 0
    assert (broken(), records().read()) == ({}, None)
    assert json.loads(Path("report/report.json").read_text())["verdict"] == "holds"


def test_another_ledger_cannot_be_named() -> None:
    """It would have other approvals, and another run's record."""
    for verb, *given in (("run", "small.yaml"), ("stop",), ("approve", "small.yaml")):
        assert "No such option: --ledger" in said(*chaos(verb, *given), "--ledger", "mine", code=2)


SMALLER = ("small.yaml", "--percent", "10")


def digest(percent: int = 10, stack: str = "orders") -> str:
    return digest_of(with_percent(load("small.yaml"), percent), stack)


@pytest.mark.usefixtures("production")
def test_production_needs_a_small_share_and_an_approval(script: Scripted) -> None:
    for stack in ("orders", "dev"):  # what it is called says nothing
        refused = said(*chaos("run", "small.yaml", stack=stack), code=1)
        assert "in production at most 10 %" in refused
        assert "pulumi config set sandbox true" in refused
        assert "nobody has approved it" in said(*chaos("run", *SMALLER, stack=stack), code=1)
    assert (script.ran, broken()) == (0, {})


def test_a_sandbox_needs_no_approval_whatever_it_is_called(script: Scripted) -> None:
    said(*chaos("run", "small.yaml", stack="prod"))
    assert script.ran == 1
    assert "is a sandbox: a run needs no approval" in said(*chaos("approve", "small.yaml"), code=1)


@pytest.mark.usefixtures("production")
def test_production_with_an_approval_runs_once(script: Scripted) -> None:
    Approvals(client(), TABLE).give(digest(), "small", BOB, "rehearsal", 5)
    found = told(*chaos("run", *SMALLER))
    assert found["setting"]["approved by"] == f"{BOB}, digest {digest()}"
    assert script.setting is not None
    assert script.setting["share"] == "0.1"
    assert f"was used by {ME}" in said(*chaos("run", *SMALLER), code=1)
    assert script.ran == 1


@pytest.mark.usefixtures("production")
def test_an_approval_of_a_smaller_share_or_of_another_stack_is_none(script: Scripted) -> None:
    for approved in (digest(9), digest(stack="other")):
        Approvals(client(), TABLE).give(approved, "small", BOB, "", 5)
        assert "is another experiment" in said(*chaos("run", *SMALLER), code=1)
    assert script.ran == 0


@pytest.mark.usefixtures("production")
def test_who_approves_does_not_run(script: Scripted) -> None:
    approved = told(*chaos("approve", *SMALLER, "--digest", digest(), "--yes"))
    assert (approved["by"], approved["digest"]) == (ME, digest())
    assert "approved it himself" in said(*chaos("run", *SMALLER), code=1)
    assert script.ran == 0


@pytest.mark.usefixtures("production")
def test_an_approval_is_of_what_was_looked_at() -> None:
    asked = run(*chaos("approve", *SMALLER), typed_in="n\n")
    assert asked.exit_code == 1
    assert f"digest {digest()}" in words(asked)
    assert "10 % of the calls" in words(asked)
    text = said(*chaos("approve", *SMALLER, "--digest", digest(9), "-y"), code=1)
    assert "another experiment by now" in text
    assert "in production at most" in said(*chaos("approve", "small.yaml"), code=1)
    said(*chaos("approve", *SMALLER, "-y"), code=2)
    assert run(*chaos("approve", *SMALLER), "--json").exit_code == 2
    with pytest.raises(CliError, match="nobody has approved"):
        Approvals(client(), TABLE).valid(digest(), ME, alone=False)


@pytest.mark.usefixtures("production")
def test_whose_clock_is_wrong_does_not_approve(monkeypatch: pytest.MonkeyPatch) -> None:
    """By it the approval might be valid for hours more."""

    def ahead(_: Stack) -> None:
        raise CliError("This machine's clock is 7200 s ahead of AWS's.")

    monkeypatch.setattr(Stack, "check_clock", ahead)
    assert "7200 s ahead" in said(*chaos("approve", *SMALLER, "--digest", digest(), "-y"), code=1)
    with pytest.raises(CliError, match="nobody has approved"):
        Approvals(client(), TABLE).valid(digest(), ME, alone=False)
