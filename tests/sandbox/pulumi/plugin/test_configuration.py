"""The provider's settings: what is known, what is refused, and that nothing but this machine is reached."""

import json
from typing import Any

import pytest
from botocore.session import Session

from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.errors import InputError
from selfheal.sandbox.provider.wire import UNKNOWN
from selfheal.sandbox.pulumi.plugin.configuration import SETTINGS, check, read
from tests.sandbox.pulumi.plugin.conftest import ENVIRONMENT


def test_the_environment_is_enough() -> None:
    expected = Clients("http://127.0.0.1:1", "us-east-1", Credentials("test", "test"))
    assert read({}, ENVIRONMENT) == expected
    assert read({"version": "7.51.1", "skipRegionValidation": "true"}, ENVIRONMENT) == expected


def test_settings_win_over_the_environment() -> None:
    settings = {
        "region": "eu-west-1",
        "accessKey": "a",
        "secretKey": "s",
        "token": "t",
        "endpoints": json.dumps([{"sqs": "http://localhost:9/", "sns": "http://localhost:9/"}]),
    }
    found = read(settings, ENVIRONMENT | {"AWS_SESSION_TOKEN": "other"})
    assert found == Clients("http://localhost:9", "eu-west-1", Credentials("a", "s", "t"))


def test_a_key_of_the_settings_is_not_joined_with_a_token_of_the_environment() -> None:
    settings = {"accessKey": "a", "secretKey": "s"}
    assert read(settings, ENVIRONMENT | {"AWS_SESSION_TOKEN": "other"}).credentials.session_token is None


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:4566",
        "http://127.8.9.10",
        "http://[::1]:4566",
        "https://localhost:4566",
        "http://LOCALHOST",
    ],
)
def test_this_machine_is_accepted(endpoint: str) -> None:
    assert read({}, ENVIRONMENT | {"AWS_ENDPOINT_URL": endpoint}).endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://sqs.us-east-1.amazonaws.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com:4566",
        "http://127.0.0.1@example.com",
        "http://10.0.0.1:4566",
        "http://0.0.0.0:4566",
        "http://169.254.169.254",
        "ftp://127.0.0.1",
        "127.0.0.1:4566",
        "http://",
    ],
)
def test_anything_else_is_refused_and_the_way_to_aws_told(endpoint: str) -> None:
    for settings, environment in (
        ({}, ENVIRONMENT | {"AWS_ENDPOINT_URL": endpoint}),
        ({"endpoints": [{"sqs": endpoint}]}, ENVIRONMENT),
    ):
        with pytest.raises(InputError, match=r"this machine's emulator only.*use the real AWS provider"):
            read(settings, environment)


def test_without_an_endpoint_nothing_is_reached() -> None:
    environment = {key: value for key, value in ENVIRONMENT.items() if key != "AWS_ENDPOINT_URL"}
    with pytest.raises(
        InputError, match=r"no endpoint says where its emulator is.*use the real AWS provider"
    ):
        read({}, environment)


@pytest.mark.parametrize("endpoints", ["no json", "{}x", [1], '["http://127.0.0.1"]'])
def test_malformed_endpoints_are_refused(endpoints: Any) -> None:
    with pytest.raises(InputError, match=r"endpoints must be a list of objects"):
        check({"endpoints": endpoints})


def test_several_endpoints_are_refused() -> None:
    with pytest.raises(InputError, match=r"one address for all services.*:1, http://127\.0\.0\.1:2"):
        check({"endpoints": [{"sqs": "http://127.0.0.1:1"}, {"sns": "http://127.0.0.1:2"}]})


@pytest.mark.parametrize("setting", ["profile", "assumeRoles", "defaultTags", "allowedAccountIds"])
def test_a_setting_that_is_not_implemented_is_refused_by_name(setting: str) -> None:
    assert setting not in SETTINGS
    with pytest.raises(InputError, match=f"no setting of the AWS provider named {setting}"):
        check({setting: "x"})


@pytest.mark.parametrize("region", ["mars-1", "us-east-7", "aws-global", "useast1"])
def test_a_region_that_aws_has_not_is_refused_by_name(region: str) -> None:
    for call in (lambda: check({"region": region}), lambda: read({}, ENVIRONMENT | {"AWS_REGION": region})):
        with pytest.raises(InputError, match=f"no region {region}"):
            call()


def test_the_other_partitions_have_regions_too() -> None:
    assert read({"region": "cn-north-1"}, ENVIRONMENT).region == "cn-north-1"


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_missing_key_is_told(missing: str) -> None:
    with pytest.raises(InputError, match=r"no key of the emulator"):
        read({}, ENVIRONMENT | {missing: ""})


def test_a_missing_region_is_told_and_the_default_region_taken() -> None:
    bare = {key: value for key, value in ENVIRONMENT.items() if key != "AWS_REGION"}
    assert read({}, bare | {"AWS_DEFAULT_REGION": "eu-west-1"}).region == "eu-west-1"
    with pytest.raises(InputError, match=r"pulumi config set aws:region"):
        read({}, bare)


def test_values_that_are_not_known_yet_pass() -> None:
    check({"region": UNKNOWN, "endpoints": UNKNOWN, "accessKey": UNKNOWN})


def test_every_region_of_a_service_that_is_everywhere_is_accepted() -> None:
    session = Session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("sqs", partition):
            assert read({"region": region}, ENVIRONMENT).region == region
    with pytest.raises(InputError, match="no region aws-global"):
        check({"region": "aws-global"})
