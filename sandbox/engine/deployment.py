"""What happens to each resource that the program registers: create, update, replace, or leave as it is."""

import threading
from dataclasses import dataclass, replace
from typing import Any

from sandbox.engine import deletion, paths
from sandbox.engine.analysis import Analysis
from sandbox.engine.events import Op
from sandbox.engine.goal import Goal
from sandbox.engine.run import Run, name_error
from sandbox.engine.state import Resource
from sandbox.errors import DuplicateUrnError, ProtectedError, ProviderError, UnsupportedError
from sandbox.provider import wire


@dataclass(frozen=True)
class Outcome:
    """What the program is told about a resource; `id` is "" while it is unknown."""

    id: str
    outputs: wire.Properties
    secrets: frozenset[str] = frozenset()


class Deployment:
    """The registrations of one run of the program. Its methods are called from several threads."""

    def __init__(self, run: Run, analysis: Analysis) -> None:
        self._run = run
        self._analysis = analysis
        self._registered: set[str] = set()
        self._deleted_early: dict[str, Resource] = {}
        self._guard = threading.Lock()
        self._early_guard = threading.Lock()
        self.outputs: wire.Properties = {}
        """The program's exports, once it has registered them."""
        self.secret_outputs: frozenset[str] = frozenset()

    def register(self, goal: Goal) -> Outcome:
        """Bring one resource to what the program wants. Raises SandboxError naming the resource."""
        with self._run.slot():
            try:
                self._claim(goal.urn, goal.aliases)
                return self._custom(goal) if goal.custom else self._component(goal)
            except Exception as error:
                raise name_error(error, goal.label) from error

    def read(self, wanted: Resource) -> Outcome:
        """Look up a resource that the stack does not manage (`Resource.get`)."""
        with self._run.slot(), self._run.step(Op.READ, wanted):
            self._claim(wanted.urn, ())
            known = self._run.journal.live(wanted.urn)
            if known is not None and not known.external:
                raise UnsupportedError(
                    "This stack manages a resource of that name. Give the looked-up one another name."
                )
            if wire.is_unknown(wanted.id):
                return Outcome("", {})
            found = self._run.provider.read(wanted.type, wanted.id, wanted.inputs)
            if found is None:
                raise ProviderError(f"There is none with the id '{wanted.id}'. Check the id and the region.")
            read = replace(wanted, outputs=dict(found[1]))
            self._run.journal.changed(read)
            self._analysis.looked_up(read)
            return Outcome(wanted.id, dict(found[1]))

    def register_outputs(
        self, urn: str, outputs: wire.Properties, secrets: frozenset[str], *, root: bool
    ) -> None:
        """Record a component's outputs; hold the program's exports (`root`) until its end."""
        if root:
            self.outputs, self.secret_outputs = outputs, secrets
            return
        known = self._run.journal.live(urn)
        if known is None or known.custom:
            raise UnsupportedError(
                f"Outputs can be registered for components of this program only, not for {urn}."
            )
        self._run.journal.changed(
            replace(known, outputs=outputs, secrets=tuple(sorted({*known.secrets, *secrets})))
        )

    def finish(self) -> None:
        """Delete what is no longer registered or was replaced; only after all went well."""
        self._run.changes[Op.DELETE.value] += len(self._deleted_early.keys() - self._registered)
        doomed = [
            item
            for item in self._run.journal.resources()
            if item.replaced or item.urn not in self._registered
        ]
        deletion.delete_all(self._run, doomed)

    def _claim(self, urn: str, aliases: tuple[str, ...]) -> None:
        with self._guard:
            if urn in self._registered:
                raise DuplicateUrnError(
                    f"Duplicate resource URN '{urn}': the program registers it twice. Give each resource "
                    "of one type and parent a name of its own."
                )
            self._registered.add(urn)
        former = next((alias for alias in aliases if self._run.journal.live(alias)), None)
        if former is not None and self._run.journal.live(urn) is None:
            raise UnsupportedError(
                f"The state knows it as {former} (an alias); the sandbox does not move resources between "
                "names. Destroy the stack and bring it up again."
            )

    def _component(self, goal: Goal) -> Outcome:
        inputs = self._analysis.judge(goal, goal.inputs)
        old = self._run.journal.live(goal.urn)
        new = _resource(goal, inputs, old)
        changed = _differing(old.inputs, inputs) if old else ()
        op = Op.CREATE if old is None else Op.UPDATE if changed else Op.SAME
        with self._run.step(op, new, changed):
            self._run.journal.changed(new)
        return Outcome("", inputs, goal.secrets)

    def _custom(self, goal: Goal) -> Outcome:
        run = self._run
        old = run.journal.live(goal.urn)
        if old is not None and old.external:
            old = None
        wanted = paths.keep_old(goal.inputs, old.inputs, goal.ignore_changes) if old else goal.inputs
        seed = run.seed(goal.urn, run.journal.generation(goal.urn))
        checked = run.provider.check(goal.type, goal.name, wanted, old.inputs if old else None, seed)
        inputs = self._analysis.judge(goal, checked)
        if old is None:
            early = self._deleted_early.get(goal.urn)
            return self._create(goal, inputs, Op.REPLACE if early else Op.CREATE)
        diff = run.provider.diff(goal.type, old.inputs, inputs)
        forced = paths.touched(old.inputs, inputs, goal.replace_on_changes)
        if diff.replace or forced:
            chosen = goal.delete_before_replace
            before = diff.delete_before_replace if chosen is None else chosen
            return self._replace(goal, wanted, old, tuple(diff.replace or forced), before=before)
        if diff.changed or self._update_unfinished(goal.urn):
            return self._update(goal, inputs, old, tuple(diff.changed))
        new = _resource(goal, inputs, old)
        with run.step(Op.SAME, new):
            run.journal.changed(new)
        return self._outcome(goal, new)

    def _create(self, goal: Goal, inputs: wire.Properties, op: Op, changed: tuple[str, ...] = ()) -> Outcome:
        run = self._run
        planned = _resource(goal, inputs, None)
        with run.step(op, planned, changed):
            if run.dry_run:
                outputs = run.provider.preview(goal.type, inputs, None)
                made = replace(planned, outputs={**inputs, **outputs})
            else:
                run.journal.begin("create", planned)
                try:
                    id_, outputs = run.provider.create(goal.type, inputs)
                except Exception:
                    run.journal.abandoned(planned)
                    raise
                made = replace(planned, id=id_, outputs={**inputs, **outputs})
            run.journal.created(made)
        return self._outcome(goal, made)

    def _update(
        self, goal: Goal, inputs: wire.Properties, old: Resource, changed: tuple[str, ...]
    ) -> Outcome:
        run = self._run
        planned = _resource(goal, inputs, old)
        with run.step(Op.UPDATE, planned, changed):
            if run.dry_run:
                outputs = run.provider.preview(goal.type, inputs, old.outputs)
            else:
                run.journal.begin("update", planned)
                try:
                    outputs = run.provider.update(goal.type, old.id, old.inputs, inputs)
                except Exception:
                    run.journal.abandoned(
                        planned
                    )  # the recorded inputs stay the old ones: the next run tries again
                    raise
            made = replace(planned, outputs={**inputs, **outputs})
            run.journal.changed(made)
        return self._outcome(goal, made)

    def _replace(
        self, goal: Goal, wanted: wire.Properties, old: Resource, changed: tuple[str, ...], *, before: bool
    ) -> Outcome:
        run = self._run
        if old.protect:
            raise ProtectedError(
                f"It would have to be replaced because of {', '.join(changed)}, but it is "
                "protected. To replace it, remove `protect` from it in the program, run `up` with "
                "the earlier values, and try again."
            )
        next_seed = run.seed(goal.urn, run.journal.generation(goal.urn) + 1)
        checked = run.provider.check(goal.type, goal.name, wanted, None, next_seed)
        inputs = self._analysis.remediated(goal, checked)
        if before and not run.dry_run:
            with self._early_guard:
                self._delete_early(old)
        return self._create(goal, inputs, Op.REPLACE, changed)

    def _delete_early(self, old: Resource) -> None:
        with self._guard:
            registered = set(self._registered)
        blocking = deletion.in_the_way(self._run, old, registered)
        deletion.refuse_protected(blocking)
        for resource in (*blocking, old):
            deletion.delete_one(self._run, resource, counted=False)
            self._deleted_early[resource.urn] = resource

    def _update_unfinished(self, urn: str) -> bool:
        return any(item.op == "update" and item.resource.urn == urn for item in self._run.journal.pending())

    @staticmethod
    def _outcome(goal: Goal, resource: Resource) -> Outcome:
        return Outcome(resource.id, resource.outputs, goal.secrets)


def _resource(goal: Goal, inputs: wire.Properties, old: Resource | None) -> Resource:
    return Resource(
        urn=goal.urn,
        type=goal.type,
        name=goal.name,
        custom=goal.custom,
        id=old.id if old else "",
        parent=goal.parent,
        inputs=inputs,
        outputs=old.outputs if old else {},
        dependencies=goal.dependencies,
        property_dependencies=dict(goal.property_dependencies),
        secrets=tuple(sorted(goal.secrets)),
        protect=goal.protect,
    )


def _differing(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(key for key in {*old, *new} if old.get(key) != new.get(key)))
