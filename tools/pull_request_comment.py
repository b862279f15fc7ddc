"""Write what a preview of a pull request showed as a comment in Markdown, on standard output.

`python tools/pull_request_comment.py STACK FOLDER JOBS --job NAME --run URL --commit SHA`. FOLDER is what the
preview's job uploaded. The pull request's code may have written it, so it is shown and decides nothing:
whether the job succeeded, and which step failed, is taken from JOBS, GitHub's own list of the run's jobs.
Standard library only.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

LIMIT = 65_000
"""Characters of a comment. GitHub allows 65,536."""
MESSAGES = 8_000
"""Characters of errors and warnings at most, so that something is left for the diff."""
HEADINGS = 60_000
"""Characters of the violations' headings at most; above 400 violations."""

MARKER = "<!-- selfheal preview of {} -->"
"""First line of the comment of a stack, by which it is found and updated."""

STACK_STEP, PREVIEW_STEP = "Find the stack", "Preview"
"""Names of steps in preview.yml."""
ABSENT = "no stack named"
INCIDENT = re.compile(r"an incident is open on ([\w.-]*\w(?:, [\w.-]*\w)*)")
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LEVELS = ("mandatory", "remediate", "advisory")
CHANGES = {"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete"}
UNTOUCHED = {"same", "read", "refresh"}


@dataclass(frozen=True)
class Violation:
    """One finding of a policy."""

    level: str
    severity: str
    policy: str
    resource: str
    """Type and name."""
    message: str

    @property
    def heading(self) -> str:
        """The finding in one line."""
        severity = f" [{self.severity}]" if self.severity else ""
        return f"[{self.level}]{severity} {self.policy}: {self.resource}"


@dataclass(frozen=True)
class Preview:
    """What the preview's job left behind."""

    found: str = ""
    """What the step that finds the stack printed."""
    told: str = ""
    """What `pulumi preview --diff` printed."""
    violations: Sequence[Violation] = ()
    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()
    changes: Mapping[str, int] = field(default_factory=dict[str, int])
    """Resources by operation, as `create`."""

    @property
    def mandatory(self) -> int:
        """Number of violations that refuse the deployment."""
        return sum(each.level == "mandatory" for each in self.violations)


@dataclass(frozen=True)
class Job:
    """How the preview's job ended, by GitHub's account."""

    succeeded: bool
    step: str = ""
    """Name of the first step that did not succeed; empty if there is none."""
    ended: str = "failed"
    """What became of that step: `failed` or `was cancelled, or ran out of time`."""


def read(folder: Path) -> Preview:
    """Read what the job uploaded; what is missing or malformed is left out."""
    violations: dict[Violation, None] = {}
    errors: list[str] = []
    warnings: list[str] = []
    changes: dict[str, int] = {}
    for line in _text(folder / "events.jsonl").splitlines():
        event = _object(line)
        if policy := _object(event.get("policyEvent")):
            violations[_violation(policy)] = None
        elif diagnostic := _object(event.get("diagnosticEvent")):
            severity, message = str(diagnostic.get("severity")), str(diagnostic.get("message")).strip()
            if severity in {"error", "info#err"} and message:
                errors.append(message)
            elif severity == "warning":
                warnings.append(message)
        elif summary := _object(event.get("summaryEvent")):
            counts = _object(summary.get("resourceChanges"))
            changes = {name: count for name, count in counts.items() if isinstance(count, int)}
    return Preview(
        _text(folder / "stack.txt"),
        _text(folder / "preview.txt"),
        sorted(violations, key=_gravest_first),
        errors,
        warnings,
        changes,
    )


def ended(jobs: Any, name: str) -> Job:
    """Return how a job ended, from GitHub's list of the run's jobs."""
    for job in _list(_object(jobs).get("jobs")):
        if job.get("name") == name:
            for step in _list(job.get("steps")):
                if step.get("conclusion") not in {"success", "skipped"}:
                    failed = step.get("conclusion") == "failure"
                    how = "failed" if failed else "was cancelled, or ran out of time"
                    return Job(succeeded=False, step=str(step.get("name")), ended=how)
            return Job(succeeded=job.get("conclusion") == "success")
    return Job(succeeded=False)


def render(stack: str, preview: Preview, job: Job, *, run: str, commit: str, limit: int = LIMIT) -> str:
    """Return the comment, of at most `limit` characters.

    Violations come first and are whole; where they alone exceed the limit, all their headings come first.
    """
    where = f"[the run's log]({run}) and in the artifact `preview-{stack}`"
    text = f"{MARKER.format(stack)}\n### Preview of `{stack}`: {_outcome(preview, job)}\n\n"
    text += "".join(f"{note}\n\n" for note in _notes(stack, preview, job))
    text += f"Commit {commit}. Everything is in {where}.\n\n"
    if preview.violations:
        text += _violations(preview.violations, limit - len(text) - 200, where)
    if preview.changes and not job.succeeded:
        text += f"**Changes**: {_changed(preview.changes)}\n\n"
    messages = "\n".join([*preview.errors, *preview.warnings]) or ("" if job.succeeded else _end(preview))
    if messages:
        room = min(MESSAGES, limit - len(text) - 500)
        text += _section("Errors and warnings", messages, room, where, folded=False)
    if preview.told:
        text += _section("Diff", preview.told, limit - len(text) - 500, where, folded=True)
    return text


def _outcome(preview: Preview, job: Job) -> str:
    if job.succeeded:
        return _changed(preview.changes)
    if ABSENT in preview.found and job.step == STACK_STEP:
        return "not previewed, the stack does not exist"
    if preview.mandatory and job.step == PREVIEW_STEP:
        return f"refused by the policy pack ({preview.mandatory} mandatory)"
    if not job.step:
        return "not previewed, the job did not run to its end"
    name = job.step.replace("`", "'")
    what = "the preview" if job.step == PREVIEW_STEP else f"not previewed, the step `{name}`"
    return f"{what} {job.ended}"


def _changed(changes: Mapping[str, int]) -> str:
    told = [
        f"{count} {CHANGES.get(name, name)}"
        for name, count in changes.items()
        if count and name not in UNTOUCHED
    ]
    return ", ".join(told) if told else "no changes"


def _notes(stack: str, preview: Preview, job: Job) -> list[str]:
    notes: list[str] = []
    if not job.succeeded and job.step == STACK_STEP and ABSENT in preview.found:
        notes.append(
            f"The backend has no stack `{stack}`. Workflows create none. Create it once, commit the file "
            f"`Pulumi.{stack}.yaml` that this changes, and run the job again:\n\n"
            f"    pulumi stack init {stack} --secrets-provider awskms://alias/KEY    # on S3\n"
            f"    pulumi stack init ORGANIZATION/{stack}                             # on Pulumi Cloud"
        )
    if found := INCIDENT.search("\n".join([*preview.errors, *preview.warnings])):
        notes.append(
            f"**An incident is open on {found[1]}**: until it is closed, `up` of this stack is refused. "
            "See `selfheal incidents`."
        )
    return notes


def _violations(violations: Sequence[Violation], room: int, where: str) -> str:
    title = f"**Policy violations: {len(violations)}, of which mandatory: "
    title += f"{sum(each.level == 'mandatory' for each in violations)}**\n\n"
    whole = [f"{each.heading}\n{each.message}\n" for each in violations]
    fenced = title + _fenced("\n".join(whole))
    if len(fenced) <= room:
        return fenced
    headings = [each.heading for each in violations]
    shown = _fitting(headings, min(HEADINGS, room - 2_000))
    listed = title + _fenced("\n".join(headings[:shown]))
    if shown < len(headings):
        return f"{listed}{len(headings) - shown} more, and all details, are in {where}.\n\n"
    fence = _fence("\n".join(whole))
    detailed = _fitting(whole, room - len(listed) - 2 * len(fence) - 200)
    details = _fenced("\n".join(whole[:detailed]), fence) if detailed else ""
    left = len(whole) - detailed
    return f"{listed}{details}The details of {left} of these violations are in {where}.\n\n"


def _section(title: str, content: str, room: int, where: str, *, folded: bool) -> str:
    lines = content.rstrip().splitlines()
    fence = _fence(content)
    shown = _fitting(lines, room)
    cut = (
        ""
        if shown == len(lines)
        else f"{shown} of {len(lines)} lines are shown; the whole is in {where}.\n\n"
    )
    body = _fenced("\n".join(lines[:shown]), fence) if shown else ""
    if folded:
        return f"<details><summary>{title}</summary>\n\n{body}</details>\n\n{cut}"
    return f"**{title}**\n\n{body}{cut}"


def _fitting(parts: Sequence[str], room: int) -> int:
    """Return how many of the first parts fit, a line break after each."""
    for number, part in enumerate(parts):
        room -= len(part) + 1
        if room < 0:
            return number
    return len(parts)


def _end(preview: Preview) -> str:
    """Return the last lines of what was printed last, where no event says what went wrong."""
    return "\n".join((preview.told or preview.found).strip().splitlines()[-30:])


def _fence(content: str) -> str:
    """Return a fence that the content cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", content)), default=0)
    return "`" * max(3, longest + 1)


def _fenced(content: str, fence: str = "") -> str:
    fence = fence or _fence(content)
    return f"{fence}text\n{content.rstrip()}\n{fence}\n\n"


def _violation(event: Mapping[str, Any]) -> Violation:
    urn = str(event.get("resourceUrn") or "")
    *_, type_, name = ["", "the stack", *urn.split("::")][-2:] if urn else ["", "the stack", ""]
    return Violation(
        _line(event.get("enforcementLevel")),
        _line(event.get("severity")),
        _line(event.get("policyName")),
        f"{_line(type_.split('$')[-1])} {_line(name)}".strip(),
        str(event.get("message") or "").strip(),
    )


def _gravest_first(violation: Violation) -> int:
    return LEVELS.index(violation.level) if violation.level in LEVELS else len(LEVELS)


def _line(value: Any) -> str:
    return " ".join(str(value or "").split())


def _text(path: Path) -> str:
    try:
        content = path.read_text(errors="replace")
    except OSError:
        return ""
    return CONTROL.sub("", COLOURS.sub("", content))


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [_object(each) for each in cast("list[Any]", value)] if isinstance(value, list) else []


def main(arguments: Sequence[str]) -> None:
    """Print the comment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stack")
    parser.add_argument("folder", type=Path, help="what the preview's job uploaded")
    parser.add_argument("jobs", type=Path, help="GitHub's list of the run's jobs")
    parser.add_argument("--job", required=True, help="name of the preview's job")
    parser.add_argument("--run", required=True, help="address of the run")
    parser.add_argument("--commit", required=True)
    given = parser.parse_args(arguments)
    job = ended(given.jobs.read_text(), given.job)
    print(render(given.stack, read(given.folder), job, run=given.run, commit=given.commit), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
