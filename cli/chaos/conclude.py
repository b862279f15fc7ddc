"""Ends a run: writes its report, says its verdict, and turns it into the exit code."""

import json
import os
from pathlib import Path
from typing import Any

import typer

from selfheal.cli.chaos.html_report import html_report
from selfheal.cli.chaos.json_report import json_report
from selfheal.cli.chaos.judge import Answer, Finding, Verdict, judge
from selfheal.cli.chaos.progress import Shown
from selfheal.cli.chaos.recording import Recording
from selfheal.cli.console import complain
from selfheal.cli.exits import ExitCode

STYLES = {Verdict.HOLDS: "bold green", Verdict.FAILS: "bold red"}
MARKS = {Answer.HOLDS: "✓", Answer.FAILS: "✗", Answer.UNKNOWN: "?"}


def conclude(recording: Recording, folder: Path, shown: Shown) -> None:
    """Write the report, and say the verdict whatever becomes of that.

    Raises:
        typer.Exit: with the code of the verdict; FAILED where it holds and there is no report.

    """
    verdict, findings = judge(recording)
    document = json_report(recording)
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
    problem = _write(folder, {"report.json": text, "report.html": html_report(recording)})
    if verdict is not Verdict.NOT_STARTED:
        for line, finding in zip(document["hypothesis"], findings, strict=True):
            shown.say(_line(line, finding))
    shown.say(f"{verdict}. {document['why']}", style=STYLES.get(verdict, "bold yellow"))
    shown.say(f"The fault was made {recording.how}." if recording.fault_began is not None else "No fault.")
    if problem:
        complain(f"The report could not be written to {folder}: {problem}. What is there is of another run.")
    else:
        shown.say(f"Report: {folder / 'report.html'} and report.json")
    if shown.output.json:
        shown.output.print_json(document)
    if verdict is Verdict.FAILS:
        raise typer.Exit(ExitCode.FOUND)
    if verdict is not Verdict.HOLDS or problem:
        raise typer.Exit(ExitCode.FAILED)


def _line(line: dict[str, Any], finding: Finding) -> str:
    seen = "nothing" if line["seen"] is None else f"{line['seen']:.4g}"
    note = f" ({line['note']})" if line["note"] else ""
    return f"  {MARKS[finding.answer]} {line['bound']}: {seen}{note}"


def _write(folder: Path, files: dict[str, str]) -> str:
    """Write files, each whole or not at all. Return why that failed; empty otherwise."""
    parts = {folder / f".{name}.{os.getpid()}": folder / name for name in files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, text in zip(parts, files.values(), strict=True):
            part.write_text(text, encoding="utf-8")
        for part, final in parts.items():
            part.replace(final)
    except OSError as error:
        for part in parts:
            _remove(part)
        return error.strerror or str(error)
    return ""


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:
        return
