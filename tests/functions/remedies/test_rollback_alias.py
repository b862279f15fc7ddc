import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer import remedies
from selfheal.functions.healer.live import Live
from tests.functions.support.remedy_fakes import RemedyLambda, aws_for, target_with

TARGET = target_with("rollback_alias")
SETTING = TARGET.remedies[0].setting


def read(function: RemedyLambda) -> Live:
    return remedies.read(aws_for(function), TARGET, SETTING)


def write(function: RemedyLambda, live: Live, value: str | None) -> str | None:
    return remedies.write(aws_for(function), TARGET, SETTING, live, value)


@pytest.mark.parametrize(
    ("current", "candidate"), [("10", "4"), ("4", "3"), ("3", "1"), ("1", None), ("$LATEST", None)]
)
def test_the_candidate_is_the_published_version_next_below(current: str, candidate: str | None) -> None:
    function = RemedyLambda()
    function.point_alias(current)
    live = read(function)
    assert (live.value, live.candidate) == (current, candidate)


def test_it_rolls_back_and_forth() -> None:
    function = RemedyLambda()
    live = read(function)
    assert write(function, live, live.candidate) is None
    back = read(function)
    assert (back.value, back.candidate) == ("3", "1")
    assert back.token != live.token
    assert back.configuration == live.configuration
    assert write(function, back, live.value) is None
    assert read(function).value == "4"


def test_a_deployment_that_moves_the_alias_first_wins() -> None:
    function = RemedyLambda()
    live = read(function)
    function.before = lambda: function.point_alias("10")
    assert write(function, live, "3") == "PreconditionFailedException"
    assert read(function).value == "10"


def test_a_weighted_rollout_is_not_settled() -> None:
    function = RemedyLambda()
    assert function.alias is not None
    function.alias |= {"RoutingConfig": {"AdditionalVersionWeights": {"10": 0.1}}}
    assert not read(function).settled
    function.alias |= {"RoutingConfig": {"AdditionalVersionWeights": {}}}
    assert read(function).settled
    function.alias |= {"RoutingConfig": None}
    assert read(function).settled


def test_without_function_or_alias_there_is_nothing_to_change() -> None:
    function = RemedyLambda(alias=None)
    assert not read(function).exists
    assert not read(RemedyLambda(exists=False)).exists


def test_a_version_that_was_deleted_meanwhile_is_refused() -> None:
    function = RemedyLambda()
    live = read(function)
    function.versions.remove("3")
    assert write(function, live, "3") == "ResourceNotFoundException"
    assert read(function).value == "4"


@pytest.mark.parametrize("value", [None, "", "$LATEST", "-1", "3.0"])
def test_only_a_published_version_is_written(value: str | None) -> None:
    function = RemedyLambda()
    with pytest.raises(ValueError, match="published version"):
        write(function, read(function), value)
    assert function.actions["lambda:UpdateAlias"] == 0


def test_refusals_are_told_from_errors() -> None:
    function = RemedyLambda(refuse={"update_alias": "TooManyRequestsException"})
    assert write(function, read(function), "3") == "TooManyRequestsException"
    function.refuse = {"update_alias": "AccessDeniedException"}
    with pytest.raises(ClientError):
        write(function, read(function), "3")
