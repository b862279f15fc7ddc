"""What the workflows may do: nothing secret and no right to write where a pull request's code runs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tools import explain_deployment, pull_request_comment

FOLDER = Path(__file__).parents[2] / ".github" / "workflows"
OWN_CODE = "${{ github.event.pull_request.base.sha }}"
"""What a job checks out that must not run the pull request's code."""
READS = {"read", "none"}


class Job(NamedTuple):
    """A job of a workflow."""

    workflow: str
    name: str
    content: dict[str, Any]
    default: Any
    """Permissions of the workflow."""

    @property
    def steps(self) -> list[dict[str, Any]]:
        return self.content.get("steps", [])

    @property
    def permissions(self) -> dict[str, str]:
        return self.content.get("permissions", self.default)

    @property
    def checks_out(self) -> list[Any]:
        """What is checked out: a ref, or None for that of the event."""
        return [
            step.get("with", {}).get("ref")
            for step in self.steps
            if step.get("uses", "").startswith("actions/checkout@")
        ]


def workflows() -> dict[str, dict[Any, Any]]:
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yml"))}


def triggers(content: dict[Any, Any]) -> set[str]:
    on = content[True]  # YAML's reading of `on`
    return {on} if isinstance(on, str) else set(on)


def jobs() -> Iterator[Job]:
    for name, content in workflows().items():
        for job, what in content["jobs"].items():
            yield Job(name, job, what, content.get("permissions"))


def job(workflow: str, name: str) -> Job:
    [found] = [each for each in jobs() if (each.workflow, each.name) == (workflow, name)]
    return found


def runs_a_pull_request_s_code() -> list[Job]:
    of_pull_requests = {name for name, content in workflows().items() if "pull_request" in triggers(content)}
    return [
        each
        for each in jobs()
        if each.workflow in of_pull_requests and any(ref != OWN_CODE for ref in each.checks_out)
    ]


def test_the_jobs_that_run_a_pull_request_s_code_are_these() -> None:
    found = {(each.workflow, each.name) for each in runs_a_pull_request_s_code()}
    assert found == {
        ("preview.yml", "preview"),
        ("real-engine.yml", "official-cli"),
        ("real-engine.yml", "real-provider"),
        ("test.yml", "test"),
    }


def test_no_secret_is_named_where_a_pull_request_s_code_runs() -> None:
    for each in runs_a_pull_request_s_code():
        told = yaml.safe_dump(each.content)
        assert not re.search(r"\bsecrets\b|github\.token|toJSON\(", told), each
        assert "PULUMI_ACCESS_TOKEN" not in told, each
        assert "PASSPHRASE" not in told, each


def test_a_pull_request_s_code_may_write_nothing() -> None:
    """An identity token is for a role that may only read; its environment is one for previews."""
    for each in runs_a_pull_request_s_code():
        for permission, level in each.permissions.items():
            assert level in READS or permission == "id-token", each
        if "id-token" in each.permissions:
            assert each.content["environment"].endswith("-preview"), each
        else:
            assert "environment" not in each.content, each


def test_nothing_is_secret_anywhere() -> None:
    """Backend and AWS are reached by OpenID Connect."""
    for path in FOLDER.glob("*.yml"):
        assert not re.search(r"secrets\.|secrets:", path.read_text()), path


def test_the_job_that_comments_runs_only_the_base_s_code() -> None:
    comment = job("preview.yml", "comment")
    assert comment.checks_out == [OWN_CODE]
    assert comment.permissions == {"actions": "read", "contents": "read", "pull-requests": "write"}
    assert "environment" not in comment.content
    assert [
        each for each in jobs() if "write" in {v for k, v in each.permissions.items() if k != "id-token"}
    ] == [comment]


def test_what_a_pull_request_names_is_not_pasted_into_a_command() -> None:
    """A branch name in `run:` would be run; variables hold it instead."""
    for each in jobs():
        for step in each.steps:
            assert "${{" not in step.get("run", ""), (each.workflow, each.name, step)


def test_no_workflow_runs_with_the_base_s_rights_for_a_pull_request() -> None:
    for name, content in workflows().items():
        assert triggers(content) <= {
            "push",
            "pull_request",
            "schedule",
            "workflow_call",
            "workflow_dispatch",
        }, name


def test_permissions_are_stated_and_the_token_is_not_left_in_the_checkout() -> None:
    for each in jobs():
        assert each.default == {"contents": "read"}, each
        for step in each.steps:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, each


def test_every_action_is_pinned_by_its_commit() -> None:
    pins: dict[str, set[str]] = {}
    for path in FOLDER.glob("*.yml"):
        for action, comment in re.findall(r"uses: (\S+)(.*)", path.read_text()):
            if not action.startswith("./"):
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), (path, action)
                assert re.match(r" # v\d+\.\d+\.\d+", comment), (path, action)
                name, commit = action.split("@")
                pins.setdefault(name, set()).add(commit)
    assert all(len(commits) == 1 for commits in pins.values()), pins


def test_every_job_ends_in_time() -> None:
    for each in jobs():
        if "uses" not in each.content:  # a called workflow's own jobs say it
            assert 5 <= each.content["timeout-minutes"] <= 45, each


def test_forks_and_dependabot_get_a_word_instead_of_a_preview() -> None:
    preview = job("preview.yml", "preview").content["if"]
    assert "head.repo.full_name == github.repository" in preview
    assert "user.login != 'dependabot[bot]'" in preview
    rest = job("preview.yml", "not-previewed")
    assert rest.content["if"] == preview.replace("==", "<>").replace("!=", "==").replace("<>", "!=").replace(
        "&&", "||"
    )
    assert rest.permissions == {}


@pytest.mark.parametrize("pull_request", ["preview", "comment"])
def test_the_stacks_are_the_same_everywhere(pull_request: str) -> None:
    stacks = list(explain_deployment.STACKS)
    assert job("preview.yml", pull_request).content["strategy"]["matrix"]["stack"] == stacks
    deploy = workflows()["deploy.yml"]
    assert [name for name in deploy["jobs"] if name != "stopped"] == stacks
    assert deploy[True]["workflow_dispatch"]["inputs"]["from"]["options"] == stacks
    for stack in stacks:
        assert (FOLDER.parents[1] / f"Pulumi.{stack}.yaml").is_file()


def test_the_names_that_the_comment_goes_by_are_those_of_the_workflow() -> None:
    preview = job("preview.yml", "preview")
    names = [step.get("name") for step in preview.steps]
    assert names.count(pull_request_comment.STACK_STEP) == names.count(pull_request_comment.PREVIEW_STEP) == 1
    assert preview.content["name"] == "preview (${{ matrix.stack }})"
    [write] = [step["run"] for step in job("preview.yml", "comment").steps if "run" in step]
    assert '--job "preview ($STACK)"' in write


def test_what_is_deployed_is_what_was_planned_and_judged() -> None:
    runs = [
        step["run"] for step in job("deploy-stack.yml", "deploy").steps if "pulumi" in step.get("run", "")
    ]
    [plan] = [run for run in runs if "pulumi preview" in run]
    [up] = [run for run in runs if "pulumi up" in run]
    assert runs.index(plan) < runs.index(up)
    assert '--save-plan "$RUNNER_TEMP/plan.json"' in plan
    assert '--plan "$RUNNER_TEMP/plan.json"' in up
    assert "--skip-preview" not in up
    for run in (plan, up):
        assert "--policy-pack policies" in run


def test_a_failing_command_is_not_hidden_by_what_records_it() -> None:
    """`pulumi … | tee` fails as pulumi does only with pipefail, which a run has where it names bash."""
    piped = [each for each in jobs() if any("| tee" in step.get("run", "") for step in each.steps)]
    assert {each.name for each in piped} == {"preview", "deploy"}
    for each in piped:
        assert each.content["defaults"]["run"]["shell"] == "bash"


def test_no_stack_is_created_by_a_workflow_that_deploys() -> None:
    for name in ("preview.yml", "deploy-stack.yml", "deploy.yml"):
        for each in jobs():
            if each.workflow == name:
                assert not any("stack init" in step.get("run", "") for step in each.steps)


def test_every_variable_and_environment_is_documented() -> None:
    page = (FOLDER.parents[1] / "docs" / "ci.md").read_text()
    text = "".join(path.read_text() for path in FOLDER.glob("*.yml"))
    named = set(re.findall(r"vars\.(\w+)", text))
    assert named == set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    for stack in explain_deployment.STACKS:
        assert f"`{stack}`" in page
        assert f"`{stack}-preview`" in page
