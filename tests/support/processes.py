"""What became of the processes that a command started, as Linux lists them."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the processes that a process started; none where there is no such list."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def gone(pid: int) -> bool:
    """Return whether a process has ended, whether or not its parent has taken note of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
