"""Finishing what a run that was killed had begun, before anything else is done."""

from dataclasses import replace

from sandbox.engine.events import Op, Severity
from sandbox.engine.run import Run
from sandbox.engine.state import Pending


def finish_pending(run: Run, *, give_up: bool) -> None:
    """Repeat every step whose end was not recorded; each is idempotent by the provider's contract.

    A step that cannot be finished is a warning: the program may supersede it. Its record is kept, so that
    the next run tries again, unless `give_up` (a destroy, after which there would be nothing to try again
    with).
    """
    for pending in run.journal.pending():
        try:
            with run.slot():
                _finish(run, pending)
        except Exception as error:  # noqa: BLE001  (whatever it is, it must not keep the stack from its next run)
            run.say(
                Severity.WARNING,
                f"An interrupted run had begun to {pending.op} this, and it cannot be finished: {error}. "
                f"It may exist under the name in its inputs: {_names(pending)}.",
                pending.resource.urn,
            )
            if give_up or pending.op == "delete":
                run.journal.abandoned(pending.resource)


def report_pending(run: Run) -> None:
    """Say what an interrupted run left unfinished, for a preview, which finishes nothing."""
    for pending in run.journal.pending():
        run.say(
            Severity.WARNING,
            f"An interrupted run had begun to {pending.op} {pending.resource.label}; "
            "the next `up` finishes that first.",
            pending.resource.urn,
        )


def _finish(run: Run, pending: Pending) -> None:
    resource = pending.resource
    if pending.op == "create":
        with run.step(Op.CREATE, resource):
            id_, outputs = run.provider.create(resource.type, resource.inputs)
            run.journal.created(replace(resource, id=id_, outputs={**resource.inputs, **outputs}))
        return
    if pending.op == "delete":
        with run.step(Op.DELETE, resource):
            run.provider.delete(resource.type, resource.id, resource.inputs)
            run.journal.deleted(resource)
        return
    recorded = run.journal.live(resource.urn)
    before = recorded.inputs if recorded else resource.inputs
    with run.step(Op.UPDATE, resource):
        outputs = run.provider.update(resource.type, resource.id, before, resource.inputs)
        run.journal.changed(replace(resource, outputs={**resource.inputs, **outputs}))


def _names(pending: Pending) -> str:
    named = [
        f"{key}={value}" for key, value in pending.resource.inputs.items() if key.lower().endswith("name")
    ]
    return ", ".join(named) or "none is recorded"
