"""What runs read of people, of the fleet and of alarms, as plain records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.incident_fields import Answered
from selfheal.functions.healer.states import Reason, Verb
from selfheal.functions.shared.contract import Mode

LONGEST = timedelta(hours=24)
"""How long a request may be valid at most."""

AHEAD = timedelta(minutes=10)
"""How far the clock of whoever asks may be ahead of the ledger's."""


@dataclass(frozen=True)
class Request:
    """A person's request in the ledger. The healer can read it but not write it."""

    id: str
    verb: Verb
    incident: str
    by: str
    """ARN of the caller."""
    at: str
    until: str
    why: str = ""
    plan: str | None = None
    """The digest of the approved plan. Approvals only."""

    def answered(self, now: datetime, answer: Reason, *, done: bool) -> Answered:
        """Return the record of the answer."""
        return Answered(self.id, self.verb, self.by, self.at, self.why, iso(now), answer, done, self.plan)

    def is_over(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return now >= parse_iso(self.until)

    def is_too_long(self, now: datetime) -> bool:
        """Return whether it is valid for longer than allowed: what was decided long ago must not count."""
        until = parse_iso(self.until)
        try:
            return until > now + LONGEST + AHEAD or until > parse_iso(self.at) + LONGEST
        except (TypeError, ValueError):  # nobody can tell since when
            return True


@dataclass(frozen=True)
class ModeOverride:
    """An override of the mode. It can only restrict the baseline, whatever is deployed."""

    version: int
    """0 if there never was an override."""
    mode: Mode | None = None
    """None if the override was cleared."""
    by: str = ""
    why: str = ""
    at: str = ""


@dataclass(frozen=True)
class Trouble:
    """Something that runs cannot handle."""

    since: str
    told: str | None = None
    """When people were last told, in our own words."""


@dataclass(frozen=True)
class Fleet:
    """The state that the targets of one healer share."""

    version: int = 0
    """Increased with every intent to apply a remedy; the next intent is conditional on it."""
    acting: frozenset[str] = frozenset()
    """Targets with a change in an open incident."""
    blocking: frozenset[str] = frozenset()
    """Targets whose change `up` would undo."""
    acts: tuple[str, ...] = ()
    """When remedies were applied within the budget's window, oldest first."""
    standing: frozenset[str] = frozenset()
    """Targets with a change by the healer in place, in an incident or as drift."""
    unfinished: frozenset[str] = frozenset()
    """Targets whose incident is open or has a notice to send, or whose drift people have to end although the
    target is no longer configured. By this set the healer finds the incidents of removed targets."""
    trouble: Mapping[str, Trouble] = field(default_factory=dict[str, Trouble])
    """What could not be handled in the last run, by target."""
    mode_told: str | None = None
    """When people were last reminded of an override of the mode."""
    problem: str | None = None
    """What is wrong with the item, if it is damaged. Nothing may be applied then: the budget is unknown."""

    @property
    def known(self) -> frozenset[str]:
        """Every target that the item lists."""
        return self.acting | self.blocking | self.standing | self.unfinished

    def lists(self, target: str) -> frozenset[str]:
        """Return the names of the item's sets that a target is in."""
        sets = {"acting": self.acting, "targets": self.blocking}
        sets |= {"standing": self.standing, "unfinished": self.unfinished}
        return frozenset(name for name, members in sets.items() if target in members)


@dataclass(frozen=True)
class AlarmState:
    """The current state of an alarm in CloudWatch, whatever a notification said."""

    state: str
    """OK, ALARM or INSUFFICIENT_DATA."""
    since: datetime
    """When the state last became another one."""
    is_evaluated: bool = True
    """False while CloudWatch cannot evaluate the alarm. Its state is then an old one."""
