"""What the provider decides without calling AWS: checks, names, differences, previews, refusals."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from string import Formatter
from threading import Thread
from typing import Any

import pulumi_aws
import pytest

from selfheal.sandbox.clients import Credentials
from selfheal.sandbox.errors import ProviderError, UnknownPropertyError, UnknownTypeError
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.provider.spec import JSON, LOCAL, MAP, VALUE, Kind, changed, same, whole_numbers
from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.provider.wire import UNKNOWN
from tests.sandbox.provider.cases import (
    ALIAS,
    FUNCTION,
    ITEM_TYPE,
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


@pytest.fixture
def provider() -> AwsProvider:
    return AwsProvider("http://127.0.0.1:1", "us-east-1", Credentials("a", "b"))


def test_an_automatic_name_comes_from_the_seed(provider: AwsProvider) -> None:
    assert provider.check(QUEUE, "jobs", {}, None, SEED)["name"] == "jobs-0123456"


def test_an_automatic_name_is_kept(provider: AwsProvider) -> None:
    assert provider.check(QUEUE, "jobs", {}, {"name": "jobs-abcdef0"}, SEED)["name"] == "jobs-abcdef0"


def test_a_name_of_the_program_wins_and_is_not_kept_when_it_goes(provider: AwsProvider) -> None:
    assert provider.check(QUEUE, "jobs", {"name": "mine"}, {"name": "jobs-abcdef0"}, SEED)["name"] == "mine"
    assert provider.check(QUEUE, "jobs", {}, {"name": "mine"}, SEED)["name"] == "jobs-0123456"


def test_the_statement_id_is_the_automatic_name_of_a_permission(provider: AwsProvider) -> None:
    inputs = {"action": "a", "function": "f", "principal": "p"}
    assert provider.check(PERMISSION, "allow", inputs, None, SEED)["statementId"] == "allow-0123456"


def test_a_name_too_long_for_aws_says_how_much(provider: AwsProvider) -> None:
    with pytest.raises(ProviderError, match=r"68 characters, AWS allows 64.*to 56 characters"):
        provider.check(ROLE, "r" * 60, {"assumeRolePolicy": "{}"}, None, SEED)


def test_defaults_of_the_aws_provider_are_filled_in(provider: AwsProvider) -> None:
    checked = provider.check(FUNCTION, "f", INPUTS | {"timeout": 9}, None, SEED)
    assert checked["memorySize"] == 128
    assert checked["timeout"] == 9
    assert checked["reservedConcurrentExecutions"] == -1


def test_an_unknown_type_is_refused_with_the_closest(provider: AwsProvider) -> None:
    with pytest.raises(
        UnknownTypeError, match=r"no resource type aws:sqs/queues:Queue\. Did you mean aws:sqs/queue:Queue"
    ):
        provider.check("aws:sqs/queues:Queue", "q", {}, None, SEED)


def test_an_unknown_property_is_refused_with_the_closest(provider: AwsProvider) -> None:
    with pytest.raises(
        UnknownPropertyError, match=r"aws:sqs/queue:Queue named delaySecond\. Did you mean delaySeconds"
    ):
        provider.check(QUEUE, "q", {"delaySecond": 1}, None, SEED)


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"environment": {"variabels": {}}}, "environment.variabels"),
        ({"tracingConfig": {"Mode": "Active"}}, "tracingConfig.Mode"),
    ],
)
def test_an_unknown_nested_property_is_refused(
    provider: AwsProvider, inputs: dict[str, Any], path: str
) -> None:
    with pytest.raises(UnknownPropertyError, match=path):
        provider.check(FUNCTION, "f", INPUTS | inputs, None, SEED)


def test_an_unknown_property_in_a_list_is_refused(provider: AwsProvider) -> None:
    given = {"hashKey": "pk", "attributes": [{"name": "pk", "typ": "S"}]}
    with pytest.raises(
        UnknownPropertyError, match=r"attributes\[0\]\.typ.*Did you mean attributes\[0\]\.type"
    ):
        provider.check(TABLE_TYPE, "t", given, None, SEED)


@pytest.mark.parametrize("given", ["arm64", {"a": 1}])
def test_a_value_that_is_no_list_is_refused(provider: AwsProvider, given: Any) -> None:
    with pytest.raises(ProviderError, match=r"architectures of .* must be a list"):
        provider.check(FUNCTION, "f", INPUTS | {"architectures": given}, None, SEED)


def test_a_value_that_is_no_object_is_refused(provider: AwsProvider) -> None:
    with pytest.raises(ProviderError, match=r"environment of .* must be an object with the keys variables"):
        provider.check(FUNCTION, "f", INPUTS | {"environment": "A=1"}, None, SEED)


def test_a_missing_property_is_refused(provider: AwsProvider) -> None:
    with pytest.raises(ProviderError, match=r"needs code, handler, runtime; given were: role"):
        provider.check(FUNCTION, "f", {"role": "r"}, None, SEED)


def test_values_not_known_yet_pass_the_check(provider: AwsProvider) -> None:
    given = INPUTS | {"role": UNKNOWN, "environment": {"variables": UNKNOWN}, "architectures": UNKNOWN}
    assert provider.check(FUNCTION, "f", given, None, SEED)["role"] == UNKNOWN


def test_an_unknown_invoke_is_refused_with_the_closest(provider: AwsProvider) -> None:
    with pytest.raises(UnknownTypeError, match=r"Did you mean aws:index/getRegion:getRegion"):
        provider.invoke("aws:index/getRegions:getRegions", {})


def test_an_unknown_or_missing_argument_of_an_invoke_is_refused(provider: AwsProvider) -> None:
    token = "aws:dynamodb/getTableItem:getTableItem"
    with pytest.raises(UnknownPropertyError, match=r"keys.*Did you mean key"):
        provider.invoke(token, {"tableName": "t", "keys": "{}"})
    with pytest.raises(ProviderError, match=r"needs key"):
        provider.invoke(token, {"tableName": "t"})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pulumi_aws.lambda_ imports a deprecated module
@pytest.mark.parametrize("type_", sorted(TABLE))
def test_the_table_holds_only_what_the_sdk_knows(type_: str) -> None:
    """Each property and computed output of a row exists on the SDK's class of that type."""
    spec = TABLE[type_]
    name = type_.rsplit(":", 1)[1]
    folder = type_.removeprefix("aws:").split("/", maxsplit=1)[0]
    module = getattr(pulumi_aws, "lambda_" if folder == "lambda" else folder)
    assert {_snake(key) for key in spec.inputs} <= set(dir(getattr(module, f"{name}Args")))
    assert {_snake(key) for key in spec.computed} <= set(dir(getattr(module, name)))
    assert spec.required | spec.replace | spec.identity | spec.defaults.keys() <= spec.inputs.keys()
    assert spec.recomputed.keys() <= spec.computed | spec.inputs.keys()
    assert spec.name is None or spec.name in spec.inputs
    assert spec.unset.keys() <= spec.inputs.keys()


def _snake(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)


# --- differences ---


def test_no_difference_in_what_means_the_same(provider: AwsProvider) -> None:
    old = {"assumeRolePolicy": '{"a": 1, "b": [2]}', "maxSessionDuration": 3600.0}
    new = {"assumeRolePolicy": '{"b":[2],"a":1}', "maxSessionDuration": 3600, "description": None}
    assert provider.diff(ROLE, old, new).changed == []


def test_sets_have_no_order(provider: AwsProvider) -> None:
    one, two = {"name": "a", "type": "S"}, {"name": "b", "type": "S"}
    assert provider.diff(TABLE_TYPE, {"attributes": [one, two]}, {"attributes": [two, one]}).changed == []
    assert provider.diff(TABLE_TYPE, {"attributes": [one, one]}, {"attributes": [one, two]}).changed == [
        "attributes"
    ]


def test_a_variable_too_many_too_few_or_other_is_a_difference(provider: AwsProvider) -> None:
    base = {"environment": {"variables": {"A": "1"}}}
    for other in ({}, {"A": "1", "B": "2"}, {"A": "2"}, {"A": ""}):
        changed_to = {"environment": {"variables": other}}
        assert provider.diff(FUNCTION, base, changed_to).changed == ["environment"]
        assert provider.diff(FUNCTION, changed_to, base).changed == ["environment"]


def test_a_switch_that_is_off_is_as_one_that_is_absent(provider: AwsProvider) -> None:
    old = {"deletionProtectionEnabled": False, "ttl": {"enabled": False, "attributeName": ""}}
    assert provider.diff(TABLE_TYPE, old, {}).changed == []
    assert provider.diff(TABLE_TYPE, {}, old).changed == []
    on = {"deletionProtectionEnabled": True}
    assert provider.diff(TABLE_TYPE, on, old).changed == ["deletionProtectionEnabled"]


def test_what_aws_has_anyway_may_be_left_out_and_what_differs_from_it_not(provider: AwsProvider) -> None:
    usual = {
        "name": "f",
        "architectures": ["x86_64"],
        "loggingConfig": {"logFormat": "Text", "logGroup": "/aws/lambda/f"},
    }
    assert provider.diff(FUNCTION, usual, {"name": "f"}).changed == []
    other = usual | {"architectures": ["arm64"], "loggingConfig": {"logFormat": "JSON"}}
    assert provider.diff(FUNCTION, other, {"name": "f"}).changed == ["architectures", "loggingConfig"]
    assert provider.diff(FUNCTION, other, usual).changed == ["architectures", "loggingConfig"]
    assert provider.diff(FUNCTION, {"name": "f"}, usual).changed == ["architectures", "loggingConfig"]
    days = {"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 35}}
    assert provider.diff(TABLE_TYPE, days, {"pointInTimeRecovery": {"enabled": True}}).changed == []


@pytest.mark.parametrize(
    ("type_", "given", "expected"),
    [
        (QUEUE, "https://sqs/1/q", {"id": "https://sqs/1/q"}),
        (ALIAS, "f/live", {"id": "f/live", "functionName": "f", "name": "live"}),
        (PERMISSION, "f/s", {"id": "f/s", "function": "f", "statementId": "s"}),
        (PERMISSION, "f:3/s", {"id": "f:3/s", "function": "f", "qualifier": "3", "statementId": "s"}),
        (STAGE, "abc/$default", {"id": "abc/$default", "apiId": "abc", "name": "$default"}),
        ("aws:apigatewayv2/route:Route", "abc/def", {"id": "def", "apiId": "abc"}),
        ("aws:iam/rolePolicy:RolePolicy", "r:p", {"id": "r:p", "role": "r", "name": "p"}),
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "r/arn:aws:iam::aws:policy/x/P",
            {"id": "r/arn:aws:iam::aws:policy/x/P", "role": "r", "policyArn": "arn:aws:iam::aws:policy/x/P"},
        ),
        ("aws:cloudwatch/eventRule:EventRule", "r", {"id": "r", "name": "r"}),
        ("aws:cloudwatch/eventRule:EventRule", "b/r", {"id": "b/r", "eventBusName": "b", "name": "r"}),
        ("aws:cloudwatch/eventTarget:EventTarget", "r/t", {"id": "r/t", "rule": "r", "targetId": "t"}),
        (
            "aws:cloudwatch/eventTarget:EventTarget",
            "b/r/t",
            {"id": "b/r/t", "eventBusName": "b", "rule": "r", "targetId": "t"},
        ),
        (ALIAS, "live", None),
        (STAGE, "", None),
    ],
)
def test_import_ids_are_the_aws_providers(type_: str, given: str, expected: dict[str, str] | None) -> None:
    import_id = TABLE[type_].import_id
    assert import_id
    assert import_id.parse(given) == expected


def test_every_field_of_an_import_id_is_a_property() -> None:
    for type_, spec in TABLE.items():
        for form in spec.import_id.forms if spec.import_id else ():
            assert {field for _, field, _, _ in Formatter().parse(form)} <= {*spec.inputs, "id"}, type_


def test_only_items_cannot_be_imported() -> None:
    assert [type_ for type_, spec in TABLE.items() if spec.import_id is None] == [ITEM_TYPE]


def test_an_empty_variable_is_not_its_absence(provider: AwsProvider) -> None:
    with_empty = {"environment": {"variables": {"A": ""}}}
    assert provider.diff(FUNCTION, {}, with_empty).changed == ["environment"]
    assert provider.diff(FUNCTION, with_empty, {}).changed == ["environment"]


def test_no_variables_are_no_environment(provider: AwsProvider) -> None:
    empty = {"environment": {"variables": {}}}
    assert provider.diff(FUNCTION, {"environment": None}, empty).changed == []
    assert provider.diff(FUNCTION, empty, {}).changed == []


def test_code_differs_by_its_content(provider: AwsProvider) -> None:
    assert provider.diff(FUNCTION, {"code": code()}, {"code": code()}).changed == []
    assert provider.diff(FUNCTION, {"code": code()}, {"code": code("x = 1\n")}).changed == ["code"]


def test_an_unknown_value_differs_from_a_known_one_and_may_replace(provider: AwsProvider) -> None:
    diff = provider.diff(ALIAS, {"functionName": "f"}, {"functionName": UNKNOWN})
    assert (diff.changed, diff.replace) == (["functionName"], ["functionName"])


def test_an_unknown_value_inside_an_object_differs(provider: AwsProvider) -> None:
    old = {"environment": {"variables": {"TABLE": "t"}}}
    assert provider.diff(FUNCTION, old, {"environment": {"variables": {"TABLE": UNKNOWN}}}).changed


def test_a_mapping_is_replaced_for_another_queue_only(provider: AwsProvider) -> None:
    old = {"eventSourceArn": "q", "functionName": "f", "enabled": True}
    for key, value in (("functionName", "g"), ("enabled", False), ("batchSize", 5)):
        assert provider.diff(MAPPING, old, old | {key: value}).replace == []
    assert provider.diff(MAPPING, old, old | {"eventSourceArn": "r"}).replace == ["eventSourceArn"]


def test_a_mapping_of_a_stream_is_refused_by_its_properties(provider: AwsProvider) -> None:
    given = {"eventSourceArn": "s", "functionName": "f", "startingPosition": "LATEST"}
    with pytest.raises(UnknownPropertyError, match=r"EventSourceMapping named startingPosition"):
        provider.check(MAPPING, "m", given, None, SEED)


def test_a_change_in_place_replaces_nothing(provider: AwsProvider) -> None:
    diff = provider.diff(FUNCTION, {"timeout": 3}, {"timeout": 4})
    assert (diff.changed, diff.replace, diff.delete_before_replace) == (["timeout"], [], False)


def test_what_keeps_its_fixed_name_goes_before_its_replacement(provider: AwsProvider) -> None:
    old = {"name": "t", "hashKey": "a"}
    assert provider.diff(TABLE_TYPE, old, {"name": "t", "hashKey": "b"}).delete_before_replace


def test_what_gets_another_name_can_live_beside_its_replacement(provider: AwsProvider) -> None:
    old = {"name": "t-0123456", "hashKey": "a"}
    assert not provider.diff(TABLE_TYPE, old, {"name": "t-0123456", "hashKey": "b"}).delete_before_replace
    assert not provider.diff(TABLE_TYPE, {"name": "a"}, {"name": "b"}).delete_before_replace


def test_what_aws_names_can_live_beside_its_replacement(provider: AwsProvider) -> None:
    diff = provider.diff("aws:apigatewayv2/integration:Integration", {"apiId": "a"}, {"apiId": "b"})
    assert (diff.replace, diff.delete_before_replace) == (["apiId"], False)


# --- previews ---


def test_preview_of_a_creation_knows_names_and_not_arns(provider: AwsProvider) -> None:
    outputs = provider.preview(FUNCTION, INPUTS | {"name": "f-1"}, None)
    assert outputs["name"] == "f-1"
    assert {outputs[key] for key in TABLE[FUNCTION].computed} == {UNKNOWN}


def test_preview_of_an_update_keeps_the_arn_and_forgets_what_changes_with_it(provider: AwsProvider) -> None:
    old = INPUTS | {"name": "f", "arn": "arn", "version": "3", "codeSha256": "x", "lastModified": "then"}
    published = provider.preview(FUNCTION, INPUTS | {"name": "f", "timeout": 9, "publish": True}, old)
    assert (published["arn"], published["timeout"], published["codeSha256"]) == ("arn", 9, "x")
    assert (published["version"], published["lastModified"]) == (UNKNOWN, UNKNOWN)


def test_preview_without_a_change_knows_everything(provider: AwsProvider) -> None:
    old = {"name": "$default", "apiId": "a", "invokeUrl": "http://x/"}
    assert provider.preview(STAGE, {"name": "$default", "apiId": "a"}, old) == old


# --- comparison ---


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
    given = {"a": 3.0, "b": [0.5, True, "3.0"], "c": {"d": 1e3}}
    result = whole_numbers(given)
    assert result == {"a": 3, "b": [0.5, True, "3.0"], "c": {"d": 1000}}
    assert [type(x) for x in (result["a"], result["b"][1], result["c"]["d"])] == [int, bool, int]


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
        api = AwsProvider(f"http://127.0.0.1:{server.server_port}", "us-east-1", Credentials("a", "b"))
        assert api.read(TABLE_TYPE, "t", {"name": "t"}) is None
