"""What the components raise when they are used wrongly."""

from pulumi import RunError


class ComponentError(RunError):
    """A component was given what it cannot work with.

    It is a `RunError`, so that the Pulumi CLI prints its text and no traceback. The text says what is wrong,
    what is allowed, what was given and what to do.
    """
