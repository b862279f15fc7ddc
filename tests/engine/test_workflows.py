"""What the workflow of a pull request makes of the output of a refused preview. Deployments: test_life."""

import json
from pathlib import Path

from tests.support.stacks import FAILED, Account
from tools.pull_request_comment import LIMIT, Job, read, render

PACK = ("--policy-pack", "policies")
RULE = "lambda-function-failure-rate"


def test_a_violation_in_a_first_deployment_is_whole_in_the_comment(cloud: Account, tmp_path: Path) -> None:
    """Its preview prints more than a comment holds, and `--diff` prints the violation somewhere among it."""
    stack = cloud.stack("guarded").within(PULUMI_DEBUG_COMMANDS="true")
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({RULE: {"maximum": 0.1}}))
    diff = ("--diff", "--color", "never", "--event-log", str(tmp_path / "events.jsonl"))
    told = stack.preview(*diff, *PACK, "--policy-pack-config", str(rules), code=FAILED)
    assert len(told) > LIMIT
    (tmp_path / "preview.txt").write_text(told)

    job = Job(succeeded=False, step="Preview")
    text = render(
        "guarded", read(tmp_path), job, run="https://github.com/octo/shop/actions/runs/1", commit="abc123"
    )

    assert len(text) <= LIMIT
    assert text.splitlines()[1] == "### Preview of `guarded`: refused by the policy pack (1 mandatory)"
    first, *others = told.split(f"{RULE}  (aws:lambda:Function: fragile)")[1].splitlines()
    message = "\n".join([first, *others[:3]])
    assert others[2].startswith("Fix: ")
    assert f"[mandatory] [high] {RULE}: aws:lambda/function:Function fragile\n{message}\n" in text
    assert "preview failed" in text
    assert "lines are shown" in text
