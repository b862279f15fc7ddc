"""A fault that AWS FIS makes, from the experiment template that the stack deployed for the scenario."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selfheal.cli.chaos.record import Undo
from selfheal.cli.errors import CliError
from selfheal.scenarios.faults import FunctionFault

RUN_TAG = "selfheal:run"
"""Tag of an experiment of FIS: the run that started it."""

START_SECONDS = 120
"""How long FIS may take until an experiment runs. AWS takes up to a minute."""


@dataclass
class Experiment:
    """An experiment of FIS, from the template that the stack deployed for the scenario."""

    fis: Any
    template: str
    fault: FunctionFault
    function: str
    """Name of the deployed function that it is about."""
    seconds: int
    """How long the scenario's fault lasts."""
    run_id: str
    id: str = ""
    """Once it has been started."""
    _started: float = field(default=0.0, repr=False)

    @property
    def how(self) -> str:
        """FIS, and its template."""
        return (
            f"by AWS FIS, experiment template {self.template}{f', experiment {self.id}' if self.id else ''}"
        )

    @property
    def undo(self) -> tuple[Undo, ...]:
        """Whatever this run started from the template."""
        return (Undo("experiment", {"template": self.template, "run": self.run_id}),)

    def problem(self) -> str:
        """Return where the template is not what the scenario says: somebody may have changed it by hand."""
        found = self.fis.get_experiment_template(id=self.template)["experimentTemplate"]
        actions, targets = list(found.get("actions", {}).values()), found.get("targets", {})
        if len(actions) != 1 or actions[0]["actionId"] != self.fault.fis_action:
            has = ", ".join(str(each["actionId"]) for each in actions) or "nothing"
            return self._differs(f"does {has}", f"is {self.fault.fis_action}")
        broken = {name for each in targets.values() for name in _functions_of(each)}
        if broken != {self.function}:
            return self._differs(
                f"breaks {', '.join(sorted(broken)) or 'nothing'}", f"breaks {self.function}"
            )
        given = dict(actions[0].get("parameters", {}))
        percent = int(given.pop("invocationPercentage", "100"))
        if percent != self.fault.percent:
            return (
                f"the template {self.template} breaks {percent} % of the invocations and not "
                f"{self.fault.percent} %: deploy the stack with that percentage"
            )
        duration = str(given.pop("duration", "PT0S"))
        if seconds_of(duration) != self.seconds:
            return self._differs(f"lasts {duration}", f"lasts {self.seconds} s")
        if given != self.fault.fis_parameters:
            return self._differs(f"has {_pairs(given)}", f"has {_pairs(self.fault.fis_parameters)}")
        return ""

    def _differs(self, template: str, scenario: str) -> str:
        return (
            f"the template {self.template} {template} and the scenario {scenario}: deploy the stack with "
            "this scenario"
        )

    def make(self) -> None:
        """Start it."""
        # The token makes it one experiment, however often the call is repeated.
        started = self.fis.start_experiment(
            clientToken=self.run_id, experimentTemplateId=self.template, tags={RUN_TAG: self.run_id}
        )["experiment"]
        self.id, self._started = started["id"], time.monotonic()

    def begun(self) -> bool:
        """Return whether FIS runs it by now."""
        state = self._state()
        if state["status"] in {"pending", "initiating"}:
            if time.monotonic() - self._started > START_SECONDS:
                raise CliError(f"FIS has not begun the experiment {self.id} within {START_SECONDS} s.")
            return False
        if state["status"] not in {"running", "completed"}:
            raise CliError(f"FIS did not run the experiment {self.id}: {_state_text(state)}.")
        return True

    def keep(self) -> str:
        """Return whether FIS ended it early: a stop condition, a person, or a failure."""
        state = self._state()
        if state["status"] in {"running", "completed"}:
            return ""
        return f"FIS ended the experiment: {_state_text(state)}"

    def _state(self) -> Mapping[str, str]:
        state: Mapping[str, str] = self.fis.get_experiment(id=self.id)["experiment"]["state"]
        return state


def seconds_of(duration: str) -> int:
    """Return the seconds of a duration as FIS has it, such as PT90S or PT2M.

    Raises:
        CliError: when it is another form.

    """
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", duration)
    if found is None:
        raise CliError(f"the template's duration {duration!r} cannot be read")
    hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def _functions_of(target: Mapping[str, Any]) -> list[str]:
    """Return the names of the functions of a target, and words for those that it does not name."""
    arns: list[str] = target.get("resourceArns") or []
    # arn:aws:lambda:region:account:function:name, and a version or an alias may follow.
    return [":".join(arn.split(":")[6:]) or arn for arn in arns] or ["functions by their tags"]


def _pairs(parameters: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(parameters.items())) or "no parameters"


def _state_text(state: Mapping[str, str]) -> str:
    return " ".join(each for each in (state["status"], state.get("reason", "")) if each)
