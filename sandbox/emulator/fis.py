"""AWS FIS, which ministack lacks: its operations and the experiment templates.

The wire form is that of the AWS FIS API reference. Sources of the behaviour: AWS FIS user guide, "Manage your
AWS FIS experiment templates" and "Manage your AWS FIS experiments".
"""

import copy
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import unquote

from selfheal.sandbox.emulator.experiments import SNAPSHOT, Experiments
from selfheal.sandbox.emulator.fis_errors import FisError, invalid, missing
from selfheal.sandbox.emulator.fis_templates import TemplateError, checked

Answer = tuple[int, dict[str, str], Any]

_SUMMARY = ("id", "arn", "description", "creationTime", "lastUpdateTime", "tags")


class Fis:
    """The service, in the place of a module of ministack: `handle_request`, and its state."""

    def __init__(self, modules: Mapping[str, Any], clock: Callable[[], float] = time.time) -> None:
        """Begin without a template. `modules` are ministack's."""
        self.experiments = Experiments(modules, clock)
        self._modules, self._clock = modules, clock
        self._templates: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, tuple[str, str]] = {}

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        """Answer a call."""
        del headers
        operation = self._modules["iam_actions"]._match_rest_action("fis", method, path, query)  # noqa: SLF001
        refused = self._modules["responses"].error_response_json
        try:
            answer = self.call(operation, unquote(path.strip("/").partition("/")[2]), _object(body), query)
        except TemplateError as error:
            return cast("Answer", refused("ValidationException", str(error)))
        except FisError as error:
            return cast("Answer", refused(error.code, str(error), error.status))
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def call(
        self, operation: str | None, id_: str, given: dict[str, Any], query: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the answer of an operation on what an id, or with tags an ARN, names.

        Raises FisError or TemplateError.
        """
        calls: dict[str, Callable[[], dict[str, Any]]] = {
            "CreateExperimentTemplate": lambda: {"experimentTemplate": self._create(given)},
            "GetExperimentTemplate": lambda: {"experimentTemplate": self._template(id_)},
            "UpdateExperimentTemplate": lambda: {"experimentTemplate": self._update(id_, given)},
            "DeleteExperimentTemplate": lambda: {"experimentTemplate": self._delete(id_)},
            "ListExperimentTemplates": lambda: {"experimentTemplates": self._listed()},
            "StartExperiment": lambda: {"experiment": self._start(given)},
            "GetExperiment": lambda: {"experiment": self.experiments.seen(id_)},
            "StopExperiment": lambda: {"experiment": self.experiments.stop(id_)},
            "ListExperiments": lambda: {
                "experiments": self.experiments.listed(
                    next(iter(query.get("experimentTemplateId") or []), None)
                )
            },
            "TagResource": lambda: self._tag(id_, given.get("tags") or {}),
            "UntagResource": lambda: self._untag(id_, query.get("tagKeys") or []),
            "ListTagsForResource": lambda: {"tags": self._tags(id_)},
        }
        if operation not in calls:
            raise invalid(f"the emulator has no {operation or 'such operation'} of AWS FIS")
        return calls[operation]()

    def get_state(self) -> dict[str, Any]:
        """Return what outlives a restart. No fault does."""
        return {"templates": copy.deepcopy(self._templates), "experiments": self.experiments.state()}

    def load_persisted_state(self, data: Mapping[str, Any]) -> None:
        """Take over what `get_state` returned."""
        self._templates, self._tokens = dict(data.get("templates") or {}), {}
        self.experiments.load(data.get("experiments") or {})

    def reset(self) -> None:
        """Forget everything."""
        self.load_persisted_state({})

    def _create(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._once(given, self._template, lambda: self._made(given))

    def _made(self, given: dict[str, Any]) -> dict[str, Any]:
        template = checked({key: value for key, value in given.items() if key != "clientToken"})
        id_, now = f"EXT{secrets.token_hex(7)}", self._clock()
        responses = self._modules["responses"]
        where = f"{responses.get_region()}:{responses.get_account_id()}"
        self._templates[id_] = {
            **template,
            "id": id_,
            "arn": f"arn:aws:fis:{where}:experiment-template/{id_}",
            "creationTime": now,
            "lastUpdateTime": now,
            "targetAccountConfigurationsCount": 0,
        }
        return self._templates[id_]

    def _update(self, id_: str, given: dict[str, Any]) -> dict[str, Any]:
        template = self._template(id_)
        kept = {key: template[key] for key in ("description", "tags", *SNAPSHOT) if key in template}
        options = {**template["experimentOptions"], **(given.get("experimentOptions") or {})}
        changed = checked({**kept, **given, "experimentOptions": options})
        rest = {key: value for key, value in template.items() if key not in kept}
        self._templates[id_] = {**rest, **changed, "lastUpdateTime": self._clock()}
        return self._templates[id_]

    def _delete(self, id_: str) -> dict[str, Any]:
        return self._templates.pop(self._template(id_)["id"])

    def _listed(self) -> list[dict[str, Any]]:
        return [{key: each[key] for key in _SUMMARY} for each in self._templates.values()]

    def _start(self, given: dict[str, Any]) -> dict[str, Any]:
        template = self._template(str(given.get("experimentTemplateId")))
        return self._once(given, self.experiments.seen, lambda: self.experiments.start(template, given))

    def _once(
        self,
        given: Mapping[str, Any],
        find: Callable[[str], dict[str, Any]],
        make: Callable[[], dict[str, Any]],
    ) -> dict[str, Any]:
        """Make something, or return what an earlier call with the same token made."""
        token, digest = str(given.get("clientToken")), json.dumps(given, sort_keys=True)
        if token in self._tokens:
            known, id_ = self._tokens[token]
            if known != digest:
                raise FisError("ConflictException", "the clientToken was used with other parameters", 409)
            return find(id_)
        made = make()
        self._tokens[token] = (digest, made["id"])
        return made

    def _tags(self, arn: str) -> dict[str, str]:
        kind, _, id_ = arn.rpartition(":")[2].partition("/")
        if kind == "experiment":
            return self.experiments.tags(id_)
        return cast("dict[str, str]", self._template(id_)["tags"])

    def _tag(self, arn: str, tags: Mapping[str, str]) -> dict[str, Any]:
        self._tags(arn).update(tags)
        return {}

    def _untag(self, arn: str, keys: list[str]) -> dict[str, Any]:
        for key in keys:
            self._tags(arn).pop(key, None)
        return {}

    def _template(self, id_: str) -> dict[str, Any]:
        if id_ not in self._templates:
            raise missing("Experiment template", id_)
        return self._templates[id_]


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body or b"{}")
    except ValueError as error:
        raise invalid("the body is not JSON") from error
    return cast("dict[str, Any]", given) if isinstance(given, dict) else {}
