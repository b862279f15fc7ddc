"""`ChaosExperiment`: a scenario as an experiment template of AWS FIS, which stops itself.

    function     FIS fails, delays or answers invocations, through the extension of `FaultInjection`
    downstream   FIS starts an automation, which switches the downstream and back: see `switch_document`

Faults of the kinds throttle and kill are refused: AWS offers nothing that makes them. Source of
permissions: FIS user guide, "AWS FIS Actions reference".
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

import pulumi
import pulumi_aws as aws

from selfheal.components import names, ranges
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.function import DEFAULT_RETENTION_DAYS
from selfheal.components.iam import Statement, allow, service_role
from selfheal.components.patterns.fault_injection import FaultInjection
from selfheal.components.patterns.fis_actions import automation_action, function_action
from selfheal.components.patterns.switch_document import switch_document, switch_rights
from selfheal.components.security import Security, SecurityArgs, Store
from selfheal.scenarios.faults import DownstreamFault, FunctionFault
from selfheal.scenarios.fields import ScenarioError
from selfheal.scenarios.scenario import Scenario, load

ALL = 100
"""Percent."""

MOST_STOP_ALARMS = 5
"""Of an experiment template. Source: FIS user guide, "Quotas and limitations"."""

TARGET = "functions"
"""Name of the target in the template."""

SHARED_MODE = "errors"
"""The one mode of a downstream that hits a share of the calls, which can be limited."""

Fault = tuple[Sequence[Statement], aws.fis.ExperimentTemplateActionArgs, Sequence[Any]]
"""What the role may do to make it, the action, and the template's targets."""


class ChaosExperimentArgs(SecurityArgs):
    """What breaks, and when it stops."""

    scenario: str
    """Name of a scenario that ships with the project, or the path of a file that ends with .yaml."""

    stop_alarms: Sequence[pulumi.Input[str]]
    """Names of 1 to 5 alarms. The experiment stops as soon as one fires, and does not start while one does.
    Take alarms on a rate: at low traffic a number of errors is never reached."""

    functions: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Names of the functions that can be broken, by logical name. For scenarios of the kind function."""

    faults: NotRequired[FaultInjection]
    """What these functions use as well. For scenarios of the kind function."""

    downstream_table: NotRequired[pulumi.Input[str]]
    """Name of the table of a `Downstream`. For scenarios of the kind downstream."""

    percent: NotRequired[int]
    """The most that is broken of calls or invocations, 1 to 100, whatever the scenario says. Default 100."""

    log_retention_days: NotRequired[int]
    """Days to keep the experiment's log. Default 14."""


class ChaosExperiment(pulumi.ComponentResource):
    """An experiment template, the role of its experiments, and their log.

    The role may do what this fault needs and no more. A healer must not be among the functions: the policy
    pack refuses it.
    """

    template_id: pulumi.Output[str]
    """Id of the template, with which an experiment is started."""

    def __init__(
        self, name: str, args: ChaosExperimentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register everything that an experiment needs.

        Raises:
            ComponentError: when the scenario cannot be read or made on AWS, or something that it needs is
                missing.

        """
        super().__init__("selfheal:index:ChaosExperiment", name, None, opts)
        scenario, fault = _checked(name, args)
        args = _named(args)
        self._name, self._args, self._arns = name, args, Arns(self)
        self._security = Security(args, self._arns)
        self._scenario = scenario
        group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            retention_in_days=args.get("log_retention_days", DEFAULT_RETENTION_DAYS),
            kms_key_id=self._security.key,
            opts=pulumi.ResourceOptions(parent=self),
        )
        if isinstance(fault, FunctionFault):
            statements, action, targets = self._function(fault)
        else:
            statements, action, targets = self._downstream(fault)
        alarms = [self._arns.alarm(alarm) for alarm in args["stop_alarms"]]
        role, policy = service_role(
            name,
            "fis.amazonaws.com",
            [*statements, *_watch(alarms), deliver_log()],
            self,
            self._security.boundary,
        )
        template = aws.fis.ExperimentTemplate(
            name,
            description=f"{scenario.name}: {scenario.title}",
            role_arn=role.arn,
            stop_conditions=[{"source": "aws:cloudwatch:alarm", "value": alarm} for alarm in alarms],
            actions=[action],
            targets=targets,
            experiment_options={
                "account_targeting": "single-account",
                # A function that is gone is no experiment that held.
                "empty_target_resolution_mode": "fail",
            },
            log_configuration={
                "log_schema_version": 2,
                "cloudwatch_logs_configuration": {"log_group_arn": self._arns.log_streams(group.name)},
            },
            tags={"Name": name, "selfheal:scenario": scenario.name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.template_id = template.id
        self.register_outputs({"templateId": self.template_id})

    def _function(self, fault: FunctionFault) -> Fault:
        functions, faults = self._args.get("functions", {}), self._args.get("faults")
        if fault.target not in functions or faults is None:
            known = ", ".join(sorted(functions)) or "none"
            raise ComponentError(
                f"{self._name}: scenario {self._scenario.name} breaks the function {fault.target}. Give "
                f"`faults`, and that function's name under `functions`; known there are: {known}."
            )
        arn = self._arns.function(functions[fault.target])
        statements = [
            *faults.writes,
            allow(["lambda:GetFunction"], [arn]),
            # It finds targets by their tags, and has no resource level. FIS asks for it with ARNs as well.
            allow(["tag:GetResources"], ["*"]),
        ]
        percent = min(fault.percent, _percent(self._args))
        action = function_action(fault, self._scenario.fault_seconds, percent, TARGET)
        target = {
            "name": TARGET,
            "resource_type": "aws:lambda:function",
            "selection_mode": "ALL",
            "resource_arns": [arn],
        }
        return statements, action, [target]

    def _downstream(self, fault: DownstreamFault) -> Fault:
        table = self._args.get("downstream_table")
        if table is None:
            raise ComponentError(
                f"{self._name}: scenario {self._scenario.name} breaks the downstream. Give "
                "`downstream_table`, the table_name of its component."
            )
        seconds = self._scenario.fault_seconds
        name = f"{self._name}-switch"
        rights = [*switch_rights(self._arns.table(table)), *self._security.reads(Store.TABLE)]
        role, policy = service_role(name, "ssm.amazonaws.com", rights, self, self._security.boundary)
        document = aws.ssm.Document(
            name,
            document_type="Automation",
            document_format="JSON",
            content=switch_document(self._limited(fault), seconds, table, role.arn),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        # Ids of automations are made up when they start. That FIS may stop one is what ends it early.
        runs = [self._arns.automation_runs()]
        statements = [
            allow(
                ["ssm:StartAutomationExecution"],
                [self._arns.document(document.name), *runs],
            ),
            allow(["ssm:GetAutomationExecution", "ssm:StopAutomationExecution"], runs),
            allow(
                ["iam:PassRole"],
                [self._arns.role(role.name)],
                {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
            ),
        ]
        return statements, automation_action(self._arns.document(document.name), seconds), []

    def _limited(self, fault: DownstreamFault) -> DownstreamFault:
        """Return the fault with no larger share than is allowed."""
        if fault.share is None:
            return fault
        return DownstreamFault(fault.mode, share=min(fault.share, _percent(self._args) / ALL))


def can_be_made(scenario: Scenario, percent: int = ALL) -> bool:
    """Return whether AWS can make a scenario's fault, for at most this share of the calls."""
    fault = scenario.fault
    limited = not isinstance(fault, DownstreamFault) or percent == ALL or fault.mode == SHARED_MODE
    return not scenario.only_in_sandbox and limited


def deliver_log() -> Statement:
    """Return the statement that allows FIS to have an experiment's log delivered.

    AWS accepts only `*` for these. Source: CloudWatch Logs user guide, "Logs sent to CloudWatch Logs", to
    which the FIS user guide refers in "Experiment logging for AWS FIS".
    """
    return allow(
        [
            *("logs:CreateLogDelivery", "logs:PutResourcePolicy"),
            *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
        ],
        ["*"],
    )


def _watch(alarms: Sequence[pulumi.Input[str]]) -> list[Statement]:
    return [allow(["cloudwatch:DescribeAlarms"], alarms)]


def _named(args: ChaosExperimentArgs) -> ChaosExperimentArgs:
    """Return the arguments, with names that are checked now, or as soon as they are known."""
    alarms = [names.ALARM.of("each of stop_alarms", alarm) for alarm in args["stop_alarms"]]
    found: ChaosExperimentArgs = {**args, "stop_alarms": alarms}
    if "functions" in args:
        found["functions"] = {
            key: names.FUNCTION.of(f"functions: {key}", function)
            for key, function in args["functions"].items()
        }
    if "downstream_table" in args:
        found["downstream_table"] = names.TABLE.of("downstream_table", args["downstream_table"])
    return found


def _percent(args: ChaosExperimentArgs) -> int:
    return args.get("percent", ALL)


def _checked(name: str, args: ChaosExperimentArgs) -> tuple[Scenario, FunctionFault | DownstreamFault]:
    """Return the scenario and its fault. Raises ComponentError when AWS cannot make it."""
    alarms, percent = args["stop_alarms"], _percent(args)
    if not 1 <= len(alarms) <= MOST_STOP_ALARMS:
        raise ComponentError(
            f"{name}: stop_alarms must name 1 to {MOST_STOP_ALARMS} alarms, got {len(alarms)}: without one "
            "nothing stops an experiment that does harm."
        )
    ranges.whole(f"{name}: percent", percent, (1, ALL), default=ALL)
    try:
        scenario = load(args["scenario"])
    except ScenarioError as error:
        raise ComponentError(f"{name}: {error}.") from error
    fault = scenario.fault
    if not isinstance(fault, (FunctionFault, DownstreamFault)):
        raise ComponentError(
            f"{name}: scenario {scenario.name} has a fault of kind {fault.kind}, which AWS offers "
            "nothing for: it runs in the sandbox only, by `selfheal chaos run`. On AWS the kinds are "
            "downstream and function."
        )
    if not can_be_made(scenario, percent):
        raise ComponentError(
            f"{name}: scenario {scenario.name} breaks every call of the downstream, which cannot be "
            f"limited to {percent} %. Leave percent out, or take a scenario of mode {SHARED_MODE} or of kind "
            "function."
        )
    return scenario, fault
