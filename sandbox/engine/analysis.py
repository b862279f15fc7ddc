"""When the analyzers of a run are asked, and what their violations mean.

As the real engine does it: every registration is judged after the provider has checked it, the stack, the
components and the default provider among them; the stack as a whole at the end. At preview all violations are
collected, so that people see them at once; at up a mandatory one stops its resource before it is touched.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sandbox.engine import urn as urns
from sandbox.engine.analyzer_api import Analyzed, Analyzer, Level, Violation
from sandbox.engine.goal import Goal
from sandbox.engine.run import Run
from sandbox.engine.state import Resource
from sandbox.errors import PolicyError
from sandbox.provider import wire


class Analysis:
    """The analyzers of one run of a program. Its methods may be called from several threads."""

    def __init__(self, run: Run, analyzers: Sequence[Analyzer], config: Mapping[str, str]) -> None:
        """Prepare; `config` is the stack's, which holds what the default providers are configured with."""
        self._run = run
        self._analyzers = analyzers
        self._config = config
        self._goals: dict[str, Goal] = {}
        self._looked_up: list[Resource] = []
        self._providers: dict[str, Analyzed] = {}
        self._mandatory: list[Violation] = []
        self._guard = threading.Lock()

    def judge(self, goal: Goal, inputs: wire.Properties) -> wire.Properties:
        """Return the inputs as remediated. At up, raises PolicyError for a mandatory violation."""
        if not self._analyzers:
            return inputs
        provider = self._provider(goal)
        with self._guard:
            self._goals[goal.urn] = goal
        inputs = self.remediated(goal, inputs)
        self._report(self._analyze(_analyzed(goal, inputs, provider)), goal.urn)
        return inputs

    def remediated(self, goal: Goal, inputs: wire.Properties) -> wire.Properties:
        """Return the inputs after every analyzer's remediation."""
        for analyzer in self._analyzers:
            better = analyzer.remediate(_analyzed(goal, inputs, self._providers.get(goal.urn)))
            inputs = inputs if better is None else better
        return inputs

    def looked_up(self, resource: Resource) -> None:
        """Take a resource that the program reads into the stack's picture; by itself it is not judged."""
        with self._guard:
            self._looked_up.append(resource)

    def judge_stack(self, outputs: wire.Properties, secrets: frozenset[str]) -> None:
        """Judge all that was registered; `outputs` are the program's exports.

        Raises PolicyError if this or, at preview, any registration broke a mandatory policy.
        """
        if not self._analyzers:
            return
        found: list[Analyzed] = list({item.urn: item for item in self._providers.values()}.values())
        for resource in self._run.journal.resources():
            goal = self._goals.get(resource.urn)
            if goal is not None and not resource.replaced:
                found.append(self._final(goal, resource, outputs, secrets))
        found += [
            Analyzed(item.urn, item.type, item.name, {"id": item.id, **item.outputs}, parent=item.parent)
            for item in self._looked_up
        ]
        violations = [item for analyzer in self._analyzers for item in analyzer.analyze_stack(found)]
        root = next((item.urn for item in found if item.type == urns.STACK_TYPE), "")
        self._tell(violations, {item.urn for item in found}, root)
        if self._mandatory:
            raise PolicyError(_summary(self._mandatory))

    def _analyze(self, resource: Analyzed) -> list[Violation]:
        return [violation for analyzer in self._analyzers for violation in analyzer.analyze(resource)]

    def _report(self, violations: list[Violation], urn: str) -> None:
        self._tell([replace(item, urn=urn) for item in violations], {urn}, urn)
        mandatory = [item for item in violations if item.level is Level.MANDATORY]
        if mandatory and not self._run.dry_run:
            raise PolicyError(_summary(mandatory))

    def _tell(self, violations: Iterable[Violation], known: set[str], root: str) -> None:
        for violation in violations:
            named = violation if violation.urn in known else replace(violation, urn=root)
            if named.level is Level.MANDATORY:
                with self._guard:
                    self._mandatory.append(named)
            self._run.violated(named)

    def _provider(self, goal: Goal) -> Analyzed | None:
        """Return the default provider that a resource uses, judged when it is first needed."""
        if not goal.custom:
            return None
        package = goal.type.split(":")[0]
        suffix = f"_{goal.version.replace('.', '_')}" if goal.version else ""
        type_, name = f"pulumi:providers:{package}", f"default{suffix}"
        urn = urns.make(*urns.root_of(goal.urn), "", type_, name)
        with self._guard:
            known = next((item for item in self._providers.values() if item.urn == urn), None)
            given = {
                key.removeprefix(f"{package}:"): value
                for key, value in self._config.items()
                if key.startswith(f"{package}:")
            }
            version = {"version": goal.version} if goal.version else {}
            provider = known or Analyzed(urn, type_, name, {**given, **version})
            self._providers[goal.urn] = provider
        if known is None:
            self._report(self._analyze(provider), urn)
        return provider

    def _final(
        self, goal: Goal, resource: Resource, exports: wire.Properties, secrets: frozenset[str]
    ) -> Analyzed:
        if goal.type == urns.STACK_TYPE:
            return replace(_analyzed(goal, exports, None), secrets=secrets)
        outputs = resource.outputs
        if goal.custom:
            outputs = {"id": resource.id or wire.UNKNOWN, **outputs}
        return _analyzed(goal, outputs, self._providers.get(goal.urn))


def _analyzed(goal: Goal, properties: wire.Properties, provider: Analyzed | None) -> Analyzed:
    return Analyzed(
        urn=goal.urn,
        type=goal.type,
        name=goal.name,
        properties=properties,
        secrets=goal.secrets,
        parent=goal.parent,
        dependencies=goal.dependencies,
        property_dependencies=dict(goal.property_dependencies),
        protect=goal.protect,
        ignore_changes=goal.ignore_changes,
        delete_before_replace=goal.delete_before_replace,
        provider=provider,
    )


def _summary(mandatory: list[Violation]) -> str:
    names = sorted({item.policy for item in mandatory})
    many = "a mandatory policy is" if len(names) == 1 else f"{len(names)} mandatory policies are"
    first = mandatory[0].message if len(mandatory) == 1 else f"{len(mandatory)} violations, listed above"
    return f"{many} violated: {', '.join(names)}: {first}"
