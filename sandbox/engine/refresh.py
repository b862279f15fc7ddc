"""Comparing the state with what is live: drift then shows as a difference, and the next `up` puts it back."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sandbox.engine.events import Op
from sandbox.engine.run import PARALLEL, Run
from sandbox.engine.state import Resource


def refresh_all(run: Run) -> tuple[int, int]:
    """Read every managed resource and record its live properties; forget those that are gone.

    Returns (drifted, gone). A read that fails is the run's failure: deciding on stale facts would be worse.
    """
    resources = [
        item for item in run.journal.resources() if item.custom and not item.external and not item.replaced
    ]
    found: list[bool | None] = []
    with ThreadPoolExecutor(PARALLEL) as pool:
        for future in [pool.submit(_refresh_one, run, item) for item in resources]:
            try:
                found.append(future.result())
            except Exception as error:  # noqa: BLE001  (all others are read to their end first)
                run.fail(error)
    return found.count(True), found.count(None)


def _refresh_one(run: Run, resource: Resource) -> bool | None:
    """Return whether the resource has drifted; None if it is gone."""
    shape = replace(resource)
    live = None
    try:
        live = run.provider.read(resource.type, resource.id, resource.inputs)
    except Exception:
        with run.step(Op.REFRESH, shape, counted=False):
            raise
    if live is None:
        with run.step(Op.DELETE, shape, counted=False):
            run.journal.deleted(resource)
        return None
    inputs = {**resource.inputs, **live[0]}
    changed = tuple(run.provider.diff(resource.type, resource.inputs, inputs).changed)
    outputs = {**inputs, **live[1]}
    if not changed:
        inputs = resource.inputs  # the same in the provider's eyes: keep the program's spelling
    if changed:
        with run.step(Op.REFRESH, shape, changed, counted=False):
            run.journal.changed(replace(resource, inputs=inputs, outputs=outputs))
        return True
    run.journal.changed(replace(resource, inputs=inputs, outputs=outputs))
    return False
