import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer import remedies
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.target import Setting
from tests.functions.support.faults import CANARY
from tests.functions.support.remedy_fakes import RemedyLambda, aws_for, target_with

TARGET = target_with("environment")
SETTING = TARGET.remedies[0].setting


def read(function: RemedyLambda) -> Live:
    return remedies.read(aws_for(function), TARGET, SETTING)


def write(function: RemedyLambda, live: Live, value: str | None = "0") -> str | None:
    return remedies.write(aws_for(function), TARGET, SETTING, live, value)


def test_it_sets_the_one_variable_and_keeps_every_other_and_reverts() -> None:
    function = RemedyLambda()
    live = read(function)
    assert (live.value, live.token, live.settled) == ("0.3", "1", True)
    assert write(function, live) is None
    assert function.variables == {"FAILURE_RATE": "0", "TOKEN": CANARY, "OTHER": "kept"}
    applied = read(function)
    assert applied.value == "0"
    assert write(function, applied, "0.3") is None
    assert function.variables == {"FAILURE_RATE": "0.3", "TOKEN": CANARY, "OTHER": "kept"}


def test_a_concurrent_change_wins_and_nothing_is_written() -> None:
    function = RemedyLambda()
    live = read(function)

    def someone_else() -> None:
        function.variables, function.revision = function.variables | {"ADDED": "1"}, function.revision + 1

    function.before = someone_else
    assert write(function, live) == "PreconditionFailedException"
    assert function.variables["FAILURE_RATE"] == "0.3"


@pytest.mark.parametrize(
    "code", ["ResourceConflictException", "TooManyRequestsException", "ResourceNotFoundException"]
)
def test_a_refusal_for_now_is_told_from_an_error(code: str) -> None:
    function = RemedyLambda(refuse={"update_function_configuration": code})
    assert write(function, read(function)) == code


def test_any_other_error_is_raised() -> None:
    function = RemedyLambda(refuse={"update_function_configuration": "AccessDeniedException"})
    with pytest.raises(ClientError):
        write(function, read(function))
    function.refuse = {"get_function_configuration": "AccessDeniedException"}
    with pytest.raises(ClientError):
        read(function)


def test_an_environment_that_could_not_be_decrypted_is_not_written() -> None:
    function = RemedyLambda(readable=False)
    live = read(function)
    assert live.value is None
    assert live.configuration is not None
    assert not live.configuration.readable
    with pytest.raises(ValueError, match="could not be read"):
        write(function, live)
    assert function.actions["lambda:UpdateFunctionConfiguration"] == 0


def test_a_variable_is_never_taken_away() -> None:
    function = RemedyLambda()
    with pytest.raises(ValueError, match="never taken away"):
        write(function, read(function), None)
    assert function.variables["FAILURE_RATE"] == "0.3"


def test_a_missing_variable_has_no_value_and_a_missing_function_does_not_exist() -> None:
    function = RemedyLambda(variables={"OTHER": "kept"})
    assert (read(function).value, read(function).exists) == (None, True)
    function.exists = False
    assert not read(function).exists
    with pytest.raises(ValueError, match="could not be read"):
        write(function, read(function))


def test_secrets_do_not_show_when_what_was_read_is_printed() -> None:
    assert CANARY not in repr(read(RemedyLambda()))


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named() -> None:
    unknown = Setting("restart", "")
    aws = aws_for(RemedyLambda())
    for call in (
        lambda: remedies.read(aws, TARGET, unknown),
        lambda: remedies.write(aws, TARGET, unknown, read(RemedyLambda()), "0"),
        lambda: remedies.owner("restart"),
    ):
        with pytest.raises(ValueError, match=r"'restart'.*environment, override"):
            call()
