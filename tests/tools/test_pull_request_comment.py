"""The comment on a pull request: what happened comes first, no violation is cut off, no fence is escaped."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools.pull_request_comment import LIMIT, MARKER, Job, Preview, Violation, ended, read, render

RUN = "https://github.com/octo/shop/actions/runs/1"
JOB = "preview (dev)"
FUNCTION = "aws:lambda/function:Function"
DONE = Job(succeeded=True)
REFUSED = Job(succeeded=False, step="Preview")
CHANGES = {"create": 2, "same": 39, "update": 1}


def comment(preview: Preview, job: Job = DONE, limit: int = LIMIT) -> str:
    return render("dev", preview, job, run=RUN, commit="abc123", limit=limit)


def title(text: str) -> str:
    marker, heading, *_ = text.splitlines()
    assert marker == MARKER.format("dev")
    return heading.removeprefix("### Preview of `dev`: ")


def violations(count: int, level: str = "mandatory", lines: int = 4) -> list[Violation]:
    return [
        Violation(
            level, "high", f"rule-{number}", "aws:lambda/function:Function healer", "why it is so\n" * lines
        )
        for number in range(count)
    ]


def policy_event(
    level: str, policy: str, message: str = "A sentence.\nWhy: so.\nFix: that.\n"
) -> dict[str, Any]:
    """An event as CLI 3.274.1 writes it."""
    return {
        "sequence": 9,
        "timestamp": 1795672881,
        "policyEvent": {
            "resourceUrn": f"urn:pulumi:dev::selfheal::selfheal:index:Healer${FUNCTION}::healer",
            "message": message,
            "color": "never",
            "policyName": policy,
            "policyPackName": "selfheal",
            "policyPackVersion": "0.1.0",
            "enforcementLevel": level,
            "severity": "high",
        },
    }


def diagnostic(severity: str, message: str) -> dict[str, Any]:
    return {"sequence": 1, "diagnosticEvent": {"prefix": "", "message": message, "severity": severity}}


def artifact(folder: Path, *events: Any, told: str = "", found: str = "") -> Preview:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    (folder / "events.jsonl").write_text("\n".join(lines))
    (folder / "preview.txt").write_text(told)
    (folder / "stack.txt").write_text(found)
    return read(folder)


def jobs(*steps: tuple[str, str | None], conclusion: str = "failure") -> str:
    """GitHub's list of a run's jobs, with another job before the one that is meant."""
    other = {"name": "preview (prod)", "conclusion": "success", "steps": []}
    told = [{"name": name, "conclusion": how, "number": at} for at, (name, how) in enumerate(steps)]
    return json.dumps(
        {"total_count": 2, "jobs": [other, {"name": JOB, "conclusion": conclusion, "steps": told}]}
    )


def test_what_would_change_is_the_title() -> None:
    assert title(comment(Preview(changes=CHANGES))) == "2 to create, 1 to update"
    assert title(comment(Preview(changes={"same": 41, "refresh": 2}))) == "no changes"


def test_violations_are_whole_and_mandatory_ones_first(tmp_path: Path) -> None:
    preview = artifact(
        tmp_path,
        policy_event("advisory", "rule-advice"),
        policy_event("mandatory", "rule-must", "A healer's timeout is short.\nWhy: `so`.\nFix: that.\n"),
        policy_event("mandatory", "rule-must", "A healer's timeout is short.\nWhy: `so`.\nFix: that.\n"),
        {"summaryEvent": {"resourceChanges": {"create": 41}, "isPreview": True, "result": "failed"}},
        told="+ a resource\n" * 90_000,
    )
    text = comment(preview, REFUSED)
    assert title(text) == "refused by the policy pack (1 mandatory)"
    assert "**Changes**: 41 to create" in text
    assert "**Policy violations: 2, of which mandatory: 1**" in text
    must = "[mandatory] [high] rule-must: aws:lambda/function:Function healer\nA healer's timeout is short.\n"
    assert text.index(f"{must}Why: `so`.\nFix: that.\n") < text.index("[advisory] [high] rule-advice: ")
    assert text.count("rule-must") == 1
    assert text.index("rule-advice") < text.index("<summary>Diff</summary>")
    assert len(text) <= LIMIT


def test_where_violations_alone_are_too_long_all_headings_come_first() -> None:
    found = [*violations(300, lines=20), *violations(2, "advisory", lines=20)]
    text = comment(Preview(violations=found, told="+ a resource\n" * 9_000), REFUSED)
    assert len(text) <= LIMIT
    headings = [each.heading for each in found]
    assert "\n".join(headings) in text
    shown = text.split("\n".join(headings))[1].count("[mandatory]")
    assert 0 < shown < 302
    assert f"The details of {302 - shown} of these violations are in [the run's log]({RUN})" in text


def test_more_headings_than_a_comment_holds_are_counted() -> None:
    text = comment(Preview(violations=violations(2_000)), REFUSED)
    assert len(text) <= LIMIT
    assert f"{2_000 - text.count('[mandatory]')} more, and all details, are in" in text
    assert title(text) == "refused by the policy pack (2000 mandatory)"


def test_a_cut_diff_says_how_much_is_shown_and_where_the_rest_is() -> None:
    text = comment(Preview(told="+ a resource\n" * 9_000, changes=CHANGES))
    shown = text.count("+ a resource")
    assert 4_000 < shown < 9_000
    where = f"[the run's log]({RUN}) and in the artifact `preview-dev`"
    assert f"{shown} of 9000 lines are shown; the whole is in {where}." in text
    assert LIMIT - 1_000 < len(text) <= LIMIT


def test_a_diff_that_fits_is_whole() -> None:
    text = comment(Preview(told="+ one\n    two: 2\n", changes=CHANGES))
    assert "```text\n+ one\n    two: 2\n```" in text
    assert "are shown" not in text


def test_one_line_longer_than_a_comment_is_left_out_and_said() -> None:
    text = comment(Preview(told="x" * 90_000, changes=CHANGES))
    assert len(text) < 1_000
    assert "0 of 1 lines are shown" in text


def test_nothing_in_the_output_ends_its_fence() -> None:
    text = comment(
        Preview(told="+ a\n```\n@everyone <img src=x>\n`````\n", errors=["boom ``` now"], changes=CHANGES)
    )
    fences = re.findall(r"^`{3,}(?:text)?$", text, re.MULTILINE)
    assert fences == ["````text", "````", "``````text", "```", "`````", "``````"]


def test_colours_and_control_characters_are_dropped(tmp_path: Path) -> None:
    preview = artifact(tmp_path, told="\x1b[32m+ green\x1b[0m\x00\x07\n")
    assert preview.told == "+ green\n"


@pytest.mark.parametrize(
    "line",
    ["", "not json", "[]", "null", '{"policyEvent": 3}', '{"policyEvent": {}}', '{"summaryEvent": "x"}'],
)
def test_events_that_are_not_as_expected_are_passed_over(tmp_path: Path, line: str) -> None:
    preview = artifact(tmp_path, line, policy_event("mandatory", "rule"))
    assert [each.policy for each in preview.violations] == ["rule"]


def test_a_policy_event_without_its_fields_is_still_shown(tmp_path: Path) -> None:
    [violation] = artifact(tmp_path, {"policyEvent": {"policyName": "rule", "resourceUrn": None}}).violations
    assert violation.heading == "[] rule: the stack"


def test_errors_and_warnings_of_the_program_are_shown(tmp_path: Path) -> None:
    preview = artifact(
        tmp_path,
        diagnostic("debug", "registering resource"),
        diagnostic("warning", "careful\n"),
        diagnostic("info#err", "boom\n\n"),
        diagnostic("error", "program exited\n"),
        {"summaryEvent": {"resourceChanges": {"create": 1}, "result": "failed"}},
        told="+ one",
    )
    text = comment(preview, REFUSED)
    assert title(text) == "the preview failed"
    assert "```text\nboom\nprogram exited\ncareful\n```" in text
    assert "registering" not in text


def test_an_incident_is_said_although_the_preview_goes_well() -> None:
    warning = (
        "an incident is open on checkout, fragile: `up` would put the baseline back (`up` will be refused)"
    )
    text = comment(Preview(warnings=[warning], changes=CHANGES))
    assert title(text) == "2 to create, 1 to update"
    assert (
        "**An incident is open on checkout, fragile**: until it is closed, `up` of this stack is refused."
        in text
    )


def test_a_stack_that_does_not_exist_is_explained() -> None:
    absent = Preview(found="error: no stack named 'dev' found\n")
    text = comment(absent, Job(succeeded=False, step="Find the stack"))
    assert title(text) == "not previewed, the stack does not exist"
    assert "pulumi stack init dev --secrets-provider awskms://" in text
    assert "error: no stack named 'dev' found" in text


def test_a_backend_that_cannot_be_reached_is_not_taken_for_a_stack_that_does_not_exist() -> None:
    broken = Preview(found="error: could not list bucket: AccessDenied\n")
    text = comment(broken, Job(succeeded=False, step="Find the stack"))
    assert title(text) == "not previewed, the step `Find the stack` failed"
    assert "AccessDenied" in text
    assert "stack init" not in text


def test_a_step_that_failed_earlier_is_named(tmp_path: Path) -> None:
    """There is no artifact then."""
    told = jobs(
        ("Set up job", "success"),
        ("Install the program's packages", "failure"),
        ("Preview", "skipped"),
        ("Post Run actions/checkout", "success"),
    )
    job = ended(told, JOB)
    text = comment(read(tmp_path / "nothing"), job)
    assert title(text) == "not previewed, the step `Install the program's packages` failed"
    assert f"[the run's log]({RUN})" in text


def test_a_job_that_ran_out_of_time_is_not_called_previewed() -> None:
    job = ended(jobs(("Set up job", "success"), ("Preview", "cancelled"), conclusion="cancelled"), JOB)
    text = comment(Preview(told="Previewing update (dev):\n+ one"), job)
    assert title(text) == "the preview was cancelled, or ran out of time"
    assert "**Errors and warnings**\n\n```text\nPreviewing update (dev):\n+ one\n```" in text


@pytest.mark.parametrize("told", ["", "{}", "not json", '{"jobs": null}', '{"jobs": [{"name": "another"}]}'])
def test_a_job_that_github_does_not_list_is_not_called_previewed(told: str) -> None:
    job = ended(told, JOB)
    assert not job.succeeded
    assert title(comment(Preview(changes=CHANGES), job)) == "not previewed, the job did not run to its end"


def test_a_job_that_ended_well_is_told_from_github_s_list() -> None:
    told = jobs(("Preview", "success"), ("Log in to Pulumi Cloud", "skipped"), conclusion="success")
    assert ended(told, JOB) == DONE


def test_the_pull_request_s_code_cannot_claim_that_a_failed_preview_went_well(tmp_path: Path) -> None:
    """What it uploads decides nothing: here no violation and a good summary, though the step failed."""
    forged = artifact(tmp_path, {"summaryEvent": {"resourceChanges": {"same": 41}, "result": "succeeded"}})
    assert title(comment(forged, ended(jobs(("Preview", "failure")), JOB))) == "the preview failed"
