"""The emulator as a process: its start, its end, its credentials, and the metrics it is taught to emit."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import ROOT, Emulator, EmulatorError
from selfheal.sandbox.emulator import __main__ as emulator_process
from tests.support.emulator_functions import deploy, invoke, points, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="module")
def clients(emulator: Emulator) -> Clients:
    return Clients(emulator.endpoint, emulator.region, emulator.credentials)


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def _one_of_each(clients: Clients, name: str) -> None:
    until(lambda: points(clients, name, "Invocations") == [1, 1])
    time.sleep(0.3)  # a second datapoint of the same call would follow at once
    assert points(clients, name, "Invocations") == [1, 1]
    assert points(clients, name, "Errors") == [1, 0]
    assert points(clients, name, "Throttles") == [1, 0]
    assert points(clients, name, "Duration")[0] == 1
    assert points(clients, name, "Requests", "selfheal") == [1, 1]
    assert points(clients, name, "Errors", "selfheal") == [1, 0]


def test_invoke_api_counts_once(clients: Clients) -> None:
    deploy(clients, "by-invoke")
    assert "FunctionError" not in invoke(clients, "by-invoke")
    _one_of_each(clients, "by-invoke")


def test_asynchronous_invoke_counts_once(clients: Clients) -> None:
    deploy(clients, "by-event")
    clients.get("lambda").invoke(FunctionName="by-event", InvocationType="Event", Payload=b"{}")
    _one_of_each(clients, "by-event")


def test_http_api_counts_once(clients: Clients, emulator: Emulator) -> None:
    arn = deploy(clients, "by-http")
    gateway = clients.get("apigatewayv2")
    api = gateway.create_api(Name="by-http", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="ANY /{proxy+}", Target=f"integrations/{integration}")
    gateway.create_route(ApiId=api, RouteKey="ANY /", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    with urllib.request.urlopen(
        f"{emulator.endpoint}/_aws/execute-api/{api}/$default/", timeout=10
    ) as answer:
        assert answer.read() == b"ok"
    _one_of_each(clients, "by-http")


def test_topic_counts_once(clients: Clients) -> None:
    arn = deploy(clients, "by-topic")
    topic = clients.get("sns").create_topic(Name="t")["TopicArn"]
    clients.get("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    clients.get("sns").publish(TopicArn=topic, Message="hello")
    _one_of_each(clients, "by-topic")


def test_event_rule_counts_once(clients: Clients) -> None:
    arn = deploy(clients, "by-rule")
    events = clients.get("events")
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, "Input": "{}"}])
    events.put_events(Entries=[{"Source": "test", "DetailType": "d", "Detail": "{}"}])
    _one_of_each(clients, "by-rule")


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
    alarms = {
        a["AlarmName"]: a for a in cloudwatch.describe_alarms(AlarmNames=["plain", "math"])["MetricAlarms"]
    }
    assert {name: alarm["StateValue"] for name, alarm in alarms.items()} == {
        "plain": "INSUFFICIENT_DATA",
        "math": "INSUFFICIENT_DATA",
    }
    assert alarms["math"]["Metrics"] == metrics
    assert "Statistic" not in alarms["math"]
    assert "Metrics" not in alarms["plain"]


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
        clients = Clients(running.endpoint, running.region, running.credentials)
        deploy(clients, "nosy", source)
        answer = json.loads(invoke(clients, "nosy")["Payload"].read())
    assert answer[0] is None
    assert answer[1] is False
    assert answer[2].startswith(str(tmp_path))


def test_iam_hands_out_a_user_and_enforces_policies(tmp_path: Path) -> None:
    with Emulator.start(tmp_path, iam=True) as running:
        assert running.credentials != ROOT
        clients = Clients(running.endpoint, running.region, running.credentials)
        assert ":user/" in clients.get("sts").get_caller_identity()["Arn"]
        clients.get("sqs").create_queue(QueueName="allowed")
        iam = clients.get("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        other = type(ROOT)(key["AccessKeyId"], key["SecretAccessKey"])
        with pytest.raises(ClientError, match=r"not authorized"):
            Clients(running.endpoint, running.region, other).get("sqs").create_queue(QueueName="denied")


@pytest.mark.parametrize("iam", [False, True])
def test_resources_survive_a_stop_when_persisted(tmp_path: Path, iam: bool) -> None:
    with Emulator.start(tmp_path, iam=iam, persist=True) as first:
        clients = Clients(first.endpoint, first.region, first.credentials)
        clients.get("sns").create_topic(Name="kept")
        deploy(clients, "kept")
        invoke(clients, "kept")
    with Emulator.start(tmp_path, iam=iam, persist=True) as second:
        clients = Clients(second.endpoint, second.region, second.credentials)
        assert [t["TopicArn"] for t in clients.get("sns").list_topics()["Topics"]] == [
            "arn:aws:sns:us-east-1:000000000000:kept"
        ]
        assert "FunctionError" not in invoke(clients, "kept")
        assert points(clients, "kept", "Invocations") == [2, 2]


def test_nothing_survives_a_stop_otherwise(tmp_path: Path) -> None:
    with Emulator.start(tmp_path) as first:
        Clients(first.endpoint, first.region, first.credentials).get("sns").create_topic(Name="lost")
    with Emulator.start(tmp_path) as second:
        topics = Clients(second.endpoint, second.region, second.credentials).get("sns").list_topics()
    assert topics["Topics"] == []


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
    until(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


def test_stop_ends_functions_in_flight_and_cleans_up(tmp_path: Path) -> None:
    running = Emulator.start(tmp_path / "e")
    worker = _sleeping_worker(Clients(running.endpoint, running.region, running.credentials), tmp_path)
    running.stop()
    running.stop()
    until(lambda: _gone(worker), 3)
    assert sorted(p.name for p in (tmp_path / "e").iterdir()) == ["emulator.log"]
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{running.endpoint}/_ministack/ready", timeout=2)


def test_a_killed_parent_leaves_no_orphan(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    parent = (
        "import sys, time; from pathlib import Path; from selfheal.sandbox.emulator import Emulator; "
        f"e = Emulator.start(Path({str(tmp_path / 'e')!r}), persist=True); "
        "print(e.process.pid, e.endpoint, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=root, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    pid, endpoint = process.stdout.readline().split()
    clients = Clients(endpoint, "us-east-1", ROOT)
    clients.get("sns").create_topic(Name="kept")
    worker = _sleeping_worker(clients, tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until(lambda: _gone(int(pid)) and _gone(worker), 20)
    assert (tmp_path / "e" / "state" / "sns.json").exists()


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=rf"port {port} of 127.0.0.1 cannot be used.*choose another"):
            Emulator.start(tmp_path, port=port)


def test_a_given_port_is_used(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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


def test_a_ministack_without_the_replaced_functions_is_refused() -> None:
    names = emulator_process.NEEDED.keys() | emulator_process.STORES.keys()
    empty = {name: ModuleType(name) for name in names}
    with pytest.raises(
        RuntimeError, match=r"no cloudwatch\._evaluate_alarm, .*iam_evaluator\.enforce, dynamodb\._tables"
    ):
        emulator_process.patch(empty)
