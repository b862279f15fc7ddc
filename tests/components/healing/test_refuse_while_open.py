"""What a program and a Healer ask the ledger before a deployment, and what they do with the answer."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.healing.healer import Healer
from selfheal.components.healing.refuse_while_open import WhileOpen, open_targets, refuse_while_open
from selfheal.functions.shared.contract import FLEET_KEY, MODE_KEY, Mode, incident_key
from tests.components.support.deployments import target
from tests.support.pulumi_mocks import Deployment, RefusedError, deploy

TOKEN = "aws:dynamodb/getTableItem:getTableItem"
Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def item(content: Any) -> Answer:
    return lambda _: {"item": json.dumps(content)}


def error(text: str) -> Answer:
    def answer(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError(text)

    return answer


NO_TABLE = error("reading Amazon DynamoDB Table Item (selfheal|fleet): couldn't find resource")
NO_ITEM = error("reading Amazon DynamoDB Table Item (selfheal|fleet): empty result")
DENIED = error("operation error DynamoDB: GetItem, AccessDeniedException: not authorized")
OPEN = item({"pk": {"S": "fleet"}, "sk": {"S": "open"}, "targets": {"SS": ["users", "orders"]}})
CLOSED = item({"pk": {"S": "fleet"}, "sk": {"S": "open"}})


def asked(answer: Answer) -> list[str]:
    found: list[list[str]] = []
    deploy(lambda: found.append(open_targets("ledger")), invokes={TOKEN: answer})
    return found[0]


def guarded(answer: Answer, *, preview: bool = False, restore: bool = False) -> Deployment:
    return deploy(lambda: refuse_while_open("ledger", restore), preview=preview, invokes={TOKEN: answer})


@pytest.mark.parametrize("answer", [NO_TABLE, NO_ITEM, CLOSED])
def test_no_table_no_item_and_no_targets_mean_nothing_is_open(answer: Answer) -> None:
    assert asked(answer) == []
    assert guarded(answer).warnings == []


def test_it_asks_for_the_item_that_the_healer_writes() -> None:
    seen: list[Mapping[str, Any]] = []

    def answer(args: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(args)
        return {"item": "{}"}

    assert asked(answer) == []
    assert seen[0]["tableName"] == "ledger"
    assert json.loads(seen[0]["key"]) == FLEET_KEY


def test_open_targets_are_named() -> None:
    assert asked(OPEN) == ["orders", "users"]


def test_up_is_refused_while_an_incident_is_open() -> None:
    with pytest.raises(
        ComponentError,
        match=r"open on orders, users: .*`selfheal rollback`.* `pulumi config set restoreBaseline true`",
    ):
        guarded(OPEN)


def test_preview_warns() -> None:
    [warning] = guarded(OPEN, preview=True).warnings
    assert "open on orders, users" in warning
    assert "`up` will be refused" in warning


@pytest.mark.parametrize("answer", [OPEN, DENIED])
def test_people_may_decide_to_restore_the_baseline(answer: Answer) -> None:
    [warning] = guarded(answer, restore=True).warnings
    assert "restoreBaseline is true" in warning


@pytest.mark.parametrize("answer", [DENIED, item([]), item({"targets": "?"}), lambda _: {"item": "no json"}])
def test_what_cannot_be_read_refuses_up_and_warns_at_preview(answer: Answer) -> None:
    with pytest.raises(ComponentError, match="the ledger ledger could not be read, so it is not known"):
        guarded(answer)
    [warning] = guarded(answer, preview=True).warnings
    assert "could not be read" in warning


def test_mode_observe_goes_on_and_leaves_what_remedies_change() -> None:
    def program() -> None:
        refuse_while_open("ledger", mode=Mode.OBSERVE)
        function = aws.lambda_.Function("orders", role="arn:aws:iam::1:role/r")
        aws.lambda_.Alias("live", name="live", function_name=function.name, function_version="1")
        aws.sqs.Queue("queue")
        Healer("healer", {"targets": [target()], "ledger_name": "ledger", "mode": Mode.OBSERVE})

    deployment = deploy(program, invokes={TOKEN: OPEN})
    left = {each.name: each.ignored for each in deployment.resources if each.ignored}
    assert left == {"orders": ("environment", "reservedConcurrentExecutions"), "live": ("functionVersion",)}
    assert "leaves what remedies change as it is" in deployment.warnings[0]


@pytest.mark.parametrize("mode", [Mode.SUGGEST, Mode.ACT])
def test_other_modes_are_refused(mode: Mode) -> None:
    with pytest.raises(ComponentError, match="an incident is open"):
        deploy(lambda: refuse_while_open("ledger", mode=mode), invokes={TOKEN: OPEN})


def healer(
    answer: Answer, *, preview: bool = False, asks: bool = False, protect: bool = True, **args: Any
) -> Deployment:
    def program() -> None:
        if asks:
            refuse_while_open("ledger", args.pop("restore", False))
        given = {"targets": [target()], "ledger_name": "ledger", "protect_ledger": protect, **args}
        Healer("healer", given)  # pyright: ignore[reportArgumentType]

    return deploy(program, preview=preview, invokes={TOKEN: answer})


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("answer", [OPEN, DENIED])
def test_a_healer_refuses_where_the_program_did_not_ask(answer: Answer, preview: bool) -> None:
    with pytest.raises(ComponentError, match=r"refuse_while_open\('ledger'\) before its first resource"):
        healer(answer, preview=preview)


@pytest.mark.parametrize("answer", [OPEN, DENIED])
def test_a_healer_leaves_it_to_a_program_that_asked(answer: Answer) -> None:
    [warning] = healer(answer, preview=True, asks=True).warnings
    assert "`up` will be refused" in warning
    [warning] = healer(answer, asks=True, restore=True).warnings
    assert "restoreBaseline is true" in warning


def test_a_healer_refuses_what_began_after_the_program_asked() -> None:
    answers = [OPEN, CLOSED]

    def answer(args: Mapping[str, Any]) -> Mapping[str, Any]:
        return answers.pop()(args)

    with pytest.raises(ComponentError, match="an incident is open on orders, users"):
        healer(answer, asks=True)


def test_a_healer_only_warns_of_a_pull_request() -> None:
    [warning] = healer(OPEN, preview=True, while_open=WhileOpen.WARN, mode=Mode.ACT).warnings
    assert "while_open is warn" in warning
    with pytest.raises(ComponentError, match="an incident is open"):
        healer(OPEN, while_open=WhileOpen.WARN, mode=Mode.ACT)
    [warning] = healer(OPEN, while_open=WhileOpen.WARN, mode=Mode.OBSERVE).warnings
    assert "deploy the healer alone" in warning


def test_a_healer_lets_people_restore_the_baseline() -> None:
    for preview in (True, False):
        [warning] = healer(OPEN, preview=preview, while_open=WhileOpen.RESTORE_BASELINE).warnings
        assert "while_open is restore-baseline: `up` goes on" in warning


@pytest.mark.slow
def test_what_a_ledger_without_protection_would_lose_is_said() -> None:
    items = {
        json.dumps(MODE_KEY): {"mode": {"S": "observe"}},
        json.dumps(FLEET_KEY): {"standing": {"SS": ["orders"]}},
        json.dumps(incident_key("orders")): {"status": {"S": "ESCALATED"}, "hold": {"M": {}}},
    }

    def answer(args: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"item": json.dumps(items[args["key"]])}

    [warning] = healer(answer, preview=True, protect=False).warnings
    for lost in ("the mode override observe", "the hold on orders", "stand on orders", "incidents of orders"):
        assert lost in warning
    assert healer(answer, preview=True).warnings == []
    assert healer(NO_TABLE, preview=True, protect=False).warnings == []
    assert healer(NO_ITEM, preview=True, protect=False).warnings == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("options: {refresh: always}", None),
        ("options: {refresh: true}", "got refresh: True"),
        ("options: {}", "got no refresh"),
        ("", "got no refresh"),
        ("options: [", None),
    ],
)
def test_a_project_without_refresh_is_told(
    options: str, said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: shop\nruntime: python\n{options}\n")
    monkeypatch.chdir(tmp_path)  # the folder of the project in these tests
    warnings = healer(NO_TABLE, preview=True).warnings
    assert [said in warning for warning in warnings if said] == [True] * bool(said)
    assert len(warnings) == bool(said)
