"""A function whose calls take time, minute by minute, and alarms on what becomes known of them."""

from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer.evidence import breached
from selfheal.functions.healer.observe import read_buckets
from selfheal.functions.healer.states import Reason
from selfheal.functions.healer.target import AlarmRule, Target
from selfheal.functions.shared.contract import AlarmKind, Mode
from tests.functions.support.world import FAST, TARGET, World

MINUTE = timedelta(minutes=1)


def backstop(timeout: int) -> AlarmRule:
    """Return the alarm on Lambda's metrics, which looks back as far as those may be late."""
    return AlarmRule("backstop", AlarmKind.BACKSTOP, 60, -(-(timeout + 60) // 60) + 1, 6, 0.05)


SLOW = AlarmRule("slow", AlarmKind.SLOW, 3600, 1, 5, 0.5)


def target_of(timeout: int, *, instrumented: bool = False) -> Target:
    """Return a target with the alarms that Detection makes for it."""
    alarms = (*((FAST,) if instrumented else ()), backstop(timeout), SLOW)
    return replace(TARGET, timeout=timeout, alarms=alarms)


class Minutes(World):
    """Lambda counts a call when it has ended, in the minute in which it began, and publishes a minute later.

    The function itself counts the calls that end; one that its timeout kills logs nothing.
    """

    def __init__(self, target: Target, mode: Mode = Mode.ACT) -> None:
        super().__init__(target, mode)
        self.function.timeout = target.timeout
        self._due: list[tuple[datetime, datetime, dict[str, int]]] = []
        """When it becomes known, of which minute, and what."""

    def minute(self, well: int, hanging: int = 0, failing: int = 0, throttled: int = 0) -> Reason:
        """Let so many calls begin in a minute, let it pass, and run the healer."""
        ended, killed = self.now + MINUTE, self.now + MINUTE + timedelta(seconds=self.target.timeout)
        if well + failing:
            self._due.append((ended, self.now, {"Invocations": well + failing, "Errors": failing}))
        if hanging:
            self._due.append((killed, self.now, {"Invocations": hanging, "Errors": hanging}))
        if throttled:
            self._due.append((ended, self.now, {"Throttles": throttled}))
        if FAST in self.target.alarms and well + failing:
            self.cloudwatch.put(self.now, well + failing, failing)
        self.pass_time(60)
        self._publish()
        for rule in self.target.alarms:
            state = "ALARM" if self._breaches(rule) else "OK"
            if state != self.cloudwatch.states[rule.name]:
                self.cloudwatch.set(rule.name, state, self.now)
        return self.step().reason

    def minutes(self, number: int, well: int, hanging: int = 0, **more: int) -> list[Reason]:
        """Do so for some minutes; return what was decided."""
        return [self.minute(well, hanging, **more) for _ in range(number)]

    def until(self, reason: Reason, most: int, well: int, hanging: int = 0, **more: int) -> float:
        """Do so until it is decided; return the seconds that it took."""
        began = self.now
        for _ in range(most):
            if self.minute(well, hanging, **more) is reason:
                return (self.now - began).total_seconds()
        raise AssertionError(f"not {reason} in {most} minutes: {self.last}")

    def _publish(self) -> None:
        known = [each for each in self._due if each[0] <= self.now]
        self._due = [each for each in self._due if each[0] > self.now]
        for _, start, counts in known:
            for metric, calls in counts.items():
                points = self.cloudwatch.metrics.setdefault(("AWS/Lambda", metric), {})
                points[start] = points.get(start, 0) + calls

    def _breaches(self, rule: AlarmRule) -> bool:
        """Return what the alarm sees: all metrics of its window, whatever the healer makes of them."""
        series, window = self.target.series(rule), max(rule.window, MINUTE)
        since = self.now - window
        buckets = read_buckets(self.cloudwatch, self.target.function, series, since, self.now, counted=series)
        return bool(breached(rule, [bucket for bucket in buckets if bucket.start >= since]))
