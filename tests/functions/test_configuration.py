from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.live import Configuration
from selfheal.functions.healer.remedies.common import look
from selfheal.functions.healer.target import Remedy
from tests.functions.support.remedy_fakes import RemedyLambda
from tests.functions.support.world import TARGET

SET = (Remedy("environment", "FAILURE_RATE", "0"),)


def read(function: Any, remedies: tuple[Remedy, ...] = SET) -> Configuration | None:
    aws = Aws(None, function, None, Ledger(None, ""), "", None, "", None)
    return look(aws, replace(TARGET, remedies=remedies))


def seen(function: RemedyLambda, remedies: tuple[Remedy, ...] = SET) -> Configuration:
    found = read(function, remedies)
    assert found is not None
    return found


def test_the_hash_ignores_what_remedies_set_and_sees_every_other_variable() -> None:
    function = RemedyLambda()
    first = seen(function).config_hash
    function.variables["FAILURE_RATE"] = "0"
    assert seen(function).config_hash == first
    assert seen(function, ()).config_hash != first
    del function.variables["FAILURE_RATE"]
    assert seen(function).config_hash == first
    function.variables["OTHER"] = "changed"
    assert seen(function).config_hash != first


@pytest.mark.parametrize(
    ("changed", "deployed"),
    [
        ({"RevisionId": "9"}, False),
        ({"LastModified": "2026-11-21T09:40:10.000+0000"}, False),
        (
            {"LastUpdateStatus": "InProgress", "LastUpdateStatusReason": "The function is being created."},
            False,
        ),
        ({"State": "Inactive", "StateReasonCode": "Idle"}, False),
        ({"ConfigSha256": "with the environment"}, False),
        ({"RuntimeVersionConfig": {"RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:new"}}, False),
        ({"CodeSha256": "other", "CodeSize": 2}, False),
        ({"Timeout": 9}, True),
        ({"Role": "arn:r"}, True),
        ({"Layers": [{"Arn": "arn:l"}]}, True),
        ({"Handler": "b.c"}, True),
    ],
)
def test_the_hash_changes_with_deployments_only(changed: dict[str, Any], deployed: bool) -> None:
    differs = seen(RemedyLambda(extra=changed)).config_hash != seen(RemedyLambda()).config_hash
    assert differs is deployed


def test_code_is_hashed_apart() -> None:
    assert seen(RemedyLambda()).code_hash == "code"


@pytest.mark.parametrize(
    ("status", "state", "settled"),
    [
        ("Successful", "Active", True),
        ("Failed", "Active", True),
        ("Successful", "Inactive", True),
        ("InProgress", "Active", False),
        ("Successful", "Pending", False),
        ("Successful", "Deleting", False),
    ],
)
def test_an_update_in_progress_is_not_settled(status: str, state: str, settled: bool) -> None:
    assert seen(RemedyLambda(status=status, state=state)).settled is settled


def test_an_environment_that_could_not_be_decrypted_is_unreadable_and_not_empty() -> None:
    assert not seen(RemedyLambda(readable=False)).readable
    assert seen(RemedyLambda(variables={})).readable


def test_a_function_without_environment_is_readable() -> None:
    class Bare:
        def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
            return {"FunctionName": FunctionName, "CodeSha256": "code", "RevisionId": "1"}

    found = read(Bare())
    assert found is not None
    assert (found.readable, found.settled, dict(found.variables)) == (True, True, {})


def test_a_function_that_is_gone_is_none_and_any_other_error_is_raised() -> None:
    assert read(RemedyLambda(exists=False)) is None
    denied = RemedyLambda(refuse={"get_function_configuration": "AccessDeniedException"})
    with pytest.raises(ClientError):
        read(denied)
