"""Which properties of a resource the program gave.

What a program leaves out a provider may answer for, a role's inline policies for example: unknown at preview.
In AnalyzeStack that looks like an unknown that the program gave, for the engine names only those inputs that
depend on something (sdk/go/common/resource/plugin/analyzer_plugin.go: "Skip properties that have no
dependencies"). All inputs are told before, in Analyze.
"""

from typing import Any

from selfheal_policies import protocol


class Given:
    """The inputs of every resource that this process was told of, by URN."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._inputs: dict[str, frozenset[str]] = {}

    def note(self, request: Any) -> str:
        """Look at a request of Analyze."""
        self._inputs[request.urn] = frozenset(request.properties.fields)
        return ""

    def complete(self, request: Any) -> str:
        """Have every input among the property dependencies of a request of AnalyzeStack, as in the program.

        Of a resource of which Analyze was not told, every property counts as an input: what is unknown of it
        is no less a finding.
        """
        for resource in request.resources:
            inputs = self._inputs.get(resource.urn)
            for key in list(resource.properties.fields) if inputs is None else inputs:
                resource.propertyDependencies[key].SetInParent()
        return ""


def note_inputs() -> None:
    """Have this process do so; call it before serving the pack."""
    given = Given()
    protocol.before("Analyze", given.note)
    protocol.before("AnalyzeStack", given.complete)
