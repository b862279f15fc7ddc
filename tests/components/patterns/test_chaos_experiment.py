"""Scenarios as experiment templates of FIS: actions, what stops them, and what their roles may do."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal.components.errors import ComponentError
from selfheal.components.patterns.chaos_experiment import ChaosExperiment, ChaosExperimentArgs, can_be_made
from selfheal.components.patterns.fault_injection import FaultInjection
from selfheal.components.patterns.switch_document import iso
from selfheal.functions.downstream.core import Setting, parse_switch
from selfheal.functions.downstream.store import SETTING_KEY
from selfheal.scenarios.scenario import load, shipped
from tests.components.patterns.support.extension import INVOKES
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:billing-7f"
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:door-failing"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/third-party"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:try-logs-1a2b3c4:*"
OBJECTS = "arn:aws:s3:::faults-1a2b3c4/FisConfigs/*"
DOCUMENT = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/try-switch-1a2b3c4"
RUNS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:automation-execution/*"


def experiment(scenario: str, preview: bool = False, **changes: Any) -> Deployment:
    def program() -> None:
        base: dict[str, Any] = {
            "scenario": scenario,
            "stop_alarms": ["door-failing"],
            "functions": {"billing": "billing-7f", "intake": "intake-9c"},
            "faults": FaultInjection("faults"),
            "downstream_table": "third-party",
        }
        given = {key: value for key, value in (base | changes).items() if value is not None}
        args: ChaosExperimentArgs = given  # pyright: ignore[reportAssignmentType]
        ChaosExperiment("try", args)

    return deploy(program, preview=preview, invokes=INVOKES)


def file(folder: Path, fault: dict[str, Any]) -> str:
    """Write a scenario with this fault, and return its path."""
    values = {
        "schema": 1,
        "title": "Mine",
        "story": "Mine.",
        "fault": fault,
        "traffic": {"per_second": 1, "callers": 1},
        "before_seconds": 5,
        "fault_seconds": 75,
        "after_seconds": 10,
        "hypothesis": [{"measure": "lost_orders", "at_most": 0, "why": "x"}],
    }
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


def made(deployment: Deployment) -> dict[str, Any]:
    """Return the template's inputs."""
    [template] = deployment.of("aws:fis/experimentTemplate:ExperimentTemplate")
    return dict(template.inputs)


def parameters(template: dict[str, Any]) -> dict[str, str]:
    [action] = template["actions"]
    return {each["key"]: each["value"] for each in action["parameters"]}


@pytest.mark.parametrize("preview", [True, False])
def test_a_function_that_fails(preview: bool) -> None:
    template = made(experiment("billing-fails", preview))
    [action] = template["actions"]
    assert action["actionId"] == "aws:lambda:invocation-error"
    assert action["target"] == {"key": "Functions", "value": "functions"}
    assert parameters(template) == {
        "duration": "PT1M",
        "invocationPercentage": "20",
        "preventExecution": "false",
    }
    assert template["targets"] == [
        {
            "name": "functions",
            "resourceType": "aws:lambda:function",
            "selectionMode": "ALL",
            "resourceArns": [FUNCTION],
        }
    ]
    assert template["stopConditions"] == [{"source": "aws:cloudwatch:alarm", "value": ALARM}]
    assert template["experimentOptions"] == {
        "accountTargeting": "single-account",
        "emptyTargetResolutionMode": "fail",
    }
    assert template["logConfiguration"] == {
        "logSchemaVersion": 2,
        "cloudwatchLogsConfiguration": {"logGroupArn": LOGS},
    }
    assert template["tags"] == {"Name": "try", "selfheal:scenario": "billing-fails"}


@pytest.mark.parametrize(
    ("fault", "action", "expected"),
    [
        (
            {"action": "delay", "delay_seconds": 1.5},
            "aws:lambda:invocation-add-delay",
            {"startupDelayMilliseconds": "1500"},
        ),
        ({"action": "error"}, "aws:lambda:invocation-error", {"preventExecution": "true"}),
        (
            {"action": "response", "status_code": 503, "prevent_execution": False},
            "aws:lambda:invocation-http-integration-response",
            {"preventExecution": "false", "statusCode": "503", "contentTypeHeader": "application/json"},
        ),
    ],
)
def test_each_action_has_the_parameters_that_fis_wants(
    tmp_path: Path, fault: dict[str, Any], action: str, expected: dict[str, str]
) -> None:
    path = file(tmp_path, {"kind": "function", "target": "intake", "percent": 40, **fault})
    template = made(experiment(path, percent=30))
    assert template["actions"][0]["actionId"] == action
    assert parameters(template) == {"duration": "PT1M15S", "invocationPercentage": "30", **expected}


def test_its_role_may_break_that_function_and_nothing_else() -> None:
    deployment = experiment("billing-fails")
    policy = deployment.named("try-policy").inputs["policy"]
    granted = {
        (action, resource)
        for statement in json.loads(policy)["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    assert granted == {
        ("s3:PutObject", OBJECTS),
        ("s3:DeleteObject", OBJECTS),
        ("lambda:GetFunction", FUNCTION),
        ("tag:GetResources", "*"),
        ("cloudwatch:DescribeAlarms", ALARM),
        ("logs:CreateLogDelivery", "*"),
        ("logs:PutResourcePolicy", "*"),
        ("logs:DescribeResourcePolicies", "*"),
        ("logs:DescribeLogGroups", "*"),
    }
    assert deployment.named("try-boundary").inputs["policy"] == policy
    [trust] = json.loads(deployment.named("try-role").inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "fis.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_downstream_that_is_out() -> None:
    template = made(experiment("third-party-out"))
    [action] = template["actions"]
    assert action["actionId"] == "aws:ssm:start-automation-execution"
    assert "target" not in action
    assert template["targets"] == []
    # The fault, and what FIS gives the automation beyond it.
    assert parameters(template) == {"documentArn": DOCUMENT, "maxDuration": "PT5M30S"}


def document(deployment: Deployment) -> dict[str, Any]:
    held = deployment.named("try-switch").inputs
    assert (held["documentType"], held["documentFormat"]) == ("Automation", "JSON")
    return json.loads(held["content"])


def test_the_switch_is_put_waited_for_and_taken_back() -> None:
    content = document(experiment("slow-query"))
    assert content["schemaVersion"] == "0.3"
    assert content["assumeRole"] == f"arn:aws:iam::{ACCOUNT}:role/try-switch-role-1a2b3c4"
    deadline, broken, wait, mend = content["mainSteps"]
    assert [step["name"] for step in content["mainSteps"]] == ["deadline", "break", "wait", "mend"]
    for step in (broken, wait):
        assert (step["onFailure"], step["onCancel"]) == ("step:mend", "step:mend")
    assert "onFailure" not in deadline  # nothing is broken yet
    assert wait["inputs"] == {"Duration": "PT30S"}
    assert mend["isEnd"] is True
    for step, api in ((broken, "PutItem"), (mend, "DeleteItem")):
        assert (step["action"], step["inputs"]["Api"]) == ("aws:executeAwsApi", api)
        assert step["inputs"]["TableName"] == "third-party"
    assert mend["inputs"]["Key"] == SETTING_KEY
    assert broken["inputs"]["Item"].items() >= SETTING_KEY.items()


def test_the_switch_is_one_that_the_downstream_understands() -> None:
    item = document(experiment("slow-query"))["mainSteps"][1]["inputs"]["Item"]
    values = {name: next(iter(value.values())) for name, value in item.items() if name not in SETTING_KEY}
    assert values["until"] == "{{ deadline.until }}"
    switch = parse_switch({**values, "until": "1000"}, Setting(rate=20, burst=12))
    assert switch.until == 1000
    assert (switch.setting.mode.value, switch.setting.seconds) == ("data-shape", 10.0)
    assert (switch.setting.rate, switch.setting.burst) == (20, 12), "the stated rate is not the experiment's"


def test_the_deadline_is_a_little_after_the_fault() -> None:
    inputs = document(experiment("third-party-out"))["mainSteps"][0]["inputs"]
    names: dict[str, Any] = {}
    exec(inputs["Script"], names)
    told = names[inputs["Handler"]](inputs["InputPayload"], None)
    assert int(told["until"]) - int(told["now"]) == 60


@pytest.mark.parametrize("preview", [True, False])
def test_its_roles_may_start_that_automation_and_write_that_item(preview: bool) -> None:
    deployment = experiment("third-party-out", preview)
    statements = json.loads(deployment.named("try-policy").inputs["policy"])["Statement"]
    start, stop, passing = statements[:3]
    assert start == {
        "Effect": "Allow",
        "Action": ["ssm:StartAutomationExecution"],
        "Resource": [DOCUMENT, RUNS],
    }
    assert stop["Resource"] == [RUNS]
    assert passing == {
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": [f"arn:aws:iam::{ACCOUNT}:role/try-switch-role-1a2b3c4"],
        "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
    }
    own = deployment.named("try-switch-policy").inputs["policy"]
    for action in ("dynamodb:PutItem", "dynamodb:DeleteItem"):
        assert iam.allows(own, action, TABLE, "setting")
        assert not iam.allows(own, action, TABLE, "effects")
    assert not iam.allows(own, "dynamodb:UpdateItem", TABLE, "setting")


def test_a_share_of_errors_is_limited(tmp_path: Path) -> None:
    path = file(tmp_path, {"kind": "downstream", "mode": "errors", "share": 0.5})
    item = document(experiment(path, percent=10))["mainSteps"][1]["inputs"]["Item"]
    assert item["share"] == {"N": "0.1"}
    item = document(experiment(path))["mainSteps"][1]["inputs"]["Item"]
    assert item["share"] == {"N": "0.5"}


@pytest.mark.parametrize(
    ("scenario", "changes", "said"),
    [
        ("consumer-killed", {}, "has a fault of kind kill, which AWS offers nothing for"),
        ("parameter-store-throttled", {}, "has a fault of kind throttle, which AWS offers nothing for"),
        ("third-party-in", {}, "Did you mean third-party-out"),
        (
            "third-party-out",
            {"percent": 10},
            "breaks every call of the downstream, which cannot be limited to 10",
        ),
        ("billing-fails", {"stop_alarms": []}, "stop_alarms must name 1 to 5 alarms, got 0"),
        ("billing-fails", {"stop_alarms": list("abcdef")}, "stop_alarms must name 1 to 5 alarms, got 6"),
        ("billing-fails", {"percent": 0}, "percent must be a whole number from 1 to 100, got 0"),
        ("billing-fails", {"percent": 101}, "got 101"),
        ("billing-fails", {"percent": True}, "got True"),
        ("billing-fails", {"faults": None}, "breaks the function billing. Give `faults`"),
        ("billing-fails", {"functions": {"intake": "x"}}, "known there are: intake"),
        ("slow-query", {"downstream_table": None}, "breaks the downstream. Give `downstream_table`"),
    ],
)
def test_what_cannot_be_made_is_refused(scenario: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ComponentError) as caught:
        experiment(scenario, **changes)
    assert said in str(caught.value)


def test_what_can_be_made_of_the_six() -> None:
    assert {each.name for each in shipped() if can_be_made(each)} == {
        "billing-fails",
        "one-address-in-three",
        "slow-query",
        "third-party-out",
    }
    assert [each.name for each in shipped() if can_be_made(each, 10)] == ["billing-fails"]
    assert not can_be_made(load("consumer-killed"))


def test_durations_are_in_iso_8601() -> None:
    assert [iso(seconds) for seconds in (5, 59, 60, 75, 600)] == ["PT5S", "PT59S", "PT1M", "PT1M15S", "PT10M"]
