"""The policy that reads what the owner says of a stack, for the rules of the same call."""

from collections.abc import Callable
from datetime import date
from typing import Any

from pulumi_policy import ReportViolation

from selfheal_policies import recognition, types
from selfheal_policies.engine_call import once
from selfheal_policies.recognition import Recognition
from selfheal_policies.rule import strings
from selfheal_policies.settings import ConfigurationError, configured
from selfheal_policies.waiver_policies import OnEverything, WaiverRule, sdk_properties

RECOGNITION = WaiverRule(
    name="selfheal-recognition",
    level="mandatory",
    severity="high",
    what="What the owner says of the stack can be read, and nobody is vouched for without end.",
    why="Whom the pack takes for a notifier on somebody's word may change anything, and no rule looks at it.",
    fix="Correct or remove the entry in the pack's configuration.",
    schema={
        "notifiers": {
            "type": "array",
            "items": {"type": "object"},
            "default": [],
            "description": (
                "What an alarm reaches, may change something, and heals nothing, each with `name` (logical, "
                "of a function or state machine), `reason`, and `expires` (the last day, such as 2027-03-31, "
                "UTC, within a year). Each use is reported by selfheal-waivers-used."
            ),
        },
        "levers": strings(
            "Names of tables and buckets whose content changes how something behaves: what an alarm reaches "
            "and may write them is a healer."
        ),
        "sandboxStacks": strings("Names of stacks that are not production."),
    },
)


class Recognizes(OnEverything):
    """Reads it for a call, and refuses vouchers without a reason or after their day."""

    def __init__(self, today: Callable[[], date]) -> None:
        super().__init__(**sdk_properties(RECOGNITION))
        self._today = today

    def validate(self, args: Any, report_violation: ReportViolation) -> None:
        """Read it for this call. What is refused is reported once: on the root of the stack."""
        try:
            found, refused = recognition.read(configured(RECOGNITION, args.get_config()), self._today())
        except ConfigurationError as error:
            found, refused = Recognition(), [str(error)]
        _holder().append(found)
        if getattr(args, "resource_type", "") == types.STACK:
            for text in refused:
                report_violation(f"{text[:1].upper()}{text[1:]}.\nWhy: {RECOGNITION.why}", None)


def recognized() -> Recognition:
    """Return what the owner says of the stack of this call."""
    return next(iter(_holder()), Recognition())


def _holder() -> list[Recognition]:
    return once("recognition", list[Recognition])
