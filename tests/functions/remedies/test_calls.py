"""What the kinds call is what `remedies.json` says: no more, and nothing in vain."""

from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.shared.contract import REMEDIES, owner
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.remedy_fakes import (
    CALLS_THROUGH,
    INCIDENT,
    RecordingDynamoDb,
    RemedyLambda,
    Tried,
    aws_for,
    target_with,
)

LEDGER = {"dynamodb:GetItem"}
"""What the healer may do on the whole table anyway, for its ledger."""


@pytest.fixture
def aws() -> Aws:
    table = MemoryTable()
    Ledger(table, "ledger").write(None, None, INCIDENT)
    return aws_for(RemedyLambda(), RecordingDynamoDb(table, Counter()))


def listed(kind: str, access: str) -> set[str]:
    remedy = REMEDIES[kind]
    calls = remedy["reads"] if access == "reads" else remedy["writes"]
    return {action for call in calls for action in call["actions"]}


def called(aws: Aws) -> set[str]:
    """What was called since the last time."""
    recorders: tuple[Any, Any] = (aws.lambda_, aws.dynamodb)
    actions: set[str] = set()
    for recorder in recorders:
        actions |= set(recorder.actions)
        recorder.actions.clear()
    return actions


def test_every_kind_of_the_file_is_built_and_the_other_way_round() -> None:
    assert list(remedies.KINDS) == list(REMEDIES)


def test_every_kind_has_an_owner() -> None:
    assert {kind: owner(kind) for kind in REMEDIES} == {
        "environment": "pulumi",
        "override": "runtime",
        "rollback_alias": "pulumi",
        "limit_concurrency": "pulumi",
        "pause_consumer": "runtime",
        "force_breaker": "runtime",
    }


@pytest.mark.parametrize("kind", sorted(REMEDIES))
def test_a_kind_calls_what_the_file_lists(kind: str, aws: Aws) -> None:
    if kind == "force_breaker":
        aws.lambda_.change(**CALLS_THROUGH)
    target = target_with(kind)
    remedy = target.remedies[0]
    live = remedies.read(aws, target, remedy.setting)
    assert called(aws) - LEDGER == listed(kind, "reads") - LEDGER
    assert remedies.write(aws, target, remedy.setting, live, remedy.value or live.candidate) is None
    written = called(aws)
    if kind == "pause_consumer":
        aws.lambda_.mapping = "Disabled"
    applied = remedies.read(aws, target, remedy.setting)
    called(aws)
    assert remedies.write(aws, target, remedy.setting, applied, live.value) is None
    written |= called(aws)
    assert written - listed(kind, "reads") == listed(kind, "writes")


@pytest.mark.parametrize("kind", sorted(REMEDIES))
def test_every_kind_says_its_five_things(kind: str) -> None:
    doc = str(import_module(f"{remedies.__name__}.{kind}").__doc__)
    for heading in (
        "Reads and writes:",
        "Value before:",
        "Already applied:",
        "Reverts:",
        "Concurrency guarantee:",
    ):
        assert f"\n{heading} " in doc, heading


@pytest.mark.parametrize(
    ("kind", "value", "method"),
    [
        ("environment", "0", "update_function_configuration"),
        ("rollback_alias", "3", "update_alias"),
        ("limit_concurrency", "0", "put_function_concurrency"),
        ("limit_concurrency", None, "delete_function_concurrency"),
        ("pause_consumer", "Disabled", "update_event_source_mapping"),
    ],
)
def test_refusals_are_told_from_errors(kind: str, value: str | None, method: str) -> None:
    """What AWS rejects is returned, for now or for good; any other error is raised."""
    remedy = Tried(kind)
    live = remedy.read()
    for code in ("TooManyRequestsException", "ResourceConflictException", "ResourceInUseException"):
        remedy.function.refuse = {method: code}
        assert remedy.write(live, value) == code
        assert code not in remedies.REFUSED
    for code in (
        "AccessDeniedException",
        "InvalidParameterValueException",
        "CodeVerificationFailedException",
    ):
        remedy.function.refuse = {method: code}
        assert remedy.write(live, value) == code
        assert code in remedies.REFUSED
    for code in ("ServiceException", "ExpiredTokenException"):
        remedy.function.refuse = {method: code}
        with pytest.raises(ClientError):
            remedy.write(live, value)
