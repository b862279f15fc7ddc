"""The exit codes of every command, in one place because scripts depend on them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit code means. Printed under `--help` by `epilog`."""

    OK = 0
    """The operation did what it says."""

    FAILED = 1
    """The operation failed; the reason was printed to standard error."""

    USAGE = 2
    """The command line was wrong; nothing was started."""

    FOUND = 3
    """The command looked for something and found it: a difference, drift, an open incident."""

    UNANSWERED = 4
    """What was asked was written, and the healer had not answered when the time was up. It may yet."""

    INTERRUPTED = 130
    """Ended by Ctrl-C, as shells count it: 128 + SIGINT."""

    TERMINATED = 143
    """Ended by SIGTERM: 128 + SIGTERM."""


def epilog(*examples: str, found: str | None = None, asks: bool = False) -> str:
    """Build the end of a command's help: its examples, then its exit codes.

    Args:
        examples: Command lines with a comment, for example `selfheal mode  # what may it do?`.
        found: What exit code 3 means for this command. Default: the command has no such code.
        asks: Whether it asks the healer for something and waits for the answer: code 4.

    Returns:
        Text in Typer's rich markup.

    """
    codes = ["0 accepted" if asks else "0 done", "1 failed", "2 wrong usage"]
    if found:
        codes.append(f"3 {found}")
    if asks:
        codes.append("4 no answer in time")
    lines = ["[bold]Examples[/bold]", *(f"  {example}" for example in examples)]
    return "\n".join([*lines, "", "[bold]Exit codes[/bold]", "  " + " · ".join(codes)])
