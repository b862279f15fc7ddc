"""Errors and signals of the command line.

`Terminated` is no error: it is SIGTERM, as Python's KeyboardInterrupt is SIGINT.
"""


class CliError(Exception):
    """Anything a person can do something about. Its text is shown as it is, without a traceback."""


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived: unwind and end what was started, as for Ctrl-C."""
