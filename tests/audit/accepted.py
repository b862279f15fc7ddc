"""The tables of docs/security-findings.md: what is accepted, and why."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.conftest import ROOT

PAGE = ROOT / "docs/security-findings.md"


@dataclass(frozen=True)
class Row:
    """One row: patterns of checks, and of what they are found on."""

    checks: tuple[str, ...]
    on: tuple[str, ...]
    reason: str

    def covers(self, finding: tuple[str, str]) -> bool:
        """Return whether it accepts a check on something."""
        return all(
            any(fnmatchcase(value, pattern) for pattern in patterns)
            for value, patterns in zip(finding, (self.checks, self.on), strict=True)
        )


def table(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    _, _, below = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    lines = [line for line in below.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]


def rows(heading: str) -> list[Row]:
    """Return the accepted findings of a tool."""
    return [Row(_names(checks), _names(on), reason) for checks, on, reason in table(heading)]


def _names(cell: str) -> tuple[str, ...]:
    return tuple(name.strip().strip("`") for name in cell.split(","))


def judge(findings: Collection[tuple[str, str]], accepted: Iterable[Row]) -> list[str]:
    """Return what is wrong: findings that no row covers, and rows that no finding needs."""
    held = list(accepted)
    new = sorted({finding for finding in findings if not any(row.covers(finding) for row in held)})
    stale = [row for row in held if not any(row.covers(finding) for finding in findings)]
    return [
        *(f"{check} on {on}: mend it, or say in {PAGE.name} why it stays" for check, on in new),
        *(
            f"{', '.join(row.checks)} on {', '.join(row.on)}: nothing is found, remove the row"
            for row in stale
        ),
    ]
