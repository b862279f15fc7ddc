"""What the parts of one operation share: journal, provider, counters, the first failure."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager

from sandbox.engine.analyzer_api import Level, Violation
from sandbox.engine.events import Diagnostic, Event, Op, Severity, Status
from sandbox.engine.journal import Journal
from sandbox.engine.provider_api import Provider
from sandbox.engine.state import Resource
from sandbox.errors import SandboxError

PARALLEL = 16
"""Steps that run at once; the default of the Pulumi CLI's `--parallel` on four cores."""


class StoppedError(Exception):
    """The run is ending because of an earlier failure; nothing new is begun."""


class Run:
    """One preview, up, refresh or destroy. Its methods may be called from several threads."""

    def __init__(
        self,
        journal: Journal,
        provider: Provider,
        *,
        dry_run: bool,
        on_event: Callable[[Event], None],
        on_diagnostic: Callable[[Diagnostic], None],
    ) -> None:
        self.journal = journal
        self.provider = provider
        self.dry_run = dry_run
        self.changes: Counter[str] = Counter()
        self.diagnostics: list[Diagnostic] = []
        self.failure: str | None = None
        """The first error; it names the resource."""
        self._on_event = on_event
        self._on_diagnostic = on_diagnostic
        self._guard = threading.RLock()
        self._idle = threading.Condition(self._guard)
        self._slots = threading.BoundedSemaphore(PARALLEL)
        self._active = 0
        self._stopped = False

    @contextmanager
    def step(
        self, op: Op, resource: Resource, changed: tuple[str, ...] = (), *, counted: bool = True
    ) -> Generator[None]:
        """Report the step's start and end, and count it if it ends well (and `counted`).

        Every error leaves as a SandboxError whose text begins with the resource's type and name.
        """
        told = op not in {Op.SAME, Op.READ} and not self.dry_run
        if told:
            self._tell(op, resource, Status.START, changed)
        try:
            yield
        except Exception as error:
            named = name_error(error, resource.label)
            self._tell(op, resource, Status.FAILED, changed, str(named))
            raise named from error
        with self._guard:
            if counted:
                self.changes[op.value] += 1
        self._tell(op, resource, Status.DONE, changed)

    @contextmanager
    def slot(self) -> Generator[None]:
        """Hold one of the PARALLEL places; raises StoppedError once the run is ending."""
        with self._guard:
            self._active += 1
        try:
            with self._slots:
                if self._stopped:
                    raise StoppedError
                yield
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()

    def fail(self, error: BaseException) -> None:
        """Remember the first failure and begin nothing new."""
        with self._guard:
            if self.failure is None:
                self.failure = str(error)
            self._stopped = True

    @property
    def stopped(self) -> bool:
        """Whether nothing new may begin."""
        return self._stopped

    def drain(self) -> None:
        """Wait until every step that began has ended."""
        with self._idle:
            self._idle.wait_for(lambda: self._active == 0)

    def say(self, severity: Severity, message: str, urn: str = "") -> None:
        """Add a diagnostic."""
        self._add(Diagnostic(severity, message, urn))

    def violated(self, violation: Violation) -> None:
        """Add a diagnostic of what a policy found."""
        severity = Severity.ERROR if violation.level is Level.MANDATORY else Severity.WARNING
        self._add(Diagnostic(severity, violation.message, violation.urn, violation))

    def _add(self, diagnostic: Diagnostic) -> None:
        with self._guard:
            self.diagnostics.append(diagnostic)
            self._on_diagnostic(diagnostic)

    def seed(self, urn: str, generation: int) -> str:
        """Return an auto-name's seed: 64 hex digits, the same until the resource is replaced or deleted."""
        return hashlib.sha256(f"{self.journal.seed}\0{urn}\0{generation}".encode()).hexdigest()

    def _tell(
        self, op: Op, resource: Resource, status: Status, changed: tuple[str, ...] = (), error: str = ""
    ) -> None:
        with self._guard:  # one at a time: what listens need not be made for threads
            self._on_event(Event(op, resource.urn, resource.type, resource.name, status, changed, error))


def name_error(error: BaseException, label: str) -> SandboxError:
    """Return the error as one of the sandbox's, with the resource in front of its text."""
    text = str(error)
    if isinstance(error, SandboxError):
        return error if text.startswith(label) else type(error)(f"{label}: {text}")
    return SandboxError(f"{label}: {type(error).__name__}: {text}")
