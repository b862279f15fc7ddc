"""The error that the components raise."""

from pulumi import RunError


class ComponentError(RunError):
    """An argument of a component is not valid.

    It is a `RunError`, so the Pulumi CLI prints the text without a traceback. The text says what is wrong,
    what is allowed, what was given and what to do.
    """
