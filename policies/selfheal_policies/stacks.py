"""Whether a stack is a sandbox: its configuration key `sandbox`, of its project. Any other is production.

What a stack is called says nothing: one that nobody declared is taken to have users.
"""

from collections.abc import Mapping

from pulumi.runtime.proto import analyzer_pb2

from selfheal_policies import protocol

KEY = "sandbox"

YES, NO = "true", "false"

_declared: set[str] = set()


def declared_by_stack() -> None:
    """Have this process know which stacks say that they are sandboxes. Call it before serving the pack."""
    protocol.before("ConfigureStack", _look)


def sandboxes() -> frozenset[str]:
    """Return the names of the stacks that this process was told are sandboxes."""
    return frozenset(_declared)


def _look(request: analyzer_pb2.AnalyzerStackConfigureRequest) -> str:
    value = chosen(request.project, request.config)
    # The name may come with its organisation and project; that in a URN does not.
    (_declared.add if value == YES else _declared.discard)(request.stack.rpartition("/")[2])
    return problem(value)


def chosen(project: str, config: Mapping[str, str]) -> str:
    """Return what the stack's configuration says, whatever it is; NO if it says nothing."""
    return config.get(f"{project}:{KEY}") or NO


def problem(value: str) -> str:
    """Return what is wrong with a value, for people; empty if nothing is."""
    if value in (YES, NO):
        return ""
    return (
        f"the stack's configuration says {KEY}: {value}, and it must be {YES} or {NO}. Correct it: "
        f"`pulumi config set {KEY} {YES}` for a stack that nobody depends on, else `pulumi config rm {KEY}`."
    )
