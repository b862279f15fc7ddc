"""Errors of the command line itself.

    CliError              anything a person can do something about
    |-- NoLedgerError     nothing says where the stack's ledger is, or it is not there
    |-- NotReadyError     something that the Pulumi CLI needs is missing
    |-- NoProjectError    no Pulumi.yaml here
    `-- BusyError         another command uses the emulator

`Terminated` is no error: it is SIGTERM, as Python's KeyboardInterrupt is SIGINT.
"""


class CliError(Exception):
    """Base of the tree above; its text is shown as it is, without a traceback."""


class NoLedgerError(CliError):
    """Nothing says where the stack's ledger is, or there is no such table."""


class NotReadyError(CliError):
    """Something that the Pulumi CLI needs is missing: without it, it would hang."""


class NoProjectError(CliError):
    """No Pulumi.yaml in the folder or above it."""


class BusyError(CliError):
    """Another command uses the emulator."""


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived: unwind and end what was started, as for Ctrl-C."""
