import pytest

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
