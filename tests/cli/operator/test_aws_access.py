"""Which endpoint, with which key."""

import pytest

from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import endpoint_credentials
from selfheal.sandbox.clients import is_loopback

BOTH = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:4566", "http://127.9.9.9", "http://localhost:1", "http://[::1]:5"]
)
def test_an_endpoint_on_this_machine_needs_no_credentials(endpoint: str) -> None:
    assert is_loopback(endpoint)
    assert endpoint_credentials(endpoint, {}) == ("test", "test", None)


@pytest.mark.parametrize(
    "endpoint",
    ["https://aws.example", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://localhost.example"],
)
def test_any_other_endpoint_never_gets_a_default_key(endpoint: str) -> None:
    assert not is_loopback(endpoint)
    with pytest.raises(CliError, match="AWS_ACCESS_KEY_ID"):
        endpoint_credentials(endpoint, {})


def test_the_environment_wins_and_half_a_key_is_an_error() -> None:
    endpoint = "http://127.0.0.1:1"
    assert endpoint_credentials(endpoint, BOTH) == ("AKIA", "s", "t")
    for missing in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        with pytest.raises(CliError, match="Only one"):
            endpoint_credentials(endpoint, {key: value for key, value in BOTH.items() if key != missing})
