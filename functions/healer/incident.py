"""An incident in the ledger, and its transitions.

Each method that moves it returns the incident as it stands after exactly one more write. Which fields go
together is in incident_rules.py, the ways between states in states.py.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.incident_fields import (
    Answered,
    Closure,
    Evidence,
    Guard,
    Hold,
    IncidentFields,
    Plan,
    Standing,
    Transition,
)
from selfheal.functions.healer.states import TERMINAL, WAYS, Effect, Reason, Status
from selfheal.functions.shared.contract import Mode, RemedyKind
from selfheal.functions.shared.errors import OwnError

LEASE = timedelta(seconds=40)
"""A run that recorded an intent may work on it until its timeout of 30 s. The rest allows for clock skew.

For settings without compare-and-swap in AWS (concurrency and mappings), only the lease keeps runs apart.
"""

BUDGET_WINDOW = timedelta(days=1)

_CARRIED_OUT_LATER = frozenset({RemedyKind.ENVIRONMENT, RemedyKind.PAUSE_CONSUMER})
"""Kinds of change that AWS carries out after the call has returned. Until LastUpdateStatus is Successful, the
function runs with its previous configuration (Lambda developer guide, "Lambda function states"); a mapping
is in the state Enabling, Disabling or Updating (Lambda API reference, UpdateEventSourceMapping). An alias, a
reservation and an item in DynamoDB are written when their call returns."""

_INCONCLUSIVE = frozenset({Reason.NO_EVIDENCE, Reason.ALARM_STUCK})
"""Escalations of a change that nothing speaks against: its evidence goes on being counted."""

HISTORY = 200
"""Number of transitions kept, so that an incident of weeks fits into one item."""

UNSETTLED = frozenset({Reason.TARGET_BUSY, Reason.DEPLOYMENT_IN_PROGRESS})
"""Guards that are one wait: somebody else is changing the target."""

ANSWERED = 20
"""Number of answered requests that are kept."""

KEPT = 10
"""Number of versions to avoid, and of failures, that are kept."""


@dataclass(frozen=True)
class Incident(IncidentFields):
    """One incident of one target: queries and transitions."""

    @property
    def is_open(self) -> bool:
        """Whether it still needs the healer or a person."""
        return self.status not in (Status.RECOVERED, Status.CLOSED)

    @property
    def drifts(self) -> bool:
        """Whether a change is in place that nobody has accepted."""
        return any(not each.accepted for each in self.standing)

    @property
    def is_untold(self) -> bool:
        """Whether nothing was changed, and people have heard nothing of it."""
        return self.reminded_at is None and not self.acts

    @property
    def is_acting(self) -> bool:
        """Whether the healer is changing the target, or verifying its change."""
        return self.status in (Status.ACTING, Status.VERIFYING)

    @property
    def is_watching(self) -> bool:
        """Whether a revert is being verified."""
        return self.status is Status.VERIFYING and self.purpose is not None

    @property
    def answered(self) -> frozenset[str]:
        """Ids of the last requests that were answered."""
        return frozenset(each.id for each in self.requests)

    @property
    def last_standing(self) -> Standing | None:
        """The healer's last change that is in place, which is the first to be reverted."""
        return self.standing[-1] if self.standing else None

    @property
    def planned(self) -> Plan:
        """The plan. Raises ValueError where there is none."""
        if self.plan is None:
            raise OwnError(f"{self.id}: an act needs a plan, and none is recorded")
        return self.plan

    def maybe_done(self) -> "Incident":
        """Count a pending change as in place, because it may be. Not a write of its own."""
        if self.effect is not Effect.APPLY or self.plan is None:
            return self
        begun = Standing(self._since_first(self.plan), self.acting_since or self.opened_at)
        return replace(self, standing=(*self.without(self.plan), begun))

    def no_longer(self, plan: Plan) -> "Incident":
        """Count a change as undone, because its setting has another value now. Not a write of its own."""
        return replace(self, standing=self.without(plan))

    def without(self, plan: Plan) -> tuple[Standing, ...]:
        """Return the changes in place to settings other than that of a plan."""
        return tuple([each for each in self.standing if each.plan.key != plan.key])

    def has_stepped(self, plan: Plan) -> bool:
        """Return whether a version did not help in this incident, so that this one is the further step."""
        return any(each.startswith(_step(plan, "")) for each in self.tried)

    def stepping(self, plan: Plan) -> "Incident":
        """Count a version as one that did not help, so that a further step may. Not a write of its own."""
        return replace(self, tried=(*self.tried, _step(plan, plan.after or "")))

    def in_vain(self, plan: Plan) -> "Incident":
        """Count a remedy as one that did not help, or cannot. Not a write of its own.

        The versions that this incident rolled away from were no worse than those it rolled back to.
        """
        steps = [
            each.removeprefix(_step(plan, "")) for each in self.tried if each.startswith(_step(plan, ""))
        ]
        cleared = {f"{self.function}:{version}" for version in (plan.before, *steps)}
        rejected = tuple([each for each in self.rejected if each not in cleared])
        return replace(self, tried=(*self.tried, str(plan.key)), rejected=rejected)

    def is_of_another(self, function: str) -> bool:
        """Return whether its target was another function when it was opened."""
        return self.function is not None and self.function != function

    def is_held(self, now: datetime) -> bool:
        """Return whether the target is held."""
        return self.hold is not None and (self.hold.until is None or now < parse_iso(self.hold.until))

    def is_leased(self, now: datetime) -> bool:
        """Return whether the run that recorded the intent may still be working on it."""
        return self.lease_until is not None and now < parse_iso(self.lease_until)

    def moved(self, now: datetime, reason: Reason, *path: Status) -> "Incident":
        """Return the incident after one write that takes it along a path of states. It ends a pending effect.

        Raises:
            ValueError: when `states.WAYS` does not contain the way. Nothing was written.

        """
        moved, at = self, iso(now)
        for status in path:
            if (moved.status, status) not in WAYS:
                raise OwnError(f"{self.id}: there is no way from {moved.status} to {status} ({reason})")
            moved = moved._passed(Transition(at, moved.status.value, status.value, reason.value), status)
        reasons = self.reasons if reason in self.reasons or not path else (*self.reasons, reason)
        return replace(
            moved,
            reason=reason,
            version=self.version + 1,
            effect=None,
            lease_until=None,
            reasons=reasons,
            reverted_at=at if path and reason is Reason.REVERTED else self.reverted_at,
            released_at=at if path and reason is Reason.RELEASED else self.released_at,
        )

    # Intents. The run that records one has the lease.

    def applying(self, now: datetime, reason: Reason, plan: Plan, token: str, mode: Mode) -> "Incident":
        """Intend to apply a remedy. A resumed intent keeps its purpose and is not counted again."""
        resumed = self.effect is Effect.APPLY
        acts = self.recent_acts if resumed else (*not_before(self.recent_acts, now - BUDGET_WINDOW), iso(now))
        purpose = self.purpose if resumed else (reason if reason is Reason.RELAPSED else None)
        return replace(
            self._intending(now, Effect.APPLY, reason, Status.ACTING),
            plan=plan,
            token=token,
            mode=mode,
            guard=None,
            attempts=self.attempts + 1 if resumed else 1,
            purpose=purpose,
            recent_acts=acts,
            waiting_since=None,
        )

    def reverting(
        self, now: datetime, purpose: Reason, plan: Plan, token: str, mode: Mode, *via: Status
    ) -> "Incident":
        """Intend to put the value before back; what follows depends on the purpose."""
        return replace(
            self._intending(now, Effect.REVERT, purpose, *via, Status.ACTING),
            plan=plan,
            token=token,
            mode=mode,
            purpose=purpose,
            closed_at=None,
        )

    def probing(self, now: datetime) -> "Incident":
        """Intend to send probes."""
        return self._intending(now, Effect.PROBE, Reason.PROBING)

    def telling(self, now: datetime, about: str = "") -> "Incident":
        """Intend to notify people, as a part of this write: of the incident, or `about` a refused request."""
        return replace(
            self,
            effect=Effect.NOTIFY,
            lease_until=iso(now + LEASE),
            attempts=1,
            about=about,
            reminded_at=iso(now),
            reminding=False,
            quiet_since=iso(now) if self.quiet_since is not None else None,
        )

    def telling_unless_silent(self, now: datetime) -> "Incident":
        """Intend to notify people, unless it is one that was only observed: of these nobody was told."""
        return self if self.mode is Mode.OBSERVE and self.is_untold else self.telling(now)

    def telling_again(self, now: datetime) -> "Incident":
        """Intend to send a notice that could not be sent earlier."""
        again = replace(self, version=self.version + 1).telling(now, self.about)
        return replace(again, reminding=self.reminding)

    def trying_again(self, now: datetime, token: str | None = None) -> "Incident":
        """Try the pending effect again. `token` is the present revision of the setting."""
        return replace(
            self,
            version=self.version + 1,
            lease_until=iso(now + LEASE),
            attempts=self.attempts + 1,
            token=self.token if token is None else token,
        )

    # Outcomes of effects.

    def applied(self, now: datetime, reason: Reason = Reason.APPLIED) -> "Incident":
        """Record that the remedy is in place. If it had to be applied again, escalate."""
        plan = self._since_first(self.planned)
        done = replace(
            self,
            plan=plan,
            acts=self.acts + 1,
            acted_at=iso(now),
            standing=(*self.without(plan), Standing(plan, iso(now))),
            evidence=None,
            settled_at=_settled(plan, now),
            rejected=self._rejecting(self.planned),
        )
        if self.purpose is Reason.RELAPSED:
            return done.escalated(now, Reason.RELAPSED)
        return replace(done.moved(now, reason, Status.VERIFYING), purpose=None)

    def reverted(self, now: datetime) -> "Incident":
        """Record that the change was reverted. What follows depends on the purpose."""
        plan = self.planned
        back = f"{self.function}:{plan.before}"
        done = replace(
            self.no_longer(plan),
            # A version that people want back, or that is back because no other helped, is none to avoid.
            rejected=tuple([each for each in self.rejected if each != back]),
        )
        if self.purpose is Reason.ROLLED_BACK:
            # Changes are reverted one at a time. People are told when all of them are.
            return done.escalated(now, Reason.ROLLED_BACK, tell=not done.standing)
        if self.purpose is Reason.REMEDY_INEFFECTIVE:
            return done.reopened(now, Reason.REVERTED)
        watched = done.moved(now, Reason.REVERTED, Status.VERIFYING)
        return replace(watched, acted_at=iso(now), evidence=None, settled_at=_settled(self.planned, now))

    def settled(self, now: datetime) -> "Incident":
        """Record that the change serves the callers: its evidence begins."""
        return replace(self._done(), settled_at=iso(now))

    def counted(self, evidence: Evidence) -> "Incident":
        """Record what was counted, so that it need not be read again."""
        return replace(self._done(), evidence=evidence)

    def probed(self, sent: int, failed: int) -> "Incident":
        """Record probes that were sent."""
        seen = self.evidence or Evidence(self.acted_at or self.opened_at, 0, 0, "undecided")
        counted = replace(seen, probes=seen.probes + sent, probe_errors=seen.probe_errors + failed)
        return replace(self._done(), evidence=counted)

    def deferred(self) -> "Incident":
        """Record that AWS rejected the change for now. The next run tries again."""
        return replace(self, version=self.version + 1, reason=Reason.DEFERRED, lease_until=None)

    def refused(self, now: datetime, code: str, *, last: bool) -> "Incident":
        """Record that AWS refuses the change and would again: the next remedy's turn, or people's.

        Args:
            now: The time.
            code: AWS's error code.
            last: Whether there is no further remedy to try.

        """
        noted = self.failing(self.planned, code)
        if self.effect is not Effect.APPLY or self.purpose is Reason.RELAPSED:
            return noted.escalated(now, Reason.CHANGE_REFUSED)
        noted = replace(noted, tried=(*self.tried, str(self.planned.key)))
        if last:
            return noted.escalated(now, Reason.CHANGE_REFUSED)
        return noted.reopened(now, Reason.CHANGE_REFUSED)

    def failing(self, plan: Plan, code: str) -> "Incident":
        """Note what AWS refused or failed to carry out. Not a write of its own."""
        line = f"{plan.key}: {code}"
        others = [each for each in self.failures if each != line]
        return replace(self, failures=(*others, line)[-KEPT:])

    def notified(self) -> "Incident":
        """Record that the notice was sent."""
        return replace(self._done(), owed_at=None, quiet=0)

    def owing(self, now: datetime) -> "Incident":
        """Record that a notice could not be sent. Healing continues, and the notice is tried again later."""
        return replace(self._done(), owed_at=iso(now))

    # Other transitions.

    def waiting(self, now: datetime, guard: Guard) -> "Incident":
        """Record the guard that delays the remediation. A proposal and its approval stay valid."""
        proposed = self.status is Status.PROPOSED
        moved = self.moved(now, guard.reason) if proposed else self.reopened(now, guard.reason)
        reasons = {guard.reason, self.guard.reason if self.guard else None}
        since = self.waiting_since if len(reasons) == 1 or reasons <= UNSETTLED else None
        return replace(moved, guard=guard, waiting_since=since or iso(now))

    def proposing(self, now: datetime, reason: Reason, plan: Plan, mode: Mode) -> "Incident":
        """Propose a plan."""
        proposed = self.moved(now, reason, Status.PROPOSED)
        return replace(proposed, mode=mode, plan=plan, guard=None, purpose=None, waiting_since=None)

    def reopened(self, now: datetime, reason: Reason, *via: Status) -> "Incident":
        """Return to OPEN, so that the next run decides again."""
        return replace(self.moved(now, reason, *via, Status.OPEN), purpose=None, settled_at=None)

    def redeployed(self, now: datetime, plan: Plan) -> "Incident":
        """Restart the evidence: what was counted before a deployment says nothing about the new code."""
        moved = self.moved(now, Reason.DEPLOYMENT_IN_PROGRESS)
        return replace(moved, plan=plan, acted_at=iso(now), evidence=None)

    def escalated(
        self,
        now: datetime,
        reason: Reason,
        *via: Status,
        until: str | None = None,
        guard: Guard | None = None,
        tell: bool = True,
    ) -> "Incident":
        """Escalate: hold the target, and notify people.

        Args:
            now: The time.
            reason: Why people are needed.
            via: States that the incident passes through.
            until: When the hold ends. None: when a person releases it, or the incident closes.
            guard: The guard that caused the escalation, if one did.
            tell: Whether to notify people.

        """
        moved = replace(
            self.moved(now, reason, *via, Status.ESCALATED),
            hold=self._hold(now, reason, until),
            guard=guard,
            escalated_at=iso(now),
            purpose=None,
            settled_at=self.settled_at if reason in _INCONCLUSIVE and via else None,
            waiting_since=None,
        )
        return moved.telling(now) if tell else moved

    def recovered(self, now: datetime, reason: Reason) -> "Incident":
        """Close the incident. Changes in place are drift from now on; people are told, and reminded daily."""
        closed = replace(
            self.moved(now, reason, Status.RECOVERED),
            closed_at=iso(now),
            hold=self.hold if self.hold is not None and self.hold.outlives else None,
            guard=None,
            purpose=None,
            waiting_since=None,
        )
        # Of one that nobody was told of because it is one of many, people hear in a summary.
        return closed if self.is_untold and self.quiet else closed.telling_unless_silent(now)

    def retired(self, now: datetime) -> "Incident":
        """Retire a target that a deployment removed, and tell people which changes remain in place."""
        path = () if self.status in TERMINAL else (Status.ESCALATED,)
        left = self.maybe_done().moved(now, Reason.TARGET_REMOVED, *path)
        return replace(left, purpose=None).telling_unless_silent(now)

    def closed(self, now: datetime, by: str, why: str, reason: Reason = Reason.CLOSED) -> "Incident":
        """Close the incident of a target that a deployment removed. Its changes stay, and are people's."""
        path = () if self.status in TERMINAL else (Status.ESCALATED,)
        left = self.maybe_done()
        closed = replace(
            left.moved(now, reason, *path, Status.CLOSED),
            closure=Closure(by, iso(now), why, left.standing),
            standing=(),
            closed_at=iso(now),
            hold=self.hold if self.hold is not None and self.hold.outlives else None,
            guard=None,
            purpose=None,
        )
        return closed.telling_unless_silent(now)

    # Requests of people, and drift.

    def answering(self, *answers: Answered) -> "Incident":
        """Record the answers to people's requests, as a part of this write. The last answer to one counts."""
        ids = [each.id for each in answers]
        others = [each for each in self.requests if each.id not in ids]
        return replace(
            self,
            requests=(*others, *answers)[-ANSWERED:],
        )

    def released(self, now: datetime, mode: Mode | None = None) -> "Incident":
        """End the hold.

        Args:
            now: The time.
            mode: The mode in effect, if the hold expired. None if a person released it: then every remedy may
                be tried again, no version is avoided, and earlier incidents no longer count as flapping.

        """
        path = (Status.OPEN,) if self.status is Status.ESCALATED else ()
        moved = self.moved(now, Reason.RELEASED, *path)
        settled = None if path else self.settled_at
        freed = replace(moved, hold=None, guard=None, escalated_at=None, settled_at=settled, told_waits=())
        if mode is not None:
            return replace(freed, mode=mode)
        return replace(freed, tried=(), recent_incidents=(), rejected=(), quiet_since=None, quiet=0)

    def ended(self, now: datetime, reason: Reason, plan: Plan) -> "Incident":
        """Record that a change by the healer is no longer in place, because someone undid or accepted it."""
        return self.no_longer(plan).moved(now, reason)

    def reminded(self, now: datetime, reason: Reason | None = None) -> "Incident":
        """Remind people of what is unresolved. The reason stays as it is, unless another is given."""
        return replace(self.moved(now, reason or self.reason).telling(now), reminding=True)

    def kept_back(self) -> "Incident":
        """Count it as one that people hear of in a summary only. Not a write of its own."""
        return replace(self, quiet=self.quiet + (self.reminded_at is None))

    def _since_first(self, plan: Plan) -> Plan:
        """Return a plan with the value from before the first of two steps, which a revert puts back."""
        earlier = next((each.plan for each in self.standing if each.plan.key == plan.key), None)
        follows = earlier is not None and earlier.after == plan.before
        return replace(plan, before=earlier.before) if earlier is not None and follows else plan

    def _rejecting(self, plan: Plan) -> tuple[str, ...]:
        if plan.kind != RemedyKind.ROLLBACK_ALIAS or self.function is None:
            return self.rejected
        version = f"{self.function}:{plan.before}"
        return (*(each for each in self.rejected if each != version), version)[-KEPT:]

    def _done(self) -> "Incident":
        return replace(self, version=self.version + 1, effect=None, lease_until=None, attempts=0)

    def _hold(self, now: datetime, reason: Reason, until: str | None) -> Hold:
        hold, new = self.hold, Hold(reason, iso(now), until)
        if hold is not None:
            # The first reason is kept: a release must end the original hold, not one that follows from it.
            lasting = hold.until is None and hold.outlives and not new.outlives
            if reason is Reason.HELD or lasting:
                return hold
        return new

    def _intending(self, now: datetime, effect: Effect, reason: Reason, *path: Status) -> "Incident":
        moved = self.moved(now, reason, *path)
        return replace(moved, effect=effect, lease_until=iso(now + LEASE), attempts=1)

    def _passed(self, line: Transition, status: Status) -> "Incident":
        """Return the incident in the next state, with the transition recorded."""
        return replace(
            self,
            status=status,
            history=(*self.history, line)[-HISTORY:],
            transitions=self.transitions + 1,
            last_transition=line,
            acting_since=line.at if status is Status.ACTING is not self.status else self.acting_since,
            recoveries=self.recoveries + (status is Status.RECOVERED),
        )


def _settled(plan: Plan, now: datetime) -> str | None:
    return None if plan.kind in _CARRIED_OUT_LATER else iso(now)


def _step(plan: Plan, version: str) -> str:
    return f"{plan.key}@{version}"


def incident_id(target: str, now: datetime) -> str:
    """Return the id of an incident of a target that is opened now."""
    return f"{target}-{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}Z"


def not_before(moments: tuple[str, ...], earliest: datetime) -> tuple[str, ...]:
    """Return the moments at or after `earliest`."""
    return tuple([moment for moment in moments if parse_iso(moment) >= earliest])
