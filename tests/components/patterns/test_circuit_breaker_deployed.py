"""The circuit breaker with its functions, rights, workflow and wake-ups, in front of a dependency that fails.

Five workers consume one queue and two another. The emulator checks the roles' policies.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from selfheal.functions.shared.breaker.circuit import Circuit, State
from selfheal.functions.shared.breaker.store import Store
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from tests.cli.support import told
from tests.components.patterns.support.dependency import Dependency, dependency
from tests.support.emulator_users import administrator

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "support" / "behind_a_circuit"
CONFIGURED = {"fulfil": 5, "bill": 2}
WAITS = 0.2
"""The workflow's waits are this much shorter than they say, which AWS cannot do: nothing else changes."""


@dataclass
class Behind:
    """The deployed stack."""

    clients: Clients
    endpoint: str
    outputs: Mapping[str, Any]
    dependency: Dependency

    @property
    def circuit(self) -> Circuit:
        return Store(self.clients.get("dynamodb"), self.outputs["circuits"]["payments"], "payments").read()

    def mapping(self, name: str) -> dict[str, Any]:
        queue = self.outputs[name]
        [found] = self.clients.get("lambda").list_event_source_mappings(
            FunctionName=queue["function"], EventSourceArn=queue["queue_arn"]
        )["EventSourceMappings"]
        return found

    def paused(self) -> bool:
        return all(self.mapping(name)["State"] == "Disabled" for name in CONFIGURED)

    def concurrency(self, name: str) -> int | None:
        """MaximumConcurrency of a mapping that is enabled."""
        mapping = self.mapping(name)
        return mapping["ScalingConfig"]["MaximumConcurrency"] if mapping["State"] == "Enabled" else None

    def send(self, name: str, count: int) -> set[str]:
        sqs, url = self.clients.get("sqs"), self.outputs[name]["queue_url"]
        return {sqs.send_message(QueueUrl=url, MessageBody=str(n))["MessageId"] for n in range(count)}

    def left(self, *queues: str) -> int:
        """Messages in queues of both consumers, also those that are being handled."""
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(
            int(
                self.clients.get("sqs").get_queue_attributes(
                    QueueUrl=self.outputs[name][queue], AttributeNames=["All"]
                )["Attributes"][count]
            )
            for name in CONFIGURED
            for queue in queues
            for count in counts
        )

    def executions(self) -> list[str]:
        found = self.clients.get("stepfunctions").list_executions(stateMachineArn=self.outputs["workflow"])
        return [each["status"] for each in found["executions"]]

    def operator(self, *arguments: str) -> Any:
        """Run a command of `selfheal breaker` and return its answer."""
        table = self.outputs["circuits"]["payments"]
        return told("breaker", *arguments, "--table", table, "--endpoint", self.endpoint)

    def until(self, what: str, holds: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{what}: {self.circuit}, {self.executions()}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("emulator")
    with dependency() as failing, Emulator.start(folder, iam=True) as emulator:
        scale = json.dumps({"stepfunctions._SFN_WAIT_SCALE": WAITS}).encode()
        urllib.request.urlopen(f"{emulator.endpoint}/_ministack/config", data=scale).close()
        clients = administrator(emulator)
        outputs = deploy(PROGRAM, AwsProvider(clients), stack="dev", overrides={"dependency": failing.url})
        yield Behind(clients, emulator.endpoint, outputs, failing)


@contextmanager
def watching(behind: Behind) -> Generator[list[int | None]]:
    """Note the MaximumConcurrency of the first consumer whenever it changes; None while it is paused."""
    seen, stop = [behind.concurrency("fulfil")], threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            if (now := behind.concurrency("fulfil")) != seen[-1]:
                seen.append(now)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def test_it_opens_pauses_probes_once_at_a_time_and_starts_slowly(behind: Behind) -> None:
    behind.dependency.up = False
    sent = behind.send("fulfil", 150) | behind.send("bill", 30)
    behind.until("opened", lambda: behind.circuit.state is not State.CLOSED)
    behind.until("paused", behind.paused)
    paused_at = time.time()
    before = len(behind.dependency.calls)

    # One that a deployment replaced is running again: it is paused although its UUID is another.
    api, old = behind.clients.get("lambda"), behind.mapping("bill")
    api.delete_event_source_mapping(UUID=old["UUID"])
    api.create_event_source_mapping(
        EventSourceArn=old["EventSourceArn"],
        FunctionName=behind.outputs["bill"]["function"],
        ScalingConfig={"MaximumConcurrency": 2},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    behind.until("paused again", lambda: behind.paused() and behind.circuit.state is State.OPEN)

    behind.until("probed and failed", lambda: len(behind.dependency.calls) > before + 1)
    with watching(behind) as seen:
        behind.dependency.up = True
        behind.until("closed", lambda: behind.circuit.state is State.CLOSED)
        closed_at = behind.circuit.changed_at
        behind.until("at rest", lambda: behind.circuit.at_rest, 60)
    probes = [call for call in behind.dependency.since(paused_at) if call.at < closed_at]
    assert [call.beside for call in probes] == [0] * len(probes)
    assert sum(call.served for call in probes) >= 3, "three successes in a row close it"
    assert seen == [None, 4, 5]
    assert {name: behind.concurrency(name) for name in CONFIGURED} == CONFIGURED
    behind.until("all handled", lambda: sent <= set(behind.dependency.served()))
    behind.until("all gone", lambda: behind.left("queue_url") == 0)
    assert behind.left("dead_letters", "evicted") == 0
    assert len({call.worker for call in behind.dependency.calls}) >= sum(CONFIGURED.values())
    behind.until("ended", lambda: behind.executions() == ["SUCCEEDED"])


def test_people_force_it_without_any_traffic_and_an_empty_queue_is_probed_by_the_health_route(
    behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", behind.clients.credentials.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", behind.clients.credentials.secret_access_key)
    behind.until("at rest", lambda: behind.circuit.at_rest)
    calls = len(behind.dependency.calls)
    opened = behind.operator("open", "payments", "--why", "the bank moves", "--for", "30m")
    assert (opened["state"], opened["forced"]["why"]) == ("open", "the bank moves")
    behind.until("paused", behind.paused)
    assert behind.operator("release", "payments")["forced"] is None
    behind.until("at rest", lambda: behind.circuit.at_rest, 60)
    assert {name: behind.concurrency(name) for name in CONFIGURED} == CONFIGURED
    assert len(behind.dependency.calls) == calls
    shown = behind.operator("show", "payments")
    assert (shown["state"], shown["at_rest"], len(shown["outages"])) == ("closed", True, 2)


def test_a_mapping_that_takes_long_to_stop_costs_no_call_and_no_message(behind: Behind) -> None:
    """On AWS it may take minutes. Here somebody switches it on whenever it is off, for a while."""
    behind.until("at rest", lambda: behind.circuit.at_rest)
    behind.dependency.up = False
    sent = behind.send("fulfil", 60)
    behind.until("opened", lambda: behind.circuit.state is not State.CLOSED)
    opened_at, episode = behind.circuit.changed_at, behind.circuit.episode
    end = time.monotonic() + 5
    while time.monotonic() < end:
        mapping = behind.mapping("fulfil")
        if mapping["State"] == "Disabled":
            behind.clients.get("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
        time.sleep(0.05)
    # Environments learn of it within READ_SECONDS, and their calls end; then there are probes only.
    late = behind.dependency.since(opened_at + 3)
    assert all(call.beside == 0 for call in late)
    assert len(late) <= behind.circuit.openings
    behind.dependency.up = True
    behind.until("at rest", lambda: behind.circuit.at_rest, 60)
    assert behind.circuit.episode == episode
    behind.until("all handled", lambda: sent <= set(behind.dependency.served()))
    behind.until("all gone", lambda: behind.left("queue_url") == 0)
    assert behind.left("dead_letters", "evicted") == 0
    behind.until("ended", lambda: set(behind.executions()) == {"SUCCEEDED"})


def test_at_rest_a_wake_up_puts_the_configured_concurrency_back(behind: Behind) -> None:
    """A deployment that lowers it leaves the old one, because Pulumi ignores it."""
    behind.until("at rest", lambda: behind.circuit.at_rest)
    api = behind.clients.get("lambda")
    uuid = behind.mapping("fulfil")["UUID"]
    api.update_event_source_mapping(UUID=uuid, ScalingConfig={"MaximumConcurrency": 9})
    behind.until("changed", lambda: behind.concurrency("fulfil") == 9)
    answer = api.invoke(FunctionName=behind.outputs["wake"], Payload=b'{"wake": "schedule"}')
    assert json.loads(answer["Payload"].read())["corrected"] == [uuid]
    behind.until("corrected", lambda: behind.concurrency("fulfil") == CONFIGURED["fulfil"])
