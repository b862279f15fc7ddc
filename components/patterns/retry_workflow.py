"""`RetryWorkflow`: a queue whose messages are handled by a workflow that retries, with full jitter."""

from collections.abc import Mapping
from typing import Any, NoReturn, NotRequired, cast

import pulumi
import pulumi_aws as aws

from selfheal.components import names
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.function import DEFAULT_RETENTION_DAYS, own_code
from selfheal.components.iam import allow, deliver_logs, service_role, write_traces
from selfheal.components.patterns.dead_letters import DeadLetters
from selfheal.components.patterns.function import FunctionArgs, live_alias, pattern_function, timeout_of
from selfheal.components.patterns.levelled_queue import Guard, LevelledQueue, LevelledQueueArgs
from selfheal.components.patterns.retry_definition import (
    RetryArgs,
    checked_retrier,
    workflow,
    workflow_seconds,
)
from selfheal.components.security import Security, SecurityArgs

READ_SECONDS = 5
"""By how much the starter waits longer for the workflow than that may take."""

STARTER_SECONDS = 15
"""By how much the starter may run longer than the workflow."""

LEVELLED = LevelledQueueArgs.__annotations__.keys() - {"consumer", "batch_size", "alias"}
"""Arguments that are those of the queue."""


class RetryWorkflowArgs(SecurityArgs):
    """What is to be done with each message, how often it is tried, and at which pace."""

    task: FunctionArgs
    """Function that is called with one record, as a consumer has it in a batch; how often this execution has
    retried it is added as `retryCount`, for `Breaker.call(counts=...)`. If it raises `PoisonError`, the
    message becomes a letter at once; if it raises `CircuitOpen` or `RefusedError`, it goes back to the queue,
    for as many seconds as its text says ("try again in 7 s") or 30. These are names of exception classes; a
    subclass has another one."""

    rate: float
    """Messages a second, 0.1 to 1,000, as in `LevelledQueue`. Retries come in addition."""

    people: pulumi.Input[str]
    """ARN of the topic to notify, for example `OnCall("on-call").topic_arn`."""

    maximum_concurrency: NotRequired[int]
    """Workflows at the same time, 2 to 1,000. Default 5."""

    retry: NotRequired[RetryArgs]
    """When a failed task is tried again. Default: as each of its fields says."""

    max_age_seconds: NotRequired[int]
    """Seconds after which a message is evicted, 60 to 259,200, as in `LevelledQueue`. Default 21,600."""

    drain_seconds: NotRequired[int]
    """People are told when handling what waits takes longer than this, 60 to 86,400. Default 900."""

    most_receives: NotRequired[int]
    """How often a message that the workflow could not bring to an end is received before it becomes a letter,
    1 to 1,000. Default 5; with a circuit 1,000, and nothing else is allowed."""

    circuit: NotRequired[Guard]
    """Circuit that the task calls through. Default: none."""

    counts_attempts: NotRequired[bool]
    """Whether the task itself counts the attempts of a message, also those in which it was killed, and raises
    `PoisonError` when they are used up. A message whose task was killed or ran out of time in every retry
    then goes back to the queue. Default false: it becomes a letter, because the message may be the reason."""

    alias: NotRequired[bool]
    """Whether each change of the task publishes a version, and the workflow calls the alias `live`, so that a
    healer can roll it back. Default false: the workflow calls $LATEST."""


class RetryWorkflow(pulumi.ComponentResource):
    """A levelled queue, an Express workflow for each of its messages, and the function that this calls.

    The consumer of the queue waits for the workflow, so that the queue's pace is that of the workflows. What
    has failed at last becomes a letter in the queue's dead letters, with the workflow as origin, the queue as
    target, and the error as reason.
    """

    queue: LevelledQueue
    """The queue to send to."""

    dead_letters: DeadLetters
    """Messages that could not be handled: those of the queue."""

    function_name: pulumi.Output[str]
    """Name of the task's function, known at preview."""

    alias_name: pulumi.Output[str] | None
    """Name of the alias that the workflow calls. None without `alias`."""

    state_machine_arn: pulumi.Output[str]
    """ARN of the workflow, known at preview."""

    def __init__(
        self, name: str, args: RetryWorkflowArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the queue, the starter, the workflow and the task's function.

        Raises:
            ComponentError: when a number is out of its range, or the attempts and pauses do not fit into the
                time that an Express workflow may take.

        """
        super().__init__("selfheal:index:RetryWorkflow", name, None, opts)
        args = {**args, "people": names.TOPIC.of("people", args["people"])}
        retrier = checked_retrier(args.get("retry", {}))
        seconds = workflow_seconds(timeout_of(args["task"]), retrier)
        arns = Arns(self)
        security = Security(args, arns)
        # The starter needs the workflow, which needs the dead letters of the starter's queue.
        machine_name: pulumi.Output[str]
        machine_name, resolve = pulumi.deferred_output()
        self.state_machine_arn = arns.state_machine(machine_name)
        try:
            self.queue = LevelledQueue(name, self._queue(args, seconds), pulumi.ResourceOptions(parent=self))
            self.dead_letters = self.queue.dead_letters
            aliased = args.get("alias", False)
            task = pattern_function(
                f"{name}-task",
                _task(args),
                Access(),
                arns=arns,
                security=security,
                parent=self,
                publish=aliased,
            )
            self.function_name = task.name
            self.alias_name = (
                live_alias(f"{name}-task", task, "What the workflow calls", self).name if aliased else None
            )
            machine = self._machine(name, args, retrier, seconds, arns=arns, security=security)
        except BaseException as error:
            # Pulumi waits for every output: without this, what was refused would be waited for, for ever.
            resolve(pulumi.Output.from_input("").apply(lambda _, failed=error: _fail(failed)))
            raise
        resolve(machine.name)
        self.register_outputs({"functionName": self.function_name, "stateMachineArn": self.state_machine_arn})

    def _queue(self, args: RetryWorkflowArgs, seconds: int) -> LevelledQueueArgs:
        starter: FunctionArgs = {
            "code": own_code("workflow_starter"),
            "timeout_seconds": seconds + STARTER_SECONDS,
            "environment": {
                "STATE_MACHINE": self.state_machine_arn,
                "READ_TIMEOUT_SECONDS": str(seconds + READ_SECONDS),
            },
            "uses": [
                Access(statements=[allow(["states:StartSyncExecution"], [self.state_machine_arn])]),
            ],
        }
        if "log_retention_days" in args["task"]:
            starter["log_retention_days"] = args["task"]["log_retention_days"]
        said: Mapping[str, Any] = {key: value for key, value in args.items() if key in LEVELLED}
        # One message, because the starter waits for its workflow.
        return cast("LevelledQueueArgs", {**said, "consumer": starter, "batch_size": 1})

    def _machine(
        self,
        name: str,
        args: RetryWorkflowArgs,
        retrier: Mapping[str, Any],
        seconds: int,
        *,
        arns: Arns,
        security: Security,
    ) -> aws.sfn.StateMachine:
        called = self.function_name
        if self.alias_name is not None:
            called = pulumi.Output.concat(called, ":", self.alias_name)
        function = arns.function(called)
        definition = workflow(
            retrier,
            seconds,
            partition=arns.partition,
            function=function,
            queue=self.queue.queue_arn,
            # By its name: the URL itself is not known at preview, and policies read the definition.
            dead_letters=arns.queue_url(self.dead_letters.queue_name),
            counts_attempts=args.get("counts_attempts", False),
        )
        logs = aws.cloudwatch.LogGroup(
            f"{name}-workflow-logs",
            retention_in_days=args["task"].get("log_retention_days", DEFAULT_RETENTION_DAYS),
            kms_key_id=security.key,
            opts=pulumi.ResourceOptions(parent=self),
        )
        role, policy = service_role(
            f"{name}-workflow",
            "states.amazonaws.com",
            [
                allow(["lambda:InvokeFunction"], [function]),
                *self.dead_letters.access.statements,
                deliver_logs(),
                write_traces(),
            ],
            self,
            security.boundary,
        )
        return aws.sfn.StateMachine(
            f"{name}-workflow",
            type="EXPRESS",
            definition=pulumi.Output.json_dumps(definition),
            role_arn=role.arn,
            # An Express workflow keeps no history. Without what it worked on, which may be personal.
            logging_configuration=aws.sfn.StateMachineLoggingConfigurationArgs(
                level="ERROR",
                include_execution_data=False,
                log_destination=arns.log_streams(logs.name),
            ),
            tracing_configuration=aws.sfn.StateMachineTracingConfigurationArgs(enabled=True),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def _fail(error: BaseException) -> NoReturn:
    raise error


def _task(args: RetryWorkflowArgs) -> FunctionArgs:
    task: FunctionArgs = {**args["task"]}
    uses = list(task.get("uses", ()))
    circuit = args.get("circuit")
    if circuit is not None and all(circuit.access is not each for each in uses):
        task["uses"] = [*uses, circuit.access]
    return task
