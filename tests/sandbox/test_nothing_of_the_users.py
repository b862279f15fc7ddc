"""No variable and no file of the user changes where a call to the sandbox goes, or as whom."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.parsers import ResponseParserError

from selfheal.cli.operator.aws_access import aws_access
from selfheal.cli.operator.location import Location
from selfheal.sandbox import regions
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import DIRECT, Clients, Credentials
from selfheal.sandbox.emulator import process
from selfheal.sandbox.faults import Faults
from selfheal.sandbox.front import Front
from selfheal.sandbox.pulumi import cli as pulumi_cli
from selfheal.sandbox.pulumi.plugin import configuration

KEY = Credentials("AKIASANDBOX", "secret")
REGION = "eu-north-1"

PROXIES = tuple(
    spelt for name in ("http_proxy", "https_proxy", "all_proxy") for spelt in (name, name.upper())
)
FILES = (
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CREDENTIAL_FILE", "BOTO_CONFIG"),
    *("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
)
URLS = (
    *("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_CLOUDWATCH"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
)
WORDS = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_DATA_PATH"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    "BOTOCORE_EXPERIMENTAL__PLUGINS",
)


def names() -> list[str]:
    """Return all variables: those above, and each that botocore's table of settings names."""
    table = [variables for _, variables, _, _ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values()]
    read = {name for each in table for name in ([each] if isinstance(each, str) else each or ())}
    return sorted({*PROXIES, *FILES, *URLS, *WORDS, *read} - {"AWS_ENDPOINT_URL"})


@dataclass
class Calls:
    """What a server has been asked, as method and path, and by whom."""

    port: int = 0
    asked: list[str] = field(default_factory=list[str])
    signed: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def serving() -> tuple[Calls, ThreadingHTTPServer]:
    calls = Calls()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            calls.asked.append(f"{self.command} {self.path}")
            calls.signed.append(self.headers.get("authorization", ""))
            self.send_response(200)
            body = b'{"TableNames": [], "faults": []}'
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_CONNECT = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    calls.port = server.server_port
    Thread(target=server.serve_forever, daemon=True).start()
    return calls, server


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Calls, Calls]]:
    (emulator, first), (proxy, second) = serving(), serving()
    yield emulator, proxy
    for server in (first, second):
        server.shutdown()
        server.server_close()


@pytest.fixture
def hostile(
    servers: tuple[Calls, Calls], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Calls, Calls]]:
    """Set one variable as it hurts most; returns the emulator, and the server that nothing may reach."""
    malformed = tmp_path / "malformed"
    malformed.write_text("no [section\n= at all", encoding="utf-8")
    models = tmp_path / ".aws" / "models"
    models.mkdir(parents=True)
    for calls in servers:
        calls.asked.clear()
        calls.signed.clear()

    def set_one(name: str) -> tuple[Calls, Calls]:
        for each in names():
            monkeypatch.delenv(each, raising=False)
        for each in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(each, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        value = "no-such-thing"
        if name in PROXIES or name in URLS or name.endswith(("_ENDPOINT", "_URI")):
            value = servers[1].url
        elif name in FILES or name.endswith("_FILE"):
            value = str(malformed)
        monkeypatch.setenv(name, value)
        return servers

    return set_one


def check(emulator: Calls, proxy: Calls, *, signed: bool = True) -> None:
    assert emulator.asked
    assert proxy.asked == []
    if signed:
        assert all(f"Credential={KEY.access_key_id}/" in each for each in emulator.signed)
        assert all(f"/{REGION}/" in each for each in emulator.signed)


@pytest.mark.parametrize("name", names())
def test_no_variable_reaches_a_client(name: str, hostile: Callable[[str], tuple[Calls, Calls]]) -> None:
    emulator, proxy = hostile(name)
    client = Clients(emulator.url, REGION, KEY).get("dynamodb")
    client.list_tables()
    check(emulator, proxy)
    assert client.meta.config.retries["total_max_attempts"] == 4
    assert client.meta.config.user_agent_appid is None


@pytest.mark.parametrize("name", [*PROXIES, *FILES, *URLS, *WORDS])
def test_no_variable_reaches_what_else_calls_the_emulator(
    name: str, hostile: Callable[[str], tuple[Calls, Calls]]
) -> None:
    emulator, proxy = hostile(name)
    # The provider plugin, with settings of its own and the environment of Pulumi.
    settings = {"endpoints": [{"dynamodb": emulator.url}], "region": REGION}
    settings |= {"accessKey": KEY.access_key_id, "secretKey": KEY.secret_access_key}
    configuration.read(settings, os.environ).get("dynamodb").list_tables()
    # The evaluator of alarms, to which the server's answer is nothing.
    AlarmEvaluator(emulator.url, REGION, KEY).tick()
    # The checks that it answers, and the faults.
    assert process.answers(f"{emulator.url}/ready")
    Faults(emulator.url).list()
    with DIRECT.open(f"{emulator.url}/code.zip", timeout=5) as answer:
        assert answer.status == 200
    check(emulator, proxy, signed=False)
    own = [each for each in emulator.signed if each]
    assert len(own) >= 2
    assert all(f"Credential={KEY.access_key_id}/" in each for each in own)
    regions.partitions.cache_clear()
    assert regions.partitions()["eu-north-1"] == "aws"


@pytest.mark.parametrize("name", ["http_proxy", "AWS_PROFILE"])
def test_no_variable_reaches_the_front_of_sites(
    name: str, hostile: Callable[[str], tuple[Calls, Calls]]
) -> None:
    emulator, proxy = hostile(name)
    with Front(emulator.url, REGION, KEY) as front, suppress(ResponseParserError):
        front.domain_for(f"127.0.0.1:{front.port}")
    check(emulator, proxy, signed=False)
    assert f"Credential={KEY.access_key_id}/" in emulator.signed[0]


LOCATIONS = {
    "--endpoint": lambda url: Location(endpoint=url, region=REGION),
    "AWS_ENDPOINT_URL": lambda _url: Location(region=REGION),
    "AWS_ENDPOINT_URL and --aws": lambda _url: Location(aws=True, region=REGION),
}


@pytest.mark.parametrize("how", LOCATIONS)
@pytest.mark.parametrize(
    "name", ["http_proxy", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE"]
)
def test_no_variable_reaches_the_commands_when_they_call_an_emulator(
    how: str, name: str, hostile: Callable[[str], tuple[Calls, Calls]], monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator, proxy = hostile(name)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if how != "--endpoint":
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY.secret_access_key)
    with aws_access(LOCATIONS[how](emulator.url)) as access:
        access.clients.get("dynamodb").list_tables()
        access.clients.patient(5).get("dynamodb").list_tables()
    check(emulator, proxy)


def test_the_environment_of_the_cli_keeps_the_users_proxy_from_this_machine() -> None:
    user = {"HTTPS_PROXY": "http://proxy", "NO_PROXY": "intern.example, localhost", "AWS_PROFILE": "work"}
    user |= {"AWS_ENDPOINT_URL_S3": "http://elsewhere", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    merged = pulumi_cli.merged(user, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert merged["NO_PROXY"] == merged["no_proxy"] == "intern.example,localhost,127.0.0.1"
    assert merged["HTTPS_PROXY"] == "http://proxy"
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"} & merged.keys()
    assert pulumi_cli.no_proxy({})["NO_PROXY"] == "127.0.0.1,localhost"
