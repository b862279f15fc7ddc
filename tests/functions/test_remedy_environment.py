import pytest
from botocore.exceptions import ClientError

from functions.healer.remedy_environment import read, write
from tests.support.healer_world import CANARY, FakeLambda, aws_error


def test_it_sets_the_one_variable_and_keeps_every_other() -> None:
    function = FakeLambda()
    live = read(function, "shop", "FAILURE_RATE")
    assert write(function, "shop", live, "FAILURE_RATE", "0") is None
    assert function.variables == {"FAILURE_RATE": "0", "TOKEN": CANARY, "OTHER": "kept"}


def test_a_concurrent_change_wins_and_nothing_is_written() -> None:
    function = FakeLambda()
    live = read(function, "shop", "FAILURE_RATE")
    function.change(ADDED="1")
    assert write(function, "shop", live, "FAILURE_RATE", "0") == "PreconditionFailedException"
    assert function.variables["FAILURE_RATE"] == "0.3"


@pytest.mark.parametrize("code", ["ResourceConflictException", "TooManyRequestsException"])
def test_a_refusal_for_now_is_told_from_an_error(code: str) -> None:
    function = FakeLambda()
    live = read(function, "shop", "FAILURE_RATE")

    def refuse() -> None:
        raise aws_error(code)

    function.before_update = refuse
    assert write(function, "shop", live, "FAILURE_RATE", "0") == code


def test_any_other_error_is_raised() -> None:
    function = FakeLambda()
    live = read(function, "shop", "FAILURE_RATE")

    def deny() -> None:
        raise aws_error("AccessDeniedException")

    function.before_update = deny
    with pytest.raises(ClientError):
        write(function, "shop", live, "FAILURE_RATE", "0")


def test_an_environment_that_could_not_be_decrypted_is_not_written() -> None:
    function = FakeLambda(readable=False)
    live = read(function, "shop", "FAILURE_RATE")
    assert (live.readable, live.value) == (False, None)
    with pytest.raises(ValueError, match="could not be read"):
        write(function, "shop", live, "FAILURE_RATE", "0")
    assert function.updates == []


def test_the_hash_ignores_the_remedied_variable_and_sees_every_other() -> None:
    function = FakeLambda()
    first = read(function, "shop", "FAILURE_RATE").config_hash
    function.change(FAILURE_RATE="0")
    assert read(function, "shop", "FAILURE_RATE").config_hash == first
    function.change(OTHER="changed")
    assert read(function, "shop", "FAILURE_RATE").config_hash != first


def test_an_update_in_progress_is_not_settled() -> None:
    assert not read(FakeLambda(status="InProgress"), "shop", "FAILURE_RATE").settled


def test_secrets_do_not_show_when_a_configuration_is_printed() -> None:
    assert CANARY not in repr(read(FakeLambda(), "shop", "FAILURE_RATE"))
