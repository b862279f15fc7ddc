"""Deleting resources: one, all that nothing names any more, and those in the way of a replacement."""

from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from sandbox.engine.events import Op
from sandbox.engine.ordering import blockers
from sandbox.engine.run import PARALLEL, Run
from sandbox.engine.state import Resource
from sandbox.errors import ProtectedError
from sandbox.provider import wire


def delete_one(run: Run, resource: Resource, *, counted: bool = True) -> None:
    """Delete a resource and its record. Components have a record only; external ones are just forgotten."""
    if resource.external:
        run.journal.deleted(resource)
        return
    with run.step(Op.DELETE, resource, counted=counted and not resource.replaced):
        if resource.custom and not run.dry_run:
            run.journal.begin("delete", resource)
            try:
                run.provider.delete(resource.type, resource.id, resource.inputs)
            except Exception:
                run.journal.abandoned(resource)
                raise
        run.journal.deleted(resource)


def delete_all(run: Run, doomed: Collection[Resource]) -> None:
    """Delete all of `doomed`, dependents first, PARALLEL at a time; after a failure the running ones end.

    Raises ProtectedError, before anything is deleted, if one of them is protected.
    """
    refuse_protected(doomed)
    graph = blockers(doomed)
    done: set[int] = set()
    running: dict[Future[None], int] = {}
    with ThreadPoolExecutor(PARALLEL) as pool:
        while len(done) < len(graph):
            for place, (resource, waits) in enumerate(graph):
                if place not in done and place not in running.values() and waits <= done and not run.stopped:
                    running[pool.submit(delete_one, run, resource)] = place
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                place = running.pop(future)
                error = future.exception()
                if error is None:
                    done.add(place)
                else:
                    run.fail(error)


def refuse_protected(doomed: Collection[Resource]) -> None:
    """Raise ProtectedError naming every protected resource among `doomed`."""
    protected = [item.label for item in doomed if item.protect and not item.replaced]
    if protected:
        raise ProtectedError(
            f"{', '.join(protected)} cannot be deleted because it is protected. To delete it, "
            "remove `protect` from it in the program, run `up`, and try again."
        )


def in_the_way(run: Run, target: Resource, registered: Collection[str]) -> list[Resource]:
    """Return the resources that must be deleted before `target` can be, nearest the leaves first.

    Those are its dependents, and theirs, that would themselves be replaced if the properties that refer to it
    changed; as in the real engine. What this run has registered already does not depend on it any more.
    """
    found: dict[str, Resource] = {}

    def visit(resource: Resource) -> None:
        for candidate in run.journal.resources():
            keys = [key for key, urns in candidate.property_dependencies.items() if resource.urn in urns]
            skipped = candidate.urn in found or candidate.urn in registered or candidate.replaced
            if skipped or not keys or not candidate.custom or candidate.external:
                continue
            unknown = {**candidate.inputs, **dict.fromkeys(keys, wire.UNKNOWN)}
            if run.provider.diff(candidate.type, candidate.inputs, unknown).replace:
                visit(candidate)
                found[candidate.urn] = candidate

    visit(target)
    return list(found.values())
