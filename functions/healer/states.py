"""The states of an incident and the ways between them. `moved` refuses any other; the docs come from here."""

from collections.abc import Mapping

from selfheal.functions.healer.words import Status

MEANING: Mapping[Status, str] = {
    Status.OPEN: "An alarm is borne out by its metrics; a guard or the next remedy decides what follows.",
    Status.PROPOSED: "A plan is recorded; in mode suggest people were asked to approve exactly this plan.",
    Status.ACTING: "An apply or a revert is intended. It may or may not have been done yet.",
    Status.VERIFYING: "The change is in place, or was taken back; evidence is being collected.",
    Status.INEFFECTIVE: "The evidence says that the remedy did not help; passed through, never rested in.",
    Status.INCONCLUSIVE: "There was not enough evidence in time; passed through, never rested in.",
    Status.ESCALATED: "People were called. The healer does nothing more until its hold ends.",
    Status.RECOVERED: "Evidence showed the service well for the stability window. The incident is over.",
}

WAYS: Mapping[tuple[Status, Status], str] = {
    (Status.OPEN, Status.OPEN): "a guard waits, or the next remedy's turn comes",
    (Status.OPEN, Status.PROPOSED): "the mode forbids acting",
    (Status.OPEN, Status.ACTING): "the intent to apply is recorded",
    (Status.OPEN, Status.ESCALATED): "no remedy is left, or a guard calls people",
    (Status.OPEN, Status.RECOVERED): "well by evidence",
    (Status.PROPOSED, Status.PROPOSED): "the world changed: a new plan",
    (Status.PROPOSED, Status.OPEN): "a remedy cannot be used, or a deployment is in progress",
    (Status.PROPOSED, Status.ACTING): "approved, or the mode allows it now",
    (Status.PROPOSED, Status.ESCALATED): "no remedy is left, or a guard calls people",
    (Status.PROPOSED, Status.RECOVERED): "well by evidence",
    (Status.ACTING, Status.ACTING): "an undone intent is made again",
    (Status.ACTING, Status.VERIFYING): "the change is in place, or was taken back under watch",
    (
        Status.ACTING,
        Status.OPEN,
    ): "not done: the alarm cleared or a guard waits; or undone: the next remedy's turn",
    (Status.ACTING, Status.PROPOSED): "not done, and the mode forbids it now",
    (Status.ACTING, Status.ESCALATED): "not possible, or rolled back, or applied a second time",
    (Status.VERIFYING, Status.RECOVERED): "well by evidence, for the stability window",
    (Status.VERIFYING, Status.INEFFECTIVE): "still failing by evidence",
    (Status.VERIFYING, Status.INCONCLUSIVE): "no evidence in time, or the value was changed",
    (Status.VERIFYING, Status.ACTING): "expired or rolled back: revert; relapsed: apply again",
    (Status.VERIFYING, Status.OPEN): "relapsed, and the mode asks for an approval",
    (Status.VERIFYING, Status.ESCALATED): "relapsed, and the healer may not act",
    (Status.INEFFECTIVE, Status.ACTING): "safe to revert: undo it first",
    (Status.INEFFECTIVE, Status.OPEN): "the next remedy's turn",
    (Status.INEFFECTIVE, Status.ESCALATED): "that was the last remedy",
    (Status.INCONCLUSIVE, Status.ESCALATED): "people decide",
    (Status.ESCALATED, Status.OPEN): "released, or the hold's time is over",
    (Status.ESCALATED, Status.ACTING): "rolled back by a person; expired: revert",
    (Status.ESCALATED, Status.RECOVERED): "well by evidence",
    (Status.RECOVERED, Status.ACTING): "restored by a person, or expired: revert under watch",
}
"""(from, to) to when. A new incident begins in OPEN."""

TERMINAL = frozenset({Status.RECOVERED, Status.ESCALATED})
"""Where every incident ends up if nobody does anything."""
