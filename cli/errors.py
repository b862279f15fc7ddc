"""Errors of the command line itself.

    CliError              anything a person can do something about
    |-- NotDeployedError  the command needs a deployed stack
    |-- NoProjectError    no Pulumi.yaml here
    `-- BusyError         another command uses the stack's emulator

`Terminated` is no error: it is SIGTERM, as Python's KeyboardInterrupt is SIGINT.
"""


class CliError(Exception):
    """Base of the tree above; its text is shown as it is, without a traceback."""


class NotDeployedError(CliError):
    """The command needs a deployed stack, and there is none."""


class NoProjectError(CliError):
    """No Pulumi.yaml in the folder or above it."""


class BusyError(CliError):
    """Another command uses the stack's emulator."""


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived: unwind and end what was started, as for Ctrl-C."""
