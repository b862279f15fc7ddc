"""Run the demonstration: deploy, break, watch it heal, restore the baseline. The result is a recording."""

import platform
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.console import Output
from selfheal.cli.demo.live import LiveTimeline
from selfheal.cli.demo.live_view import live_view
from selfheal.cli.demo.model import BaselineRestore, Rates, Recording
from selfheal.cli.demo.traffic import REQUESTS_PER_SECOND, WORKERS, Traffic
from selfheal.cli.demo.watch import Watch, traffic_url
from selfheal.cli.errors import CliError
from selfheal.cli.sandbox.account import Connection
from selfheal.functions.healer.states import Status

if TYPE_CHECKING:
    from selfheal.cli.demo.deploy import Deployment

POLL_SECONDS = 0.5
"""Between two reads of alarms and ledger. The times shown are their own timestamps, not the reads'."""

MAX_FAILED_READS = 10
"""In a row; then the run ends."""

ERRORS_AGAIN_SECONDS = 15.0
"""How long to wait for an error after the baseline is back: at a failure rate of 0.3 and 10 requests a
second the first comes within a second, and none in 15 s has a probability of 1e-23."""

NO_SECOND_UP = (
    "the second `pulumi up`, which restores the baseline of stack configuration. It needs the Pulumi CLI, "
    "and this checkout has none."
)

GIVEN_UP = {Status.INEFFECTIVE, Status.INCONCLUSIVE, Status.ESCALATED}
"""In these states the healer has called people: waiting longer shows nothing."""

PACKAGES = ("selfheal", "pulumi", "pulumi-aws", "ministack", "boto3")


@dataclass(frozen=True)
class Demonstration:
    """What to run."""

    stack: str
    baseline: str
    """The failure rate of the stack's configuration."""
    deployment: "Deployment"
    connection: Connection
    limit: float
    """Seconds after deployment within which recovery has to be shown."""
    output: Output
    iam_enforced: bool = False
    """Whether the endpoint enforces the roles of functions."""

    def run(self) -> Recording:
        """Deploy, then record what happens under traffic.

        Raises:
            CliError: when the first `up` failed.

        """
        start = time.monotonic()
        outputs = self.deployment.first()
        deployed = time.monotonic()
        self.output.say(f"Deployed in {deployed - start:.1f} s. Traffic begins.", style="bold")
        run = _Run(self, outputs, deploy_seconds=deployed - start, deployed=deployed)
        run.traffic.start()
        live = LiveTimeline(self.output, lambda: live_view(*run.snapshot()))
        try:
            with live.shown():
                if run.wait_for_recovery(live, deployed + self.limit):
                    run.restore_baseline(live)
                run.traffic.stop()
                run.read()
                live.update(final=True)
        finally:
            run.traffic.end()
        return run.snapshot()[0]


class _Run:
    """What was recorded so far, and the means to record more."""

    def __init__(
        self, demo: Demonstration, outputs: dict[str, Any], *, deploy_seconds: float, deployed: float
    ) -> None:
        clients = demo.connection.clients
        rate = Watch(clients, outputs, datetime.now(UTC)).failure_rate()
        self.deployment = demo.deployment
        self.limit = demo.limit
        self.zero = time.monotonic()
        began = datetime.now(UTC)
        self.watch = Watch(clients, outputs, began)
        self.traffic = Traffic(traffic_url(str(outputs["url"]), demo.connection.endpoint), self.zero)
        self.failed_reads = 0
        self.recording = Recording(
            stack=demo.stack,
            began=began,
            deployed=round(deployed - self.zero, 3),
            deploy_seconds=round(deploy_seconds, 3),
            samples=(),
            skipped=0,
            alarm_changes=(),
            incident=None,
            rates=Rates(demo.baseline, deployed=rate),
            iam_enforced=demo.iam_enforced,
            versions=versions(),
            setting={
                "deployed by": demo.deployment.by,
                "traffic": f"{REQUESTS_PER_SECOND:g} requests/s, at most {WORKERS} in flight",
                "time limit": f"{demo.limit:g} s after deployment",
            },
        )

    def wait_for_recovery(self, live: LiveTimeline, deadline: float) -> bool:
        """Watch until the incident is recovered (True), the healer gives up or time is up (False)."""
        while time.monotonic() < deadline:
            self.read()
            live.update()
            status = self.recording.incident.status if self.recording.incident else None
            if status is Status.RECOVERED:
                self._record(rates=replace(self.recording.rates, healed=self.watch.failure_rate()))
                return True
            if status in GIVEN_UP:
                return False
            time.sleep(POLL_SECONDS)
        self._record(stopped_because=f"recovery was not shown within {self.limit:g} s after deployment")
        return False

    def restore_baseline(self, live: LiveTimeline) -> None:
        """Run the second `up`, and go on until a request has failed again."""
        started = self._seconds()
        try:
            changes = self.deployment.again()
        except CliError as error:
            self._record(stopped_because=f"the second up failed: {error}")
            return
        if changes is None:
            self._record(left_out=(NO_SECOND_UP,))
            return
        finished = self._seconds()
        rates = replace(self.recording.rates, restored=self.watch.failure_rate())
        restore = BaselineRestore(round(started, 3), round(finished, 3), changes)
        self._record(restore=restore, rates=rates)
        while self._seconds() < finished + ERRORS_AGAIN_SECONDS:
            live.update()
            if any(sample.failed and sample.sent >= started for sample in self.traffic.samples()):
                return
            time.sleep(POLL_SECONDS)

    def read(self) -> None:
        """Read alarms and ledger. A failed read changes nothing; MAX_FAILED_READS in a row end the run.

        Raises:
            botocore.exceptions.BotoCoreError: when the endpoint does not answer.
            botocore.exceptions.ClientError: when it refuses.

        """
        try:
            changes, incident = self.watch.alarm_changes(), self.watch.incident()
        except (BotoCoreError, ClientError):
            self.failed_reads += 1
            if self.failed_reads >= MAX_FAILED_READS:
                raise
            return
        self.failed_reads = 0
        known = self.recording.incident
        if known and incident and known.id != incident.id:
            incident = known  # the restored fault may have opened the next one already, which is not shown
        self._record(alarm_changes=changes, incident=incident)

    def snapshot(self) -> tuple[Recording, float]:
        """Return the recording up to now, and the seconds since traffic began."""
        samples, skipped = self.traffic.samples(), self.traffic.skipped
        return replace(self.recording, samples=samples, skipped=skipped), self._seconds()

    def _record(self, **fields: Any) -> None:
        self.recording = replace(self.recording, **fields)

    def _seconds(self) -> float:
        return time.monotonic() - self.zero


def versions() -> dict[str, str]:
    """Return the versions of what takes part, by name; "not installed" for what is missing."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
