"""What the provider decides without calling AWS: checks, names, differences, previews, refusals."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.errors import InputError, ProviderError
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.provider.spec import JSON, LOCAL, MAP, VALUE, Kind, changed, same, whole_numbers
from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.provider.wire import UNKNOWN
from tests.sandbox.provider.cases import (
    FUNCTION,
    MAPPING,
    PERMISSION,
    QUEUE,
    ROLE,
    STAGE,
    TABLE_TYPE,
    code,
)

SEED = "0123456789abcdef" * 2
INPUTS: dict[str, Any] = {"role": "r", "code": code(), "handler": "h", "runtime": "python3.13"}
INTEGRATION = "aws:apigatewayv2/integration:Integration"


@pytest.fixture
def nowhere() -> AwsProvider:
    return AwsProvider(Clients("http://127.0.0.1:1", "us-east-1", Credentials("a", "b")))


# --- checks ---


@pytest.mark.parametrize(
    ("given", "old", "name"),
    [
        ({}, None, "jobs-0123456"),
        ({}, {"name": "jobs-abcdef0"}, "jobs-abcdef0"),  # an automatic name is kept
        ({"name": "mine"}, {"name": "jobs-abcdef0"}, "mine"),
        ({}, {"name": "mine"}, "jobs-0123456"),  # that of a program is not kept when it goes
    ],
)
def test_a_name_is_the_programs_or_else_an_automatic_one(
    nowhere: AwsProvider, given: dict[str, Any], old: dict[str, Any] | None, name: str
) -> None:
    assert nowhere.check(QUEUE, "jobs", given, old, SEED)["name"] == name


def test_the_automatic_name_of_a_fifo_queue_ends_as_aws_wants_and_is_kept(nowhere: AwsProvider) -> None:
    first = nowhere.check(QUEUE, "jobs", {"fifoQueue": True}, None, SEED)
    assert first["name"] == "jobs-0123456.fifo"
    assert nowhere.check(QUEUE, "jobs", {"fifoQueue": True}, first, "f" * 32)["name"] == first["name"]


@pytest.mark.parametrize(
    ("type_", "given", "key", "name"),
    [
        ("aws:s3/bucket:Bucket", {}, "bucket", "jobs-0123456"),
        ("aws:kms/alias:Alias", {"targetKeyId": "k"}, "name", "alias/Jobs-0123456"),
    ],
)
def test_an_automatic_name_is_one_that_aws_allows_and_is_kept(
    nowhere: AwsProvider, type_: str, given: dict[str, Any], key: str, name: str
) -> None:
    first = nowhere.check(type_, "Jobs", given, None, SEED)
    assert first[key] == name
    assert nowhere.check(type_, "Jobs", given, first, "f" * 32)[key] == name


@pytest.mark.parametrize(("name", "fifo"), [("jobs", True), ("jobs.fifo", False)])
def test_a_queue_is_refused_whose_name_belies_its_kind(
    nowhere: AwsProvider, name: str, *, fifo: bool
) -> None:
    with pytest.raises(InputError, match=rf"ends in \.fifo.*given were name '{name}' and fifoQueue {fifo}"):
        nowhere.create(QUEUE, {"name": name, "fifoQueue": fifo})


def test_the_statement_id_is_the_automatic_name_of_a_permission(nowhere: AwsProvider) -> None:
    inputs = {"action": "a", "function": "f", "principal": "p"}
    assert nowhere.check(PERMISSION, "allow", inputs, None, SEED)["statementId"] == "allow-0123456"


def test_defaults_of_the_aws_provider_are_filled_in(nowhere: AwsProvider) -> None:
    checked = nowhere.check(FUNCTION, "f", INPUTS | {"timeout": 9}, None, SEED)
    assert (checked["memorySize"], checked["timeout"]) == (128, 9)
    assert checked["reservedConcurrentExecutions"] == -1


def test_values_not_known_yet_pass_the_check(nowhere: AwsProvider) -> None:
    given = INPUTS | {"role": UNKNOWN, "environment": {"variables": UNKNOWN}, "architectures": UNKNOWN}
    assert nowhere.check(FUNCTION, "f", given, None, SEED)["role"] == UNKNOWN


TUMBLING = {"eventSourceArn": "s", "functionName": "f", "tumblingWindowInSeconds": 9}
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    r"queues:Queue\. Did you mean aws:sqs/queue:Queue": ("aws:sqs/queues:Queue", {}),
    r"named delaySecond\. Did you mean delaySeconds": (QUEUE, {"delaySecond": 1}),
    r"environment\.variabels": (FUNCTION, INPUTS | {"environment": {"variabels": {}}}),
    r"tracingConfig\.Mode": (FUNCTION, INPUTS | {"tracingConfig": {"Mode": "Active"}}),
    r"\[0\]\.typ.*mean attributes\[0\]\.type": (TABLE_TYPE, {"hashKey": "k", "attributes": [{"typ": "S"}]}),
    r"^architectures of .* must be a list; given was 'a": (FUNCTION, INPUTS | {"architectures": "arm64"}),
    r"^architectures of .* must be a list; given was {": (FUNCTION, INPUTS | {"architectures": {"a": 1}}),
    r"^environment of .* with the keys variables": (FUNCTION, INPUTS | {"environment": "A=1"}),
    r"needs code, handler, runtime; given were: role": (FUNCTION, {"role": "r"}),
    r"EventSourceMapping named tumblingWindowInSeconds": (MAPPING, TUMBLING),
}
INVOKES_REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "Did you mean aws:index/getRegion:getRegion": ("aws:index/getRegions:getRegions", {}),
    "keys.*Did you mean key": ("aws:dynamodb/getTableItem:getTableItem", {"tableName": "t", "keys": "{}"}),
    "needs key": ("aws:dynamodb/getTableItem:getTableItem", {"tableName": "t"}),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_wrong_is_refused_by_name(nowhere: AwsProvider, said: str) -> None:
    type_, given = REFUSED[said]
    with pytest.raises(ProviderError, match=said):
        nowhere.check(type_, "x", given, None, SEED)


@pytest.mark.parametrize("said", INVOKES_REFUSED)
def test_a_wrong_invoke_is_refused_by_name(nowhere: AwsProvider, said: str) -> None:
    with pytest.raises(ProviderError, match=said):
        nowhere.invoke(*INVOKES_REFUSED[said])


def test_a_name_too_long_for_aws_says_how_much(nowhere: AwsProvider) -> None:
    with pytest.raises(InputError, match=r"68 characters, AWS allows 64.*to 56 characters"):
        nowhere.check(ROLE, "r" * 60, {"assumeRolePolicy": "{}"}, None, SEED)


# --- differences ---


def variables(**values: str) -> dict[str, Any]:
    return {"environment": {"variables": values}}


LOGGING = {"logFormat": "Text", "logGroup": "/aws/lambda/f"}
USUAL = {"name": "f", "architectures": ["x86_64"], "loggingConfig": LOGGING}
OTHER = {"name": "f", "architectures": ["arm64"], "loggingConfig": {"logFormat": "JSON"}}
BOTH = ["architectures", "loggingConfig"]
ONE, TWO = {"name": "a", "type": "S"}, {"name": "b", "type": "S"}
OFF = {"deletionProtectionEnabled": False, "ttl": {"enabled": False, "attributeName": ""}}
DAYS = {"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 35}}
TRUSTED = {"assumeRolePolicy": '{"a": 1, "b": [2]}', "maxSessionDuration": 3600.0}
SAME_TRUST = {"assumeRolePolicy": '{"b":[2],"a":1}', "maxSessionDuration": 3600, "description": None}


@pytest.mark.parametrize(
    ("type_", "one", "other", "differs"),
    [
        (ROLE, TRUSTED, SAME_TRUST, []),
        (TABLE_TYPE, {"attributes": [ONE, TWO]}, {"attributes": [TWO, ONE]}, []),  # sets have no order
        (TABLE_TYPE, {"attributes": [ONE, ONE]}, {"attributes": [ONE, TWO]}, ["attributes"]),
        (TABLE_TYPE, OFF, {}, []),
        (TABLE_TYPE, {"deletionProtectionEnabled": True}, OFF, ["deletionProtectionEnabled"]),
        # A variable too many, too few or other is one, and an empty one is not its absence.
        (FUNCTION, variables(A="1"), variables(), ["environment"]),
        (FUNCTION, variables(A="1"), variables(A="1", B="2"), ["environment"]),
        (FUNCTION, variables(A="1"), variables(A="2"), ["environment"]),
        (FUNCTION, variables(A="1"), variables(A=""), ["environment"]),
        (FUNCTION, {}, variables(A=""), ["environment"]),
        (FUNCTION, {"environment": None}, variables(), []),
        (FUNCTION, variables(), {}, []),
        (FUNCTION, {"code": code()}, {"code": code()}, []),
        (FUNCTION, {"code": code()}, {"code": code("x = 1\n")}, ["code"]),
        (FUNCTION, OTHER, USUAL, BOTH),
        # A value that is not known yet differs, inside an object as well.
        (FUNCTION, variables(TABLE="t"), variables(TABLE=UNKNOWN), ["environment"]),
    ],
)
def test_differences_in_both_directions(
    nowhere: AwsProvider, type_: str, one: dict[str, Any], other: dict[str, Any], differs: list[str]
) -> None:
    assert nowhere.diff(type_, one, other).changed == differs
    assert nowhere.diff(type_, other, one).changed == differs


def test_what_aws_has_anyway_may_be_left_out_and_what_differs_from_it_not(nowhere: AwsProvider) -> None:
    assert nowhere.diff(FUNCTION, USUAL, {"name": "f"}).changed == []
    assert nowhere.diff(FUNCTION, OTHER, {"name": "f"}).changed == BOTH
    assert nowhere.diff(FUNCTION, {"name": "f"}, USUAL).changed == BOTH
    assert nowhere.diff(TABLE_TYPE, DAYS, {"pointInTimeRecovery": {"enabled": True}}).changed == []


@pytest.mark.parametrize(
    ("type_", "fixed", "key", "replaced", "first"),
    [
        (FUNCTION, {}, "timeout", False, False),
        (TABLE_TYPE, {"name": "t"}, "hashKey", True, True),  # what keeps its fixed name goes first
        (TABLE_TYPE, {"name": "t-0123456"}, "hashKey", True, False),
        (TABLE_TYPE, {}, "name", True, False),
        (INTEGRATION, {}, "apiId", True, False),
        (MAPPING, {"functionName": "f"}, "eventSourceArn", True, False),
        (MAPPING, {"eventSourceArn": "q"}, "functionName", False, False),
        (MAPPING, {"eventSourceArn": "q", "functionName": "f"}, "enabled", False, False),
        (MAPPING, {"eventSourceArn": "q", "functionName": "f"}, "batchSize", False, False),
    ],
)
def test_what_is_replaced_and_what_goes_first(
    nowhere: AwsProvider, type_: str, fixed: dict[str, Any], *, key: str, replaced: bool, first: bool
) -> None:
    for new in ("another", UNKNOWN):
        diff = nowhere.diff(type_, fixed | {key: "one"}, fixed | {key: new})
        assert (diff.changed, diff.replace) == ([key], [key] * replaced)
        assert diff.delete_before_replace is first


@pytest.mark.parametrize(
    ("kind", "wanted", "live", "expected"),
    [
        (VALUE, 1.0, 1, True),
        (VALUE, None, "", True),
        (VALUE, "a", "b", False),
        (VALUE, 0, None, False),
        (VALUE, False, None, False),
        (VALUE, UNKNOWN, UNKNOWN, False),
        (JSON, "{}", "{ }", True),
        (JSON, "no json", "no json", True),
        (JSON, "no json", "{}", False),
        (MAP, {}, None, True),
        (MAP, {"a": "1"}, {"a": "1", "b": "2"}, False),
        ({"a": VALUE}, {"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": VALUE}, {"a": 1}, None, False),
        ({"a": VALUE}, {"a": ""}, None, True),
        ([VALUE], ["a", "b"], ["b", "a"], True),
        ([VALUE], ["a"], ["a", "b"], False),
        ([VALUE], [], None, True),
        ([{"a": VALUE}], [{"a": 1}], [{"a": 1, "b": 0}], True),
    ],
)
def test_same(kind: Kind, wanted: Any, live: Any, expected: bool) -> None:
    assert same(kind, wanted, live) is expected


def test_changed_names_every_property_that_differs() -> None:
    kinds: dict[str, Kind] = {"a": VALUE, "b": JSON, "c": LOCAL}
    assert changed(kinds, {"a": 1, "b": "{}"}, {"a": 2, "b": "{ }", "c": True}) == ["a", "c"]


def test_whole_numbers() -> None:
    result = whole_numbers({"a": 3.0, "b": [0.5, True, "3.0"], "c": {"d": 1e3}})
    assert result == {"a": 3, "b": [0.5, True, "3.0"], "c": {"d": 1000}}
    assert [type(x) for x in (result["a"], result["b"][1], result["c"]["d"])] == [int, bool, int]


# --- previews ---


def test_preview_of_a_creation_knows_names_and_not_arns(nowhere: AwsProvider) -> None:
    outputs = nowhere.preview(FUNCTION, INPUTS | {"name": "f-1"}, None)
    assert outputs["name"] == "f-1"
    assert {outputs[key] for key in TABLE[FUNCTION].computed} == {UNKNOWN}


def test_preview_of_an_update_keeps_the_arn_and_forgets_what_changes_with_it(nowhere: AwsProvider) -> None:
    old = INPUTS | {"name": "f", "arn": "arn", "version": "3", "codeSha256": "x", "lastModified": "then"}
    published = nowhere.preview(FUNCTION, INPUTS | {"name": "f", "timeout": 9, "publish": True}, old)
    assert (published["arn"], published["timeout"], published["codeSha256"]) == ("arn", 9, "x")
    assert (published["version"], published["lastModified"]) == (UNKNOWN, UNKNOWN)


def test_preview_without_a_change_knows_everything(nowhere: AwsProvider) -> None:
    old = {"name": "$default", "apiId": "a", "invokeUrl": "http://x/"}
    assert nowhere.preview(STAGE, {"name": "$default", "apiId": "a"}, old) == old


# --- clients ---


class Gone(BaseHTTPRequestHandler):
    """DynamoDB that has no table."""

    def do_POST(self) -> None:
        body = json.dumps({"__type": "ResourceNotFoundException"}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def test_calls_to_this_machine_take_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with HTTPServer(("127.0.0.1", 0), Gone) as server:
        Thread(target=server.handle_request, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        api = AwsProvider(Clients(endpoint, "us-east-1", Credentials("a", "b")))
        assert api.read(TABLE_TYPE, "t", {"name": "t"}) is None
