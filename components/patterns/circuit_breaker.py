"""`CircuitBreaker`: pauses what consumes behind an open circuit, probes it, and starts again slowly."""

from collections.abc import Sequence
from typing import NotRequired, Protocol

import pulumi
import pulumi_aws as aws

from selfheal.components import names, ranges
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.function import DEFAULT_RETENTION_DAYS, own_code
from selfheal.components.healing.wakeups import wake_by_schedule
from selfheal.components.iam import Statement, allow
from selfheal.components.patterns.breaker_alarms import breaker_alarms
from selfheal.components.patterns.breaker_workflow import breaker_workflow
from selfheal.components.patterns.circuit import Circuit
from selfheal.components.patterns.function import FunctionArgs, pattern_function
from selfheal.components.patterns.levelled_queue import CONCURRENCIES
from selfheal.components.security import Security, SecurityArgs, Store

MARGIN_SECONDS = 5
"""Of the controller's time, what it needs beside the consumer that it probes."""

OUTAGE_ALARM_SECONDS = (60, 86_400)
DEFAULT_OUTAGE_ALARM_SECONDS = 900

WAKE_TIMEOUT_SECONDS = 30

WAKE_AGE_SECONDS = 120
"""A wake-up that is older than two runs of the schedule says nothing any more."""


class Consumer(Protocol):
    """A queue with the function that consumes it, such as a `LevelledQueue` with this `circuit`."""

    @property
    def function_name(self) -> pulumi.Output[str]:
        """Name of the function."""
        ...

    @property
    def queue_arn(self) -> pulumi.Output[str]:
        """ARN of the queue."""
        ...

    @property
    def queue_url(self) -> pulumi.Output[str]:
        """URL of the queue."""
        ...

    @property
    def maximum_concurrency(self) -> int:
        """MaximumConcurrency of the mapping while the circuit is closed, 2 to 1,000."""
        ...

    @property
    def timeout_seconds(self) -> int:
        """Timeout of the function."""
        ...


class CircuitBreakerArgs(SecurityArgs):
    """The circuit, what consumes behind it, and how it is probed."""

    circuit: Circuit
    """The circuit."""

    consumers: Sequence[Consumer]
    """All consumers that call through the circuit, at least one. The breaker owns whether their mappings are
    enabled, and their MaximumConcurrency."""

    probe_url: pulumi.Input[str]
    """Health route of the dependency, http or https: a status below 400 is a success. Asked when there is no
    `probe_queue`, or nothing in it."""

    people: pulumi.Input[str]
    """ARN of the topic to notify, for example `OnCall("on-call").topic_arn`."""

    probe_queue: NotRequired[Consumer]
    """One of the consumers: a real message of its queue is the probe. Default: the health route only, which
    shows less."""

    outage_alarm_seconds: NotRequired[int]
    """Seconds without rest after which people are told, 60 to 86,400. Default 900."""

    log_retention_days: NotRequired[int]
    """Days to keep logs; one of the values that CloudWatch Logs supports. Default 14."""


class CircuitBreaker(pulumi.ComponentResource):
    """The controller of a circuit: a workflow that runs while the circuit is not at rest."""

    controller_name: pulumi.Output[str]
    """Name of the function that takes one step, known at preview."""

    wake_name: pulumi.Output[str]
    """Name of the function that starts the workflow, known at preview."""

    state_machine_arn: pulumi.Output[str]
    """ARN of the workflow, known at preview."""

    def __init__(
        self, name: str, args: CircuitBreakerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the controller, its workflow, what wakes it, and the alarms.

        Raises:
            ComponentError: when there is no consumer, the probe's is none of them or needs too long, a
                MaximumConcurrency or the alarm's time is out of its range, or the URL is not one of HTTP.

        """
        super().__init__("selfheal:index:CircuitBreaker", name, None, opts)
        args = {
            **args,
            "people": names.TOPIC.of("people", args["people"]),
            "probe_url": names.URL.of("probe_url", args["probe_url"]),
        }
        circuit = args["circuit"]
        outage = args.get("outage_alarm_seconds", DEFAULT_OUTAGE_ALARM_SECONDS)
        _check(args, outage)
        arns = Arns(self)
        security = Security(args, arns)
        days = args.get("log_retention_days", DEFAULT_RETENTION_DAYS)

        controller = pattern_function(
            f"{name}-controller",
            {
                "code": own_code("breaker"),
                "timeout_seconds": _controller_timeout(circuit),
                "log_retention_days": days,
                "uses": [circuit.access],
            },
            _control(args, arns, security),
            arns=arns,
            security=security,
            parent=self,
        )
        machine = breaker_workflow(
            f"{name}-workflow",
            controller,
            _controller_timeout(circuit),
            arns=arns,
            boundary=security.boundary,
            parent=self,
        )
        self.state_machine_arn = arns.state_machine(machine.name)
        wake = self._wake(name, args, days, arns, security)
        self.controller_name, self.wake_name = controller.name, wake.name
        breaker_alarms(
            name,
            circuit.circuit_name,
            controller=controller.name,
            wake=wake.name,
            workflow_arn=self.state_machine_arn,
            outage_seconds=outage,
            people=args["people"],
            parent=self,
        )
        self.register_outputs(
            {
                "controllerName": self.controller_name,
                "wakeName": self.wake_name,
                "stateMachineArn": self.state_machine_arn,
            }
        )

    def _wake(
        self, name: str, args: CircuitBreakerArgs, days: int, arns: Arns, security: Security
    ) -> aws.lambda_.Function:
        """Register the function that starts the workflow, woken by the table's stream and every minute.

        While the circuit is at rest it corrects the MaximumConcurrency of mappings.
        """
        circuit, people = args["circuit"], args["people"]
        access = Access(
            {"WORKFLOW_ARN": self.state_machine_arn, "CONSUMERS": _behind(args)},
            [
                *_mappings(args, arns),
                allow(["states:StartExecution", "states:ListExecutions"], [self.state_machine_arn]),
                # Source: DynamoDB developer guide, "IAM policy to allow an AWS Lambda function to access
                # DynamoDB stream records". The stream's own name is unknown at preview.
                allow(
                    [
                        *("dynamodb:DescribeStream", "dynamodb:GetRecords"),
                        *("dynamodb:GetShardIterator", "dynamodb:ListStreams"),
                    ],
                    [arns.streams(circuit.table_name)],
                ),
                allow(["sns:Publish"], [people]),
                *security.writes(Store.TOPIC),
            ],
        )
        runs: FunctionArgs = {
            "code": own_code("breaker", "wake"),
            "timeout_seconds": WAKE_TIMEOUT_SECONDS,
            "log_retention_days": days,
            "uses": [circuit.reader],
        }
        wake = pattern_function(f"{name}-wake", runs, access, arns=arns, security=security, parent=self)
        options = pulumi.ResourceOptions(parent=self)
        aws.lambda_.EventSourceMapping(
            f"{name}-stream",
            event_source_arn=circuit.stream_arn,
            function_name=wake.name,
            starting_position="LATEST",
            # Counts are written each second, and are no reason to wake anybody.
            filter_criteria=aws.lambda_.EventSourceMappingFilterCriteriaArgs(
                filters=[
                    aws.lambda_.EventSourceMappingFilterCriteriaFilterArgs(
                        pattern='{"dynamodb": {"NewImage": {"state": {"S": ["open"]}}}}'
                    )
                ]
            ),
            # The schedule makes good what fails here, and the item itself is still there. People are told,
            # as the schedule's wake-ups may fail for the same cause.
            maximum_record_age_in_seconds=WAKE_AGE_SECONDS,
            maximum_retry_attempts=3,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            destination_config=aws.lambda_.EventSourceMappingDestinationConfigArgs(
                on_failure=aws.lambda_.EventSourceMappingDestinationConfigOnFailureArgs(
                    destination_arn=people
                )
            ),
            opts=options,
        )
        wake_by_schedule(
            name, wake, arns, options, "Starts the circuit breaker's workflow where a wake-up was lost"
        )
        return wake


def _controller_timeout(circuit: Circuit) -> int:
    """Return the controller's timeout: one that still ran when its lease is over might probe beside another.

    The lease begins after the run, and so ends after it.
    """
    return circuit.settings.lease_seconds - 1


def _check(args: CircuitBreakerArgs, outage: int) -> None:
    consumers, probed = args["consumers"], args.get("probe_queue")
    if not consumers:
        raise ComponentError(
            "consumers must name at least one consumer: without any there is nothing to pause. Leave the "
            "CircuitBreaker out, or name the queues whose functions call through the circuit."
        )
    for each in consumers:
        ranges.whole("maximum_concurrency of a consumer", each.maximum_concurrency, CONCURRENCIES)
    if probed is not None and all(probed is not each for each in consumers):
        raise ComponentError(
            "probe_queue must be one of the consumers: a probe of another queue would say nothing of this "
            "circuit. Add it to the consumers, or leave it out for the health route only."
        )
    lease = args["circuit"].settings.lease_seconds
    most = _controller_timeout(args["circuit"]) - MARGIN_SECONDS
    if probed is not None and probed.timeout_seconds > most:
        raise ComponentError(
            f"the timeout of the probed consumer must be at most {most} s, {lease - most} s less than the "
            f"circuit's lease_seconds ({lease}), or a second probe could start beside a slow first one; got "
            f"{probed.timeout_seconds}. Shorten the timeout, or set lease_seconds to at least "
            f"{probed.timeout_seconds + lease - most}."
        )
    ranges.whole("outage_alarm_seconds", outage, OUTAGE_ALARM_SECONDS, default=DEFAULT_OUTAGE_ALARM_SECONDS)


def _control(args: CircuitBreakerArgs, arns: Arns, security: Security) -> Access:
    """Return what the controller needs beside the circuit: its consumers' mappings, and the probe."""
    probed = args.get("probe_queue")
    probe: dict[str, pulumi.Input[str]] = {"url": args["probe_url"]}
    statements = _mappings(args, arns)
    if probed is not None:
        probe |= {"queue_url": probed.queue_url, "function": probed.function_name}
        statements += [
            allow(["sqs:ReceiveMessage", "sqs:DeleteMessage"], [probed.queue_arn]),
            *security.reads(Store.QUEUE),
            allow(["lambda:InvokeFunction"], [arns.function(probed.function_name)]),
        ]
    return Access({"CONSUMERS": _behind(args), "PROBE": pulumi.Output.json_dumps(probe)}, statements)


def _mappings(args: CircuitBreakerArgs, arns: Arns) -> list[Statement]:
    """Return the statements that allow to find and change the mappings of the consumers."""
    functions = [arns.function(each.function_name) for each in args["consumers"]]
    return [
        # It has no resource level: AWS accepts only `*`. Source: Service Authorization Reference, AWS Lambda.
        allow(["lambda:ListEventSourceMappings"], ["*"]),
        # A deployment may replace a mapping, whose UUID is then another: the condition restricts this to
        # mappings of these functions, whichever they are. Source: as above, which names lambda:FunctionArn
        # as condition key of UpdateEventSourceMapping.
        allow(
            ["lambda:UpdateEventSourceMapping"],
            [arns.mapping("*")],
            {"ArnEquals": {"lambda:FunctionArn": functions}},
        ),
    ]


def _behind(args: CircuitBreakerArgs) -> pulumi.Output[str]:
    """Return the consumers as both functions read them."""
    behind = [
        {
            "function": each.function_name,
            "source_arn": each.queue_arn,
            "maximum_concurrency": each.maximum_concurrency,
        }
        for each in args["consumers"]
    ]
    return pulumi.Output.json_dumps(behind)
