"""Why a stack was not deployed: said from what the commands printed, with what to do."""

from pathlib import Path

import pytest

from tools.explain_deployment import going_on, main, reasons

WARNED = """\
Previewing update (dev):
    pulumi:pulumi:Stack selfheal-dev running warning: an incident is open on fragile: `up` would put
Diagnostics:
  pulumi:pulumi:Stack (selfheal-dev):
    warning: an incident is open on fragile: `up` would put the baseline back over the healer's remedy.
"""
REFUSED = """\
Updating (dev):
    pulumi:pulumi:Stack selfheal-dev running error: an incident is open on checkout, fragile: `up` would put
Diagnostics:
  pulumi:pulumi:Stack (selfheal-dev):
    error: an incident is open on checkout, fragile: `up` would put the baseline back over a remedy.
    error: an unhandled error occurred: program exited with non-zero exit code: 1
"""
DRIFTED = """\
 ~  aws:lambda:Function fragile refresh [diff: ~environment]; error: resource urn:pulumi:dev::x violates plan:
Diagnostics:
  aws:lambda:Function (fragile):
    error: resource urn:pulumi:dev::x violates plan: properties changed: =~environment[{map[]}]
"""
VIOLATION = """\
Previewing update (dev):
    selfheal@v0.1.0 [mandatory] [severity: high]  lambda-function-failure-rate  (aws:lambda:Function: f)A rule
    selfheal@v0.1.0 [advisory] [severity: low]  lambda-healer-logs  (aws:lambda:Function: healer)Advice.
    other@v1 [mandatory]  topic-seen  (aws:sns:Topic: t)topic t is seen
error: preview failed
"""


def test_an_incident_names_stack_and_targets_and_what_to_do() -> None:
    [told] = reasons("dev", ["", WARNED, WARNED + REFUSED])
    assert "An incident is open on checkout, fragile in dev" in told
    assert "Nothing was changed" in told
    assert "`selfheal incidents --aws -s dev`" in told
    assert "`gh workflow run deploy.yml -f from=dev`" in told


def test_an_incident_that_only_warns_is_not_the_reason() -> None:
    """With restoreBaseline `up` goes on, and fails for another reason."""
    [told] = reasons("dev", [WARNED, WARNED + "error: AccessDenied\n"])
    assert "incident" not in told
    assert "The step that failed says why" in told


def test_a_plan_that_no_longer_fits_before_the_update_has_changed_nothing() -> None:
    [told] = reasons("dev", ["Previewing update (dev):\n", "Previewing update (dev):\n" + DRIFTED])
    assert "violates plan" in told
    assert "Nothing was changed." in told
    assert "make a new plan" in told


def test_a_plan_that_no_longer_fits_during_the_update_has_changed_what_it_contains() -> None:
    [told] = reasons(
        "dev", ["Previewing update (dev):\n", "Previewing update (dev):\nUpdating (dev):\n" + DRIFTED]
    )
    assert "Only what the plan contains was changed" in told


def test_the_healer_acting_between_plan_and_up_is_both() -> None:
    assert len(reasons("dev", ["", "Previewing update (dev):\n" + DRIFTED + REFUSED])) == 2


def test_mandatory_violations_are_named_and_advice_is_not() -> None:
    [told] = reasons("dev", ["", VIOLATION])
    assert "refused it: lambda-function-failure-rate, topic-seen." in told


def test_a_stack_that_does_not_exist_is_not_created() -> None:
    [told] = reasons("staging", ["error: no stack named 'staging' found\n"])
    assert "no stack staging" in told
    assert "`pulumi stack init staging --secrets-provider awskms://" in told


@pytest.mark.parametrize(
    "error",
    [
        "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or",
        "[409] Conflict: Another update is currently in progress.",
    ],
)
def test_a_lock_is_explained(error: str) -> None:
    [told] = reasons("dev", [f"error: {error}\n"])
    assert "Another deployment of the stack is running" in told


@pytest.mark.parametrize(
    ("stack", "left_out", "start"), [("dev", "staging, prod", "staging"), ("staging", "prod", "prod")]
)
def test_the_stacks_that_were_left_out_are_named_with_the_way_on(
    stack: str, left_out: str, start: str
) -> None:
    told = going_on(stack)
    assert f"Left out because of it: {left_out}." in told
    assert f"`gh workflow run deploy.yml -f from={start}`" in told


def test_nothing_follows_prod() -> None:
    assert going_on("prod") == ""


def test_it_is_an_error_of_the_run_and_in_its_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary, up = tmp_path / "summary.md", tmp_path / "up.txt"
    summary.write_text("before\n")
    up.write_text(REFUSED)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    main(["staging", str(tmp_path / "not-run.txt"), str(up)])
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("::error title=staging was not deployed::An incident is open on checkout, fragile")
    assert "%0ALeft out because of it: prod." in line
    told = summary.read_text()
    assert told.startswith("before\n### staging was not deployed\n\nAn incident is open on checkout, fragile")
