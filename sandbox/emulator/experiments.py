"""Experiments of AWS FIS: from their start to their end, which comes by itself.

Sources: AWS FIS user guide, "Manage your AWS FIS experiments", "Stop conditions for AWS FIS". Not looked at:
what the experiment's role may do, and the bucket through which AWS FIS tells the extension. A fault begins
and ends at once; on AWS that takes up to a minute.
"""

import copy
import logging
import random
import secrets
import time
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, cast

from selfheal.sandbox.emulator.fis_errors import invalid, missing
from selfheal.sandbox.emulator.fis_templates import AUTOMATION, OPTIONS, faults_of, split_arn, windows
from selfheal.sandbox.emulator.invocation_faults import InvocationFault, Met, extended, met

KEPT = 1000
"""Experiments; of more, those that ended are forgotten, the oldest first."""

SNAPSHOT = ("roleArn", "targets", "actions", "stopConditions", "logConfiguration", "experimentOptions")
"""What an experiment takes from its template."""

_INTERVAL = 1.0
_SUMMARY = ("id", "arn", "experimentTemplateId", "state", "creationTime", "tags", "experimentOptions")

_log = logging.getLogger(__name__)


class Experiments:
    """The experiments of this emulator; functions and alarms are looked up in these modules of ministack."""

    def __init__(self, modules: Mapping[str, Any], clock: Callable[[], float]) -> None:
        """Begin without one."""
        self._modules, self._clock = modules, clock
        self._lock = RLock()
        self._all: dict[str, dict[str, Any]] = {}
        self._faults: dict[str, list[InvocationFault]] = {}

    def meets(self, config: Mapping[str, Any]) -> Met:
        """Return what the next invocation of a function meets, given its configuration in ministack."""
        if not self._faults or not extended(config):
            return Met()
        with self._lock:
            faults = [fault for found in self._faults.values() for fault in found]
        arn = split_arn(config["FunctionArn"])[0]
        return met(faults, arn, config.get("Version", "$LATEST"), self._clock(), random.random)

    def run(self) -> None:
        """Look at the stop conditions once a second, for ever."""
        while True:
            try:
                self.look()
            except Exception:  # noqa: BLE001  (the next second may be better)
                _log.exception("the stop conditions of experiments were not looked at")
            time.sleep(_INTERVAL)

    def look(self) -> None:
        """End the faults of experiments whose time is over, or whose alarm is in ALARM now."""
        with self._lock:
            for id_ in list(self._faults):
                experiment = self._all[id_]
                if self._clock() >= experiment["ends"]:
                    del self._faults[id_]
                elif alarm := self._alarmed(experiment):
                    self._end(experiment, "stopped", f"Experiment halted by stop condition: {alarm}.")

    def start(self, template: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Start an experiment and return it as a client sees it. Raises FisError if it cannot run here."""
        if any(action["actionId"] == AUTOMATION for action in template["actions"].values()):
            raise invalid(
                f"the emulator does not run documents of Systems Manager, as {AUTOMATION} does: switch the "
                "downstream by the item of its table instead, or start this experiment on AWS"
            )
        mode = (given.get("experimentOptions") or {}).get("actionsMode", "run-all")
        if mode not in {"run-all", "skip-all"}:
            raise invalid(f"actionsMode must be run-all or skip-all, got {mode!r}")
        id_, now, responses = f"EXP{secrets.token_hex(7)}", self._clock(), self._modules["responses"]
        ends = max(end for _, end in windows(template["actions"], now).values())
        experiment: dict[str, Any] = {
            **{key: copy.deepcopy(template[key]) for key in SNAPSHOT if key in template},
            "experimentOptions": {**OPTIONS, **template["experimentOptions"], "actionsMode": mode},
            "id": id_,
            "arn": f"arn:aws:fis:{responses.get_region()}:{responses.get_account_id()}:experiment/{id_}",
            "experimentTemplateId": template["id"],
            "creationTime": now,
            "startTime": now,
            "tags": dict(given.get("tags") or {}),
            "ends": ends if mode == "run-all" else now,
            "ended": None,
        }
        with self._lock:
            self._all[id_] = experiment
            if mode == "run-all":
                self._begin(experiment)
            self._forget()
            seen = self._seen(experiment)
        return {**seen, "state": {"status": "initiating"}} if seen["state"]["status"] == "running" else seen

    def stop(self, id_: str) -> dict[str, Any]:
        """Stop an experiment and return it as a client sees it. Raises FisError if it does not run."""
        with self._lock:
            experiment = self._found(id_)
            if (status := self._status(experiment)) != "running":
                raise invalid(f"experiment {id_} cannot be stopped: it is {status}")
            self._end(experiment, "stopped", "Experiment stopped by user.")
            return {**self._seen(experiment), "state": {"status": "stopping"}}

    def seen(self, id_: str) -> dict[str, Any]:
        """Return an experiment as a client sees it. Raises FisError."""
        with self._lock:
            return self._seen(self._found(id_))

    def listed(self, template: str | None) -> list[dict[str, Any]]:
        """Return a summary of all experiments, or of those of a template."""
        with self._lock:
            found = [each for each in self._all.values() if template in {None, each["experimentTemplateId"]}]
            return [{key: seen[key] for key in _SUMMARY} for seen in map(self._seen, found)]

    def tags(self, id_: str) -> dict[str, str]:
        """Return the tags of an experiment, to be read and changed. Raises FisError."""
        return cast("dict[str, str]", self._found(id_)["tags"])

    def state(self) -> dict[str, Any]:
        """Return what outlives a restart: no fault does, so those that run are stopped in it."""
        with self._lock:
            found = copy.deepcopy(self._all)
        for experiment in found.values():
            if self._status(experiment) == "running":
                self._close(experiment, "stopped", "The emulator was stopped.")
        return found

    def load(self, found: Mapping[str, Any]) -> None:
        """Take over what `state` returned."""
        with self._lock:
            self._all, self._faults = dict(found), {}

    def _begin(self, experiment: dict[str, Any]) -> None:
        selected = {name: self._selected(target) for name, target in experiment["targets"].items()}
        empty = [name for name, functions in selected.items() if not functions]
        if empty and experiment["experimentOptions"]["emptyTargetResolutionMode"] == "fail":
            self._end(experiment, "failed", f"Target resolution returned empty set: {', '.join(empty)}.")
            return
        for condition in experiment["stopConditions"]:
            if condition["source"] != "none" and self._alarm(condition["value"]) is None:
                text = f"The alarm of a stop condition does not exist: {condition['value']}."
                self._end(experiment, "failed", text)
                return
        self._faults[experiment["id"]] = faults_of(experiment["actions"], selected, experiment["startTime"])
        self.look()

    def _selected(self, target: Mapping[str, Any]) -> frozenset[tuple[str, str | None]]:
        """Return the functions that a target selects, with the version that an alias names now."""
        found = [pair for arn in target["resourceArns"] if (pair := self._function(arn))]
        mode = target["selectionMode"]
        if mode.startswith("COUNT"):
            return frozenset(random.sample(found, min(len(found), int(mode[6:-1]))))
        if mode.startswith("PERCENT"):
            return frozenset(random.sample(found, len(found) * int(mode[8:-1]) // 100))
        return frozenset(found)

    def _function(self, arn: str) -> tuple[str, str | None] | None:
        base, qualifier = split_arn(arn)
        _, config, _ = self._modules["lambda_svc"]._get_func_record_for_ref(arn)  # noqa: SLF001
        if config is None:
            return None
        return base, None if qualifier is None else config.get("Version", "$LATEST")

    def _end(self, experiment: dict[str, Any], status: str, reason: str) -> None:
        self._faults.pop(experiment["id"], None)
        self._close(experiment, status, reason)

    def _close(self, experiment: dict[str, Any], status: str, reason: str) -> None:
        experiment["ended"] = {"at": self._clock(), "status": status, "reason": reason}

    def _status(self, experiment: Mapping[str, Any]) -> str:
        if experiment["ended"]:
            return str(experiment["ended"]["status"])
        return "completed" if self._clock() >= experiment["ends"] else "running"

    def _seen(self, experiment: Mapping[str, Any]) -> dict[str, Any]:
        status, ended = self._status(experiment), experiment["ended"] or {}
        until = self._clock() if status == "running" else ended.get("at", experiment["ends"])
        return {
            **{key: value for key, value in experiment.items() if key not in {"ends", "ended"}},
            **({} if status == "running" else {"endTime": until}),
            "state": {"status": status, "reason": ended.get("reason", f"Experiment is {status}.")},
            "actions": _seen_actions(experiment, status, until),
            "targetAccountConfigurationsCount": 0,
        }

    def _alarmed(self, experiment: Mapping[str, Any]) -> str | None:
        for condition in experiment["stopConditions"]:
            alarm = self._alarm(condition["value"]) if condition["source"] != "none" else None
            if alarm and alarm["StateValue"] == "ALARM":
                return str(condition["value"])
        return None

    def _alarm(self, arn: str) -> dict[str, Any] | None:
        _, _, _, region, account, _, name = arn.split(":", 6)
        cloudwatch = self._modules["cloudwatch"]
        with self._modules["responses"].request_scope(account, region):
            alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)  # noqa: SLF001
        return cast("dict[str, Any] | None", alarm)

    def _forget(self) -> None:
        ended = [id_ for id_, found in self._all.items() if self._status(found) != "running"]
        for id_ in ended[: max(0, len(self._all) - KEPT)]:
            del self._all[id_]

    def _found(self, id_: str) -> dict[str, Any]:
        if id_ not in self._all:
            raise missing("Experiment", id_)
        return self._all[id_]


def _seen_actions(experiment: Mapping[str, Any], status: str, until: float) -> dict[str, Any]:
    """Return the actions with their states at a moment, which is the end if the experiment has ended."""
    if experiment["experimentOptions"]["actionsMode"] == "skip-all":
        return {
            name: {**each, "state": {"status": "skipped"}} for name, each in experiment["actions"].items()
        }
    times = windows(experiment["actions"], experiment["startTime"])
    seen: dict[str, Any] = {}
    for name, action in experiment["actions"].items():
        begins, ends = times[name]
        moments: dict[str, float] = {}
        if status == "failed" or begins > until:
            state = "pending" if status == "running" else "cancelled"
        elif ends <= until:
            state, moments = "completed", {"startTime": begins, "endTime": ends}
        elif status == "running":
            state, moments = "running", {"startTime": begins}
        else:
            state, moments = "stopped", {"startTime": begins, "endTime": until}
        seen[name] = {**action, **moments, "state": {"status": state}}
    return seen
