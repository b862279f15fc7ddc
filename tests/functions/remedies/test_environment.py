import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer import remedies
from selfheal.functions.healer.target import Setting
from selfheal.functions.shared.contract import owner
from tests.functions.support.faults import CANARY
from tests.functions.support.remedy_fakes import RemedyLambda, Tried


@pytest.fixture
def remedy() -> Tried:
    return Tried("environment")


def test_it_sets_the_one_variable_and_keeps_every_other_and_reverts(remedy: Tried) -> None:
    live = remedy.read()
    assert (live.value, live.token, live.settled) == ("0.3", "1", True)
    assert remedy.write(live, "0") is None
    assert remedy.function.variables == {"FAILURE_RATE": "0", "TOKEN": CANARY, "OTHER": "kept"}
    applied = remedy.read()
    assert applied.value == "0"
    assert remedy.write(applied, "0.3") is None
    assert remedy.function.variables == {"FAILURE_RATE": "0.3", "TOKEN": CANARY, "OTHER": "kept"}


def test_a_concurrent_change_wins_and_nothing_is_written(remedy: Tried) -> None:
    live = remedy.read()
    remedy.function.before = lambda: remedy.function.change(ADDED="1")
    assert remedy.write(live, "0") == "PreconditionFailedException"
    assert remedy.function.variables["FAILURE_RATE"] == "0.3"


def test_an_error_while_reading_is_raised(remedy: Tried) -> None:
    remedy.function.refuse = {"get_function_configuration": "AccessDeniedException"}
    with pytest.raises(ClientError):
        remedy.read()


def test_an_environment_that_could_not_be_decrypted_is_not_written() -> None:
    remedy = Tried("environment", RemedyLambda(readable=False))
    live = remedy.read()
    assert live.value is None
    assert live.configuration is not None
    assert not live.configuration.readable
    with pytest.raises(ValueError, match="could not be read"):
        remedy.write(live, "0")
    assert remedy.function.actions["lambda:UpdateFunctionConfiguration"] == 0


def test_a_variable_is_never_taken_away(remedy: Tried) -> None:
    with pytest.raises(ValueError, match="never taken away"):
        remedy.write(remedy.read(), None)
    assert remedy.function.variables["FAILURE_RATE"] == "0.3"


def test_a_missing_variable_has_no_value_and_a_missing_function_does_not_exist() -> None:
    remedy = Tried("environment", RemedyLambda(variables={"OTHER": "kept"}))
    assert (remedy.read().value, remedy.read().exists) == (None, True)
    remedy.function.exists = False
    assert not remedy.read().exists
    with pytest.raises(ValueError, match="could not be read"):
        remedy.write(remedy.read(), "0")


def test_secrets_do_not_show_when_what_was_read_is_printed(remedy: Tried) -> None:
    assert CANARY not in repr(remedy.read())


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named(remedy: Tried) -> None:
    unknown, live = Setting("restart", ""), remedy.read()
    for call in (
        lambda: remedies.read(remedy.aws, remedy.target, unknown),
        lambda: remedies.write(remedy.aws, remedy.target, unknown, live, "0"),
        lambda: owner("restart"),
    ):
        with pytest.raises(ValueError, match=r"'restart'.*environment, override"):
            call()
