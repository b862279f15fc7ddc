"""The emulator as a process: its start, its end, its credentials, and the metrics that it emits."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import ROOT, Emulator, EmulatorError
from selfheal.sandbox.emulator.patches import USED, patch
from tests.conftest import ROOT as CHECKOUT
from tests.support.emulator_functions import deploy, invoke, points
from tests.support.emulator_users import refused, user
from tests.support.processes import gone, until, written

pytestmark = pytest.mark.slow


def by_invoke(clients: Clients, _: str) -> None:
    assert "FunctionError" not in invoke(clients, "by_invoke")


def by_event(clients: Clients, _: str) -> None:
    clients.get("lambda").invoke(FunctionName="by_event", InvocationType="Event", Payload=b"{}")


def by_http(clients: Clients, arn: str) -> None:
    gateway = clients.get("apigatewayv2")
    api = gateway.create_api(Name="by-http", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    for route in ("ANY /{proxy+}", "ANY /"):
        gateway.create_route(ApiId=api, RouteKey=route, Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    url = f"{clients.endpoint}/_aws/execute-api/{api}/$default/"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"ok"


def by_topic(clients: Clients, arn: str) -> None:
    sns = clients.get("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="hello")


def by_rule(clients: Clients, arn: str) -> None:
    events = clients.get("events")
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, "Input": "{}"}])
    events.put_events(Entries=[{"Source": "test", "DetailType": "d", "Detail": "{}"}])


@pytest.mark.parametrize("call", [by_invoke, by_event, by_http, by_topic, by_rule])
def test_an_invocation_counts_once_whatever_its_source(
    clients: Clients, call: Callable[[Clients, str], None]
) -> None:
    name = call.__name__
    call(clients, deploy(clients, name))
    until(lambda: points(clients, name, "Invocations") == [1, 1])
    time.sleep(0.3)  # a second datapoint of the same call would follow at once
    assert points(clients, name, "Invocations") == [1, 1]
    assert points(clients, name, "Errors") == [1, 0]
    assert points(clients, name, "Throttles") == [1, 0]
    assert points(clients, name, "Duration")[0] == 1
    assert points(clients, name, "Requests", "selfheal") == [1, 1]
    assert points(clients, name, "Errors", "selfheal") == [1, 0]


def test_a_failure_counts_as_an_error_and_keeps_its_metrics(clients: Clients) -> None:
    deploy(clients, "failing")
    assert invoke(clients, "failing", fail=True)["FunctionError"]
    until(lambda: points(clients, "failing", "Invocations") == [1, 1])
    assert points(clients, "failing", "Errors") == [1, 1]
    assert points(clients, "failing", "Requests", "selfheal") == [1, 1]


def test_a_throttled_call_counts_as_one_throttle_and_no_invocation(clients: Clients) -> None:
    deploy(clients, "throttled")
    clients.get("lambda").put_function_concurrency(FunctionName="throttled", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match=r"Rate Exceeded"):
        # One attempt: boto3 would repeat a throttled call.
        Clients(clients.endpoint, clients.region, ROOT, retries=1).get("lambda").invoke(
            FunctionName="throttled"
        )
    assert points(clients, "throttled", "Throttles") == [1, 1]
    assert points(clients, "throttled", "Invocations") == [0, 0]


def test_metrics_in_log_lines_carry_the_time_they_state(clients: Clients) -> None:
    deploy(clients, "timed")
    start = int(time.time()) - 300
    for at in (start, start + 1, start + 1):
        invoke(clients, "timed", at=at)
    answer = clients.get("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "m",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "selfheal",
                        "MetricName": "Requests",
                        "Dimensions": [{"Name": "FunctionName", "Value": "timed"}],
                    },
                    "Period": 1,
                    "Stat": "Sum",
                },
            }
        ],
        StartTime=datetime.fromtimestamp(start - 5, tz=UTC),
        EndTime=datetime.fromtimestamp(start + 5, tz=UTC),
    )["MetricDataResults"][0]
    found = {
        int(t.timestamp()) - start: v for t, v in zip(answer["Timestamps"], answer["Values"], strict=True)
    }
    assert {second: value for second, value in found.items() if value} == {0: 1, 1: 2}


def test_an_alarm_keeps_its_state_whatever_data_arrives_and_its_math(clients: Clients) -> None:
    cloudwatch = clients.get("cloudwatch")
    plain = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0}
    cloudwatch.put_metric_alarm(
        AlarmName="plain", Namespace="n", MetricName="m", Statistic="Sum", Period=60, **plain
    )
    metrics = [{"Id": "e", "Expression": "1 + 1", "ReturnData": True}]
    cloudwatch.put_metric_alarm(AlarmName="math", Metrics=metrics, **plain)
    cloudwatch.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 5}])
    math, simple = cloudwatch.describe_alarms(AlarmNames=["math", "plain"])["MetricAlarms"]
    assert math["StateValue"] == simple["StateValue"] == "INSUFFICIENT_DATA"
    assert math["Metrics"] == metrics
    assert "Statistic" not in math
    assert "Metrics" not in simple


def test_functions_see_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_SECRET", "chirp")
    (tmp_path / "never_packaged.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    source = """
import os
def handle(event, context):
    try:
        import never_packaged
        imported = True
    except ImportError:
        imported = False
    return [os.environ.get("CANARY_SECRET"), imported, os.environ["HOME"]]
"""
    with Emulator.start(tmp_path / "e") as running:
        deploy(running.clients, "nosy", source)
        secret, imported, home = json.loads(invoke(running.clients, "nosy")["Payload"].read())
    assert secret is None
    assert imported is False
    assert home.startswith(str(tmp_path))


def test_iam_is_enforced_for_users_and_not_for_the_root_key(tmp_path: Path) -> None:
    with Emulator.start(tmp_path, iam=True) as running:
        assert refused(lambda: running.clients.get("sqs").create_queue(QueueName="allowed")) is None
        nobody = user(running).get("sns")
        assert refused(lambda: nobody.create_topic(Name="denied")) == "sns:CreateTopic"


@pytest.mark.parametrize("iam", [False, True])
def test_resources_survive_a_stop_if_and_only_if_they_are_to_persist(tmp_path: Path, iam: bool) -> None:
    for persist in (True, False):
        with Emulator.start(tmp_path / str(persist), iam=iam, persist=persist) as first:
            first.clients.get("sns").create_topic(Name="kept")
            deploy(first.clients, "kept")
            invoke(first.clients, "kept")
        with Emulator.start(tmp_path / str(persist), iam=iam, persist=persist) as second:
            topics = second.clients.get("sns").list_topics()["Topics"]
            assert [each["TopicArn"].rpartition(":")[2] for each in topics] == ["kept"] * persist
            if persist:
                assert "FunctionError" not in invoke(second.clients, "kept")
                assert points(second.clients, "kept", "Invocations") == [2, 2]


SLEEPING = """
import os, time
def handle(event, context):
    with open(event["file"], "w") as file:
        file.write(str(os.getpid()))
    time.sleep(60)
"""


def _sleeping_worker(clients: Clients, folder: Path) -> int:
    deploy(clients, "sleeping", SLEEPING)
    file = folder / "pid"
    payload = json.dumps({"file": str(file)}).encode()
    clients.get("lambda").invoke(FunctionName="sleeping", InvocationType="Event", Payload=payload)
    return int(written(file))


def test_stop_ends_functions_in_flight_and_cleans_up(tmp_path: Path) -> None:
    running = Emulator.start(tmp_path / "e")
    worker = _sleeping_worker(running.clients, tmp_path)
    running.stop()
    running.stop()
    until(lambda: gone(worker), 3)
    assert sorted(p.name for p in (tmp_path / "e").iterdir()) == ["emulator.log"]
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{running.endpoint}/_ministack/ready", timeout=2)


def test_a_killed_parent_leaves_no_orphan(tmp_path: Path) -> None:
    parent = (
        "import sys, time; from pathlib import Path; from selfheal.sandbox.emulator import Emulator; "
        f"e = Emulator.start(Path({str(tmp_path / 'e')!r}), persist=True); "
        "print(e.process.pid, e.endpoint, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    pid, endpoint = process.stdout.readline().split()
    clients = Clients(endpoint, "us-east-1", ROOT)
    clients.get("sns").create_topic(Name="kept")
    worker = _sleeping_worker(clients, tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until(lambda: gone(int(pid)) and gone(worker), 20)
    assert (tmp_path / "e" / "state" / "sns.json").exists()


def test_a_given_port_is_used_and_refused_while_it_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=rf"port {port} of 127.0.0.1 cannot be used.*choose another"):
            Emulator.start(tmp_path, port=port)
    with Emulator.start(tmp_path, port=port) as running:
        assert running.endpoint == f"http://127.0.0.1:{port}"


def test_an_emulator_that_dies_shows_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text("raise SystemExit('no such luck')")
    monkeypatch.setattr("selfheal.sandbox.emulator.process.SOURCE", tmp_path)
    monkeypatch.setattr("selfheal.sandbox.emulator.process._ENTRY", "broken")
    with pytest.raises(EmulatorError, match=r"exit code 1 before it was ready(.|\n)*no such luck"):
        Emulator.start(tmp_path / "e")


def test_another_version_of_ministack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfheal.sandbox.emulator.patches.VERSION", "1.5.32")
    with pytest.raises(RuntimeError, match=r"ministack 1\.5\.32; installed is "):
        patch({})


def test_a_ministack_without_the_replaced_functions_is_refused() -> None:
    empty = {name: ModuleType(name) for name in USED}
    with pytest.raises(
        RuntimeError, match=r"no cloudwatch\._evaluate_alarm, .*iam_evaluator\.enforce, .*dynamodb\._tables"
    ):
        patch(empty)
