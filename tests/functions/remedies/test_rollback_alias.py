from typing import Any

import pytest

from selfheal.functions.healer import remedies
from selfheal.functions.healer.remedies.rollback_alias import LOOK_BACK
from tests.functions.support.faults import aws_error
from tests.functions.support.remedy_fakes import RemedyLambda, Tried


@pytest.fixture
def remedy() -> Tried:
    return Tried("rollback_alias")


@pytest.mark.parametrize(
    ("current", "candidate"), [("10", "4"), ("4", "3"), ("3", "1"), ("1", None), ("$LATEST", None)]
)
def test_the_candidate_is_the_published_version_next_below(
    remedy: Tried, current: str, candidate: str | None
) -> None:
    remedy.function.point_alias(current)
    live = remedy.read()
    assert (live.value, live.candidate) == (current, candidate)


@pytest.mark.parametrize(
    ("broken", "rejected", "candidate"),
    [
        ({"4": {"State": "Failed"}}, (), "3"),
        ({"4": {"State": "Pending"}, "3": {"State": "Failed"}}, (), "1"),
        ({"4": {"State": "Inactive"}}, (), "4"),
        ({"4": {"LastUpdateStatus": "Failed"}}, (), "3"),
        ({"4": {"LastUpdateStatus": "InProgress"}}, (), "3"),
        ({number: {"State": "Failed"} for number in ("4", "3", "1")}, (), None),
        ({}, ("shop-fn:4",), "3"),
        ({}, ("shop-fn:4", "shop-fn:3"), "1"),
        ({"3": {"State": "Failed"}}, ("shop-fn:4",), "1"),
        ({}, ("shop-fn:4", "shop-fn:3", "shop-fn:1"), None),
        ({}, ("shop:4", "shop-fn-2:4", "shop-fn:"), "4"),
    ],
)
def test_the_candidate_can_run_and_was_not_rolled_away_from(
    remedy: Tried, broken: dict[str, dict[str, str]], rejected: tuple[str, ...], candidate: str | None
) -> None:
    remedy.function.point_alias("10")
    remedy.function.broken = broken
    live = remedies.read(remedy.aws, remedy.target, remedy.setting, rejected)
    assert (live.value, live.candidate) == ("10", candidate)


def test_of_many_versions_that_cannot_run_no_more_than_ten_are_asked(remedy: Tried) -> None:
    remedy.function.versions = [str(number) for number in range(1, 31)]
    remedy.function.broken = {str(number): {"State": "Failed"} for number in range(5, 31)}
    remedy.function.point_alias("30")
    before = remedy.function.actions["lambda:GetFunctionConfiguration"]
    assert remedy.read().candidate is None
    assert remedy.function.actions["lambda:GetFunctionConfiguration"] - before == 1 + LOOK_BACK


def test_a_version_that_is_deleted_while_the_list_is_read_is_no_candidate(remedy: Tried) -> None:
    ask = remedy.function.get_function_configuration

    def gone(FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
        if Qualifier == "3":
            raise aws_error("ResourceNotFoundException")
        return ask(FunctionName, Qualifier)

    remedy.function.get_function_configuration = gone
    assert remedy.read().candidate == "1"


def test_it_rolls_back_and_forth(remedy: Tried) -> None:
    live = remedy.read()
    assert remedy.write(live, live.candidate) is None
    back = remedy.read()
    assert (back.value, back.candidate) == ("3", "1")
    assert back.token != live.token
    assert back.configuration == live.configuration
    assert remedy.write(back, live.value) is None
    assert remedy.read().value == "4"


def test_a_deployment_that_moves_the_alias_first_wins(remedy: Tried) -> None:
    live = remedy.read()
    remedy.function.before = lambda: remedy.function.point_alias("10")
    assert remedy.write(live, "3") == "PreconditionFailedException"
    assert remedy.read().value == "10"


@pytest.mark.parametrize(
    ("routing", "settled"),
    [
        ({"AdditionalVersionWeights": {"10": 0.1}}, False),
        ({"AdditionalVersionWeights": {}}, True),
        (None, True),
    ],
)
def test_a_weighted_rollout_is_not_settled(remedy: Tried, routing: object, settled: bool) -> None:
    assert remedy.function.alias is not None
    remedy.function.alias |= {"RoutingConfig": routing}
    assert remedy.read().settled is settled


@pytest.mark.parametrize("function", [RemedyLambda(alias=None), RemedyLambda(exists=False)])
def test_without_function_or_alias_there_is_nothing_to_change(function: RemedyLambda) -> None:
    assert not Tried("rollback_alias", function).read().exists


def test_a_version_that_was_deleted_meanwhile_is_refused(remedy: Tried) -> None:
    live = remedy.read()
    remedy.function.versions.remove("3")
    assert remedy.write(live, "3") == "ResourceNotFoundException"
    assert remedy.read().value == "4"


@pytest.mark.parametrize("value", [None, "", "$LATEST", "-1", "3.0"])
def test_only_a_published_version_is_written(remedy: Tried, value: str | None) -> None:
    with pytest.raises(ValueError, match="published version"):
        remedy.write(remedy.read(), value)
    assert remedy.function.actions["lambda:UpdateAlias"] == 0
