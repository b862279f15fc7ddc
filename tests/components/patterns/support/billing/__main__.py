"""A workflow that calls a downstream."""

from pathlib import Path

import pulumi

from selfheal.components.function import code
from selfheal.components.patterns.downstream import Downstream
from selfheal.components.patterns.on_call import OnCall
from selfheal.components.patterns.retry_workflow import RetryWorkflow

payments = Downstream("payments", {"rate": 1000, "burst": 1000})
billing = RetryWorkflow(
    "billing",
    {
        "task": {
            "code": code(Path(__file__).parent / "task", "task.handle"),
            "timeout_seconds": 10,
            "uses": [payments.access],
        },
        "rate": 20,
        "maximum_concurrency": 4,
        "retry": {"max_attempts": 2, "max_delay_seconds": 1},
        "people": OnCall("on-call").topic_arn,
    },
)
pulumi.export("url", payments.url)
pulumi.export("table", payments.table_name)
pulumi.export("queueUrl", billing.queue.queue_url)
pulumi.export("queueArn", billing.queue.queue_arn)
pulumi.export("deadLettersUrl", billing.dead_letters.queue_url)
pulumi.export("stateMachine", billing.state_machine_arn)
