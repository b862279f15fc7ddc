"""Running the demonstration: deploy, break, watch it heal, put the baseline back. Returns what was seen."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.console import Output
from selfheal.cli.demo.deploy import Deployment
from selfheal.cli.demo.live import LiveTimeline
from selfheal.cli.demo.model import BaselineRestore, Rates, Recording
from selfheal.cli.demo.traffic import REQUESTS_PER_SECOND, WORKERS, Traffic
from selfheal.cli.demo.versions import versions
from selfheal.cli.demo.watch import Watch, traffic_url
from selfheal.cli.errors import CliError
from selfheal.cli.sandbox.connection import Connection

POLL_SECONDS = 0.5
"""Between two looks at alarms and ledger; times come from their own stamps, not from when they were seen."""

ERRORS_AGAIN_SECONDS = 15.0
"""How long to wait for an error after the baseline is back: at a failure rate of 0.3 and 10 requests a
second the first comes within a second, and none in 15 s has a probability of 1e-23."""

NO_SECOND_UP = (
    "the second `pulumi up`, which restores the baseline of stack configuration. It needs the Pulumi CLI, "
    "and this checkout has none."
)

GIVEN_UP = {"INEFFECTIVE", "INCONCLUSIVE", "ESCALATED"}
"""A status in which the healer has called people: waiting longer shows nothing."""


@dataclass
class Demonstration:
    """One run against an endpoint."""

    stack: str
    baseline: str
    """The failure rate of the stack's configuration."""
    deployment: Deployment
    connection: Connection
    limit: float
    """Seconds after deployment within which recovery has to be shown."""
    output: Output

    def run(self) -> Recording:
        """Deploy, then record what happens under traffic.

        Raises:
            CliError: when not even the first `up` ended well.

        """
        start = time.monotonic()
        outputs = self.deployment.first()
        deployed = time.monotonic()
        self.output.say(f"Deployed in {deployed - start:.1f} s. Traffic begins.", style="bold")
        observed = _Observed.begin(self, outputs, took=deployed - start, deployed=deployed)
        observed.traffic.start()
        try:
            with LiveTimeline(self.output, observed.snapshot) as live:
                if self._recovery(observed, live, deployed + self.limit):
                    self._restore(observed, live)
                observed.traffic.stop()
                observed.look()
                live.update(final=True)
        finally:
            observed.traffic.end()
        return observed.snapshot()[0]

    def _recovery(self, observed: "_Observed", live: LiveTimeline, deadline: float) -> bool:
        """Watch until the ledger says that it is over, one way or the other, or time is up."""
        while time.monotonic() < deadline:
            observed.look()
            live.update()
            status = (observed.recording.incident or {}).get("status")
            if status == "RECOVERED":
                observed.note(healed=observed.watch.failure_rate())
                return True
            if status in GIVEN_UP:
                return False
            time.sleep(POLL_SECONDS)
        late = f"recovery was not shown within {self.limit:g} s after deployment"
        observed.recording = replace(observed.recording, stopped_because=late)
        return False

    def _restore(self, observed: "_Observed", live: LiveTimeline) -> None:
        """Run the second `up`, and go on until a request has failed again."""
        if self.deployment.again is None:
            observed.recording = replace(observed.recording, left_out=(NO_SECOND_UP,))
            return
        started = observed.now()
        try:
            changes = self.deployment.again()
        except CliError as error:
            observed.recording = replace(observed.recording, stopped_because=f"the second up failed: {error}")
            return
        finished = observed.now()
        restore = BaselineRestore(round(started, 3), round(finished, 3), changes)
        observed.recording = replace(observed.recording, restore=restore)
        observed.note(restored=observed.watch.failure_rate())
        while observed.now() < finished + ERRORS_AGAIN_SECONDS:
            live.update()
            if any(sample.failed and sample.sent >= started for sample in observed.traffic.samples()):
                return
            time.sleep(POLL_SECONDS)


@dataclass
class _Observed:
    """What was seen so far, and the means to see more."""

    watch: Watch
    traffic: Traffic
    recording: Recording
    zero: float
    """The time.monotonic() of when traffic began."""
    problems: int = field(default=0)
    """Looks in a row that failed."""

    @classmethod
    def begin(
        cls, run: Demonstration, outputs: dict[str, Any], *, took: float, deployed: float
    ) -> "_Observed":
        """Prepare to observe a stack that has just been deployed."""
        clients, endpoint = run.connection.clients, run.connection.endpoint
        rate = Watch(clients, outputs, datetime.now(UTC)).failure_rate()
        began, zero = datetime.now(UTC), time.monotonic()
        recording = Recording(
            stack=run.stack,
            began=began,
            deployed=round(deployed - zero, 3),
            deploy_seconds=round(took, 3),
            samples=(),
            skipped=0,
            alarm_changes=(),
            incident=None,
            rates=Rates(run.baseline, deployed=rate),
            versions=versions(),
            setting={
                "deployed by": run.deployment.by,
                "traffic": f"{REQUESTS_PER_SECOND:g} requests/s, at most {WORKERS} in flight",
                "time limit": f"{run.limit:g} s after deployment",
            },
        )
        traffic = Traffic(traffic_url(str(outputs["url"]), endpoint), zero)
        return cls(Watch(clients, outputs, began), traffic, recording, zero)

    def now(self) -> float:
        """Return the seconds since traffic began."""
        return time.monotonic() - self.zero

    def look(self) -> None:
        """Read alarms and ledger. One failed look changes nothing; ten in a row end the run.

        Raises:
            botocore.exceptions.BotoCoreError: when the endpoint does not answer.
            botocore.exceptions.ClientError: when it refuses.

        """
        try:
            changes, incident = self.watch.alarm_changes(), self.watch.incident()
        except (BotoCoreError, ClientError):
            self.problems += 1
            if self.problems >= MAX_PROBLEMS:
                raise
            return
        self.problems = 0
        known = self.recording.incident
        if known and incident and known.get("id") != incident.get("id"):
            incident = known  # the restored fault may already have opened the next one: another story
        self.recording = replace(self.recording, alarm_changes=changes, incident=incident)

    def note(self, **rates: str | None) -> None:
        """Keep a failure rate that was read."""
        self.recording = replace(self.recording, rates=replace(self.recording.rates, **rates))

    def snapshot(self) -> tuple[Recording, float]:
        """Return the recording up to now, and the seconds since traffic began."""
        samples, skipped = self.traffic.samples(), self.traffic.skipped
        return replace(self.recording, samples=samples, skipped=skipped), self.now()


MAX_PROBLEMS = 10
"""Failed looks in a row that end the run."""
