"""What a person can do after a request was refused: for notices and for the command line."""

from collections.abc import Mapping

from selfheal.functions.healer.incident_fields import Answered
from selfheal.functions.healer.states import Reason, Verb

_LOOK = "`selfheal incidents show {about}` lists what can be done."

_NEXT: Mapping[Reason, str] = {
    Reason.COMMAND_EXPIRED: (
        "It was not done before its time was over, or only a part of it. What stands is in "
        "`selfheal incidents show {about}`. Ask again if it is still wanted."
    ),
    Reason.COMMAND_REFUSED: f"It does not fit the incident as it is by now. {_LOOK}",
    Reason.VALID_TOO_LONG: "A request is valid for 24 hours at most. Ask again, for less.",
    Reason.NO_REMEDY: (
        "The setting is no remedy of the target any more, and the healer may not change it: put the value "
        "back by hand."
    ),
    Reason.REVERT_REFUSED: (
        "An alarm rings, and the incident blames the value that would come back. Ask again once no alarm "
        "rings, or change the value by hand."
    ),
    Reason.VALUE_CHANGED: (
        "Somebody else has changed the value, and the healer does not overwrite theirs: agree on one with "
        "them."
    ),
    Reason.TARGET_REMOVED: (
        "A deployment removed the target, and the healer touches nothing of it. Put back by hand what must "
        "not stand, then `selfheal close {about} --why TEXT`."
    ),
    Reason.TARGET_REPOINTED: (
        "A deployment has pointed the target to another function, and the incident was about the one before. "
        "What stands on that one is to be put back by hand."
    ),
    Reason.APPROVAL_STALE: (
        "Something has changed since the plan was made. Read the new one and approve that: "
        "`selfheal incidents show {about}`."
    ),
    Reason.APPROVAL_EXPIRED: (
        "A guard kept the plan waiting, or no alarm was borne out, until the approval was over. Approve "
        "again if it is still wanted."
    ),
    Reason.BUDGET_SPENT: (
        "The budget of remediations is spent. When it frees up, the plan is proposed again: approve it then. "
        "`selfheal incidents show {about}` says when."
    ),
}

_FORBIDDEN: Mapping[bool, str] = {
    True: (
        "The mode in effect is observe, in which no approval is honoured: `selfheal mode` shows who "
        "restricted it. Approve again when that is over."
    ),
    False: (
        "The baseline is observe, in which the healer's role may change nothing. Undo it with `pulumi up`, "
        "or by hand."
    ),
}


def what_next(answered: Answered, about: str) -> str:
    """Return what to do after a refusal.

    Args:
        answered: The request, with the healer's answer.
        about: Id of the incident.

    """
    if answered.answer is Reason.MODE_FORBIDS:
        return _FORBIDDEN[answered.verb is Verb.APPROVE]
    return _NEXT.get(answered.answer, _LOOK).format(about=about)
