"""The operations: preview, up, refresh, destroy."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from sandbox.engine import deletion, launcher, recovery
from sandbox.engine.analysis import Analysis
from sandbox.engine.analyzer_api import Analyzer
from sandbox.engine.deployment import Deployment
from sandbox.engine.events import Diagnostic, Event, Op, Result, Severity
from sandbox.engine.journal import Journal
from sandbox.engine.monitor import Site, serve
from sandbox.engine.project import Project
from sandbox.engine.provider_api import Provider
from sandbox.engine.refresh import refresh_all
from sandbox.engine.run import Run
from sandbox.engine.stack_config import StackConfig
from sandbox.engine.state import State
from sandbox.engine.state_file import StateFile
from sandbox.errors import ProgramError, SandboxError

SECRET = "[secret]"  # noqa: S105  (what is shown instead of one)
"""What an export marked secret reads in a Result."""

_SHOWN_LINES = 20


class Engine:
    """Runs the operations of one stack, one at a time.

    `on_event` is called for every step, `on_diagnostic` for every message, one call at a time, from threads
    of the engine. What prevents an operation from beginning (another run holds the stack, the state is
    unreadable) is raised as a SandboxError; what goes wrong in it is in its Result.

    `analyzers` judge previews and ups: see `analysis`. What they find is among the Result's diagnostics.
    """

    def __init__(
        self,
        project: Project,
        stack: StackConfig,
        state: StateFile,
        provider: Provider,
        on_event: Callable[[Event], None] = lambda _: None,
        *,
        on_diagnostic: Callable[[Diagnostic], None] = lambda _: None,
        analyzers: Sequence[Analyzer] = (),
    ) -> None:
        self._project = project
        self._stack = stack
        self._file = state
        self._provider = provider
        self._on_event = on_event
        self._on_diagnostic = on_diagnostic
        self._analyzers = analyzers

    def preview(self, *, refresh: bool | None = None) -> Result:
        """Say what `up` would do. Nothing is changed and nothing is written.

        `refresh`: look at the live resources first; None follows `options: {refresh: always}` of Pulumi.yaml.
        """
        run = self._run(self._load(), dry_run=True)
        recovery.report_pending(run)
        return self._deploy(run, refresh=refresh)

    def up(self, *, refresh: bool | None = None) -> Result:
        """Create, update, replace and delete until the stack is what the program says.

        If the program or a step fails, the running steps are finished and recorded, nothing is deleted, and
        the next `up` goes on from there. `refresh` as for `preview`.
        """
        with self._file.lock():
            run = self._run(self._load(), dry_run=False)
            recovery.finish_pending(run, give_up=False)
            return self._deploy(run, refresh=refresh)

    def refresh(self) -> Result:
        """Record the live properties of every resource; drifted count as `update`, gone as `delete`."""
        with self._file.lock():
            run = self._run(self._load(), dry_run=False)
            recovery.finish_pending(run, give_up=False)
            drifted, gone = refresh_all(run)
            run.changes.clear()
            run.changes.update({Op.UPDATE.value: drifted, Op.DELETE.value: gone})
            return self._result(run)

    def destroy(self, *, refresh: bool | None = None) -> Result:
        """Delete everything, dependents first. Refused as a whole if one resource is protected.

        `refresh` as for `preview`. The program is not run.
        """
        with self._file.lock():
            run = self._run(self._load(), dry_run=False)
            recovery.finish_pending(run, give_up=True)
            run.changes.clear()
            if self._refreshes(refresh):
                refresh_all(run)
            with _failing(run):
                if not run.stopped:
                    deletion.delete_all(run, run.journal.resources())
            if run.failure is None:
                run.journal.exported({}, ())
            return self._result(run)

    def outputs(self) -> dict[str, object]:
        """Return the exports of the last `up` that ended well; secret ones read `[secret]`."""
        return self._result(self._run(self._load(), dry_run=True)).outputs

    def _deploy(self, run: Run, *, refresh: bool | None) -> Result:
        if self._refreshes(refresh):
            refresh_all(run)
        if run.stopped:
            return self._result(run)
        site = Site(self._project.name, self._stack.name, self._project.folder, self._stack.values)
        analysis = Analysis(run, self._analyzers, self._stack.values)
        deployment = Deployment(run, analysis)
        with serve(site, run, deployment) as address:
            code = launcher.run_program(site, address, run)
            if code != 0:
                run.fail(_program_error(run, code))
        with _failing(run):
            if run.failure is None:
                deployment.finish()
        if run.failure is None:
            run.journal.exported(deployment.outputs, tuple(sorted(deployment.secret_outputs)))
            with _failing(run):
                analysis.judge_stack(deployment.outputs, deployment.secret_outputs)
        return self._result(run)

    def _refreshes(self, asked: bool | None) -> bool:
        return self._project.refresh_always if asked is None else asked

    def _load(self) -> State:
        return self._file.load(self._project.name, self._stack.name)

    def _run(self, state: State, *, dry_run: bool) -> Run:
        return Run(
            Journal(state, (lambda _: None) if dry_run else self._file.save),
            self._provider,
            dry_run=dry_run,
            on_event=self._on_event,
            on_diagnostic=self._on_diagnostic,
        )

    @staticmethod
    def _result(run: Run) -> Result:
        outputs, secret = run.journal.outputs()
        return Result(
            ok=run.failure is None,
            error=run.failure,
            changes=+run.changes,
            outputs={key: SECRET if key in secret else value for key, value in outputs.items()},
            diagnostics=list(run.diagnostics),
        )


def _program_error(run: Run, code: int) -> ProgramError:
    """Return why the program failed: what it logged last as an error, else the end of what it printed."""
    logged = [
        item.message for item in run.diagnostics if item.severity is Severity.ERROR and item.violation is None
    ]
    if logged:
        return ProgramError(logged[-1])
    printed = "\n".join(item.message for item in run.diagnostics[-_SHOWN_LINES:])
    return ProgramError(f"The program ended with exit code {code}, after printing:\n{printed or '(nothing)'}")


@contextmanager
def _failing(run: Run) -> Generator[None]:
    """Make an error of the engine's own steps the run's failure: what was done before it is in the result."""
    try:
        yield
    except SandboxError as error:
        run.fail(error)
