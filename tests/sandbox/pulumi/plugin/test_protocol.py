"""The plugin over gRPC, as the engine calls it, in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider.wire import UNKNOWN
from tests.sandbox.provider.cases import FUNCTION, ITEM_TYPE, QUEUE, ROLE, TABLE_TYPE, TOPIC, trust
from tests.sandbox.provider.pattern_cases import PARAMETER
from tests.sandbox.pulumi.plugin.conftest import ENVIRONMENT, Served, struct, urn

SIGNATURE = "4dabf18193072939515e22adb298388d"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
SEED = bytes.fromhex("0123456789abcdef" * 4)
LOGS = "aws:cloudwatch/logGroup:LogGroup"


@pytest.fixture
def stub(served: Served, tmp_path: Path) -> Any:
    """A configured plugin; its endpoint does not answer."""
    return _configured(served, ENVIRONMENT, tmp_path)


@pytest.fixture
def live(served: Served, tmp_path: Path, emulator: Emulator) -> Any:
    """A configured plugin on the emulator."""
    return _configured(served, ENVIRONMENT | {"AWS_ENDPOINT_URL": emulator.endpoint}, tmp_path)


def _configured(served: Served, environment: dict[str, str], folder: Path) -> Any:
    stub = served(environment, folder)
    stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert stub.Configure(provider_pb2.ConfigureRequest(args=struct({}))).supportsPreview
    return stub


def _check(
    stub: Any, type_: str, news: dict[str, Any], olds: dict[str, Any] | None = None, **extra: Any
) -> Any:
    before, after = struct(olds or {}), struct(news)
    request = provider_pb2.CheckRequest(urn=urn(type_), randomSeed=SEED, olds=before, news=after, **extra)
    return stub.Check(request)


def _create(stub: Any, type_: str, inputs: Any, **extra: Any) -> Any:
    return stub.Create(provider_pb2.CreateRequest(urn=urn(type_), properties=inputs, **extra))


def _read(stub: Any, type_: str, id_: str, **extra: Any) -> Any:
    return stub.Read(provider_pb2.ReadRequest(urn=urn(type_), id=id_, **extra))


def _diff(stub: Any, type_: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
    request = provider_pb2.DiffRequest(urn=urn(type_), id="i", old_inputs=struct(old), news=struct(new))
    return stub.Diff(request)


def _refusal(call: Any) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return str(refused.value.details())  # pyright: ignore[reportAttributeAccessIssue]


def _archive(**content: Any) -> dict[str, Any]:
    return {SIGNATURE: ARCHIVE, "hash": "h" * 64, **content}


# --- check ---


def test_the_engine_unwraps_secrets_for_us(served: Served, tmp_path: Path) -> None:
    stub = served(ENVIRONMENT, tmp_path)
    shaken = stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert not shaken.accept_secrets
    assert not shaken.accept_outputs
    assert not stub.Configure(provider_pb2.ConfigureRequest()).acceptSecrets
    assert stub.GetPluginInfo(empty_pb2.Empty()).version == "7.0.0"


def test_check_adds_name_and_defaults_and_leaves_the_rest(stub: Any) -> None:
    given = {"role": UNKNOWN, "handler": "h", "runtime": "r", "code": _archive(path="./functions")}
    checked = _check(stub, FUNCTION, given)
    assert not checked.failures
    assert checked.inputs["name"] == "thing-0123456"
    assert checked.inputs["memorySize"] == 128
    assert checked.inputs["role"] == UNKNOWN
    assert dict(checked.inputs["code"]) == _archive(path="./functions")


def test_the_value_of_a_parameter_is_a_secret_whatever_the_program_says(live: Any) -> None:
    """Otherwise an import, or a program in YAML, would put it into the state in the clear."""
    marked = {SIGNATURE: SECRET, "value": "hunter2"}
    inputs = _check(live, PARAMETER, {"type": "SecureString", "value": "hunter2"}).inputs
    assert dict(_create(live, PARAMETER, inputs, preview=True).properties["value"]) == marked
    made = _create(live, PARAMETER, inputs)
    imported = _read(live, PARAMETER, made.id)
    for values in (made.properties, imported.properties, imported.inputs):
        assert dict(values["value"]) == marked
        assert values["type"] == "SecureString"


def test_an_automatic_name_is_kept_and_a_pattern_of_the_project_is_used(stub: Any) -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions
    assert _check(stub, QUEUE, {}, {"name": "thing-abcdef0"}).inputs["name"] == "thing-abcdef0"
    asked = options(proposed_name="ours-1", mode=options.Mode.ENFORCE)
    assert _check(stub, QUEUE, {}, autonaming=asked).inputs["name"] == "ours-1"
    assert _check(stub, QUEUE, {}, {"name": "ours-0"}, autonaming=asked).inputs["name"] == "ours-0"
    assert _check(stub, QUEUE, {"name": "mine"}, {"name": "x"}, autonaming=asked).inputs["name"] == "mine"
    disabled = _check(stub, QUEUE, {}, autonaming=options(mode=options.Mode.DISABLE))
    assert "pulumi:autonaming is disabled" in disabled.failures[0].reason


def test_what_is_wrong_with_inputs_is_a_failure_that_names_it(stub: Any) -> None:
    failures = _check(stub, QUEUE, {"delaySecond": 1}).failures
    assert "named delaySecond. Did you mean delaySeconds?" in failures[0].reason
    assert not failures[0].property  # the engine would print its value, which may be a secret
    assert "needs code, handler, runtime" in _check(stub, FUNCTION, {"role": "r"}).failures[0].reason


# --- diff ---


def test_archives_are_compared_by_the_hash_of_the_engine(stub: Any) -> None:
    """Of the state there is only a hash, and what the program has need not be read."""
    assert not _diff(stub, FUNCTION, {"code": _archive()}, {"code": _archive(path="./nowhere")}).diffs
    other = _archive(path="./nowhere") | {"hash": "o" * 64}
    assert _diff(stub, FUNCTION, {"code": _archive()}, {"code": other}).diffs == ["code"]


def test_a_difference_says_what_is_replaced_and_what_goes_first(stub: Any) -> None:
    some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
    same = _diff(stub, FUNCTION, {"timeout": 3}, {"timeout": 3})
    assert (same.changes, list(same.diffs)) == (none, [])
    update = _diff(stub, FUNCTION, {"timeout": 3}, {"timeout": 4})
    assert (update.changes, list(update.diffs), list(update.replaces)) == (some, ["timeout"], [])
    fixed = _diff(stub, TABLE_TYPE, {"name": "t", "hashKey": "a"}, {"name": "t", "hashKey": "b"})
    assert (list(fixed.replaces), fixed.deleteBeforeReplace) == (["hashKey"], True)


def test_what_is_not_known_yet_differs(stub: Any) -> None:
    for unknown in (UNKNOWN, "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "3eeb2bf0-c639-47a8-9e75-3b44932eb421"):
        assert _diff(stub, FUNCTION, {"timeout": 3}, {"timeout": unknown}).diffs == ["timeout"]


# --- previews ---


def test_a_preview_calls_nothing_and_leaves_open_what_aws_will_say(stub: Any) -> None:
    given = {"name": "f", "role": UNKNOWN, "code": _archive(path="./nowhere")}
    made = _create(stub, FUNCTION, struct(given), preview=True)
    assert (made.id, made.properties["arn"], made.properties["name"]) == ("", UNKNOWN, "f")
    state = given | {"arn": "a", "codeSha256": "old", "role": "r"}
    changed = stub.Update(
        provider_pb2.UpdateRequest(
            urn=urn(FUNCTION),
            id="f",
            olds=struct(state),
            old_inputs=struct(given),
            news=struct(given | {"code": _archive(path="./nowhere") | {"hash": "o" * 64}}),
            preview=True,
        )
    )
    assert (changed.properties["arn"], changed.properties["codeSha256"]) == ("a", UNKNOWN)


# --- what it has not ---


NOT_THERE: dict[str, Callable[[Any], Any]] = {
    "no resource type aws:ec2/instance:Instance": lambda stub: _check(stub, "aws:ec2/instance:Instance", {}),
    "no component aws:x:Y": lambda stub: stub.Construct(provider_pb2.ConstructRequest(type="aws:x:Y")),
    "no method aws:x:y": lambda stub: stub.Call(provider_pb2.CallRequest(tok="aws:x:y")),
    "no parameters": lambda stub: stub.Parameterize(provider_pb2.ParameterizeRequest()),
    "no function aws:ec2/getVpc:getVpc": lambda stub: stub.Invoke(
        provider_pb2.InvokeRequest(tok="aws:ec2/getVpc:getVpc")
    ),
}


@pytest.mark.parametrize("said", NOT_THERE)
def test_what_it_has_not_is_refused(stub: Any, said: str) -> None:
    assert said in _refusal(lambda: NOT_THERE[said](stub))


def test_it_has_no_mapping_of_another_provider(stub: Any) -> None:
    assert stub.GetMapping(provider_pb2.GetMappingRequest(key="terraform")).data == b""


# --- settings ---


def test_secrets_among_the_settings_stay_wrapped(stub: Any) -> None:
    given = struct({"secretKey": {SIGNATURE: SECRET, "value": "hush"}, "accessKey": "a", "version": "7.0.0"})
    checked = stub.CheckConfig(provider_pb2.CheckRequest(news=given)).inputs
    assert checked["secretKey"] == given["secretKey"]
    assert checked.fields.keys() - given.fields.keys() == {"region"}
    assert checked["region"] == "us-east-1"


def test_wrong_settings_are_failures_of_the_provider(stub: Any) -> None:
    def said(**settings: Any) -> str:
        failures = stub.CheckConfig(provider_pb2.CheckRequest(news=struct(settings))).failures
        return str(failures[0].reason) if failures else ""

    assert "no region mars-1" in said(region="mars-1")
    assert "named profile" in said(profile="work", region=UNKNOWN)
    assert said(region=UNKNOWN) == ""


def test_another_region_replaces(stub: Any) -> None:
    request = provider_pb2.DiffRequest(
        old_inputs=struct({"region": "us-east-1", "token": "a"}), news=struct({"region": "us-west-2"})
    )
    diff = stub.DiffConfig(request)
    assert (list(diff.diffs), list(diff.replaces)) == (["region", "token"], ["region"])
    request = provider_pb2.DiffRequest(old_inputs=struct({}), news=struct({"region": "us-west-2"}))
    assert list(stub.DiffConfig(request).replaces) == []  # an import leaves a provider without one


def test_an_endpoint_of_aws_ends_the_configuration(served: Served, tmp_path: Path) -> None:
    stub = served(ENVIRONMENT | {"AWS_ENDPOINT_URL": "https://sqs.us-east-1.amazonaws.com"}, tmp_path)
    assert "Nothing was called" in _refusal(lambda: stub.Configure(provider_pb2.ConfigureRequest()))
    assert "before it configured" in _refusal(lambda: _check(stub, QUEUE, {}))


# --- on the emulator ---


@pytest.mark.slow
def test_a_life_over_the_protocol(live: Any, tmp_path: Path, clients: Clients) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "index.py").write_text("def handle(event, context):\n    return 1\n")
    role = _check(live, ROLE, {"assumeRolePolicy": trust(), "name": "over-protocol"}).inputs
    arn = _create(live, ROLE, role).properties["arn"]
    given = {"role": arn, "handler": "index.handle", "runtime": "python3.13", "name": "over-protocol"}
    inputs = _check(live, FUNCTION, given | {"code": _archive(path="functions"), "timeout": 4}).inputs
    made = _create(live, FUNCTION, inputs)
    assert made.id == "over-protocol"
    assert dict(made.properties["code"]) == _archive()  # by its hash: the state needs no more
    with pytest.raises(grpc.RpcError, match="ResourceConflictException: Function already exist"):
        _create(live, FUNCTION, inputs)

    clients.get("lambda").update_function_configuration(FunctionName=made.id, Timeout=9)
    state = struct(json.loads(json.dumps(_plain(inputs) | {"code": _archive()})))
    read = _read(live, FUNCTION, made.id, properties=made.properties, inputs=state)
    assert (read.id, read.inputs["timeout"], dict(read.inputs["code"])) == (made.id, 9, _archive())
    assert read.inputs.fields.keys() == inputs.fields.keys()

    restored = live.Update(
        provider_pb2.UpdateRequest(
            urn=urn(FUNCTION), id=made.id, olds=read.properties, old_inputs=read.inputs, news=inputs
        )
    )
    assert restored.properties["timeout"] == 4
    gone = provider_pb2.DeleteRequest(urn=urn(FUNCTION), id=made.id, old_inputs=state)
    live.Delete(gone)
    live.Delete(gone)  # already
    assert _read(live, FUNCTION, made.id, inputs=state).id == ""


@pytest.mark.slow
def test_what_is_half_made_comes_with_its_id_and_state(live: Any) -> None:
    inputs = _check(live, LOGS, {"retentionInDays": 13, "name": "half-made"}).inputs
    with pytest.raises(grpc.RpcError) as failed:
        _create(live, LOGS, inputs)
    metadata: Any = failed.value.trailing_metadata()  # pyright: ignore[reportAttributeAccessIssue]
    trailing = {item.key: item.value for item in metadata}
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert (detail.id, detail.properties["retentionInDays"]) == ("half-made", 0)
    assert "Invalid retentionInDays value: 13" in detail.reasons[0]


@pytest.mark.slow
def test_an_import_gives_id_inputs_and_outputs(live: Any, clients: Clients) -> None:
    arn = clients.get("sns").create_topic(Name="found", Attributes={"DisplayName": "x"})["TopicArn"]
    read = _read(live, TOPIC, arn)
    assert (read.id, _plain(read.inputs)) == (arn, {"name": "found", "displayName": "x"})
    assert read.properties["arn"] == arn
    assert _read(live, TOPIC, f"{arn}-not").id == ""
    assert "cannot be imported" in _refusal(lambda: _read(live, ITEM_TYPE, "t|k"))


@pytest.mark.slow
def test_an_invoke_is_answered(live: Any) -> None:
    def answer(**args: Any) -> Any:
        request = provider_pb2.InvokeRequest(tok="aws:index/getRegion:getRegion", args=struct(args))
        return live.Invoke(request)

    assert getattr(answer(), "return")["region"] == "us-east-1"
    assert "named x" in answer(x=1).failures[0].reason


def _plain(given: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(given)
