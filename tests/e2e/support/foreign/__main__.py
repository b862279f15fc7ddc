"""A shop, and the healer that looks after its checkout."""

import json

import pulumi
import pulumi_aws as aws

from selfheal.components import Healer, Mode, RemedyKind, refuse_while_open

ledger = f"{pulumi.get_project()}-{pulumi.get_stack()}-ledger"
refuse_while_open(ledger)  # before any resource, so that `up` never undoes a remedy during an incident

trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
role = aws.iam.Role(
    "checkout", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
)
logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
aws.iam.RolePolicyAttachment("checkout-logs", role=role.name, policy_arn=logs)
checkout = aws.lambda_.Function(
    "checkout",
    role=role.arn,
    runtime="python3.13",
    handler="handler.handle",
    timeout=30,
    code=pulumi.FileArchive("shop"),
    environment={"variables": {"NEW_PRICING": "on", "CURRENCY": "CHF"}},
)

healer = Healer(
    "healer",
    {
        "ledger_name": ledger,
        "mode": Mode.ACT,
        "escalation_emails": ["oncall@example.com"],
        "targets": [
            {
                "name": "checkout",
                "function_name": checkout.name,  # any Lambda function
                "timeout_seconds": 30,  # its timeout: until then a call that hangs is no error yet
                "remedies": [{"kind": RemedyKind.ENVIRONMENT, "variable": "NEW_PRICING", "value": "off"}],
            }
        ],
    },
)

pulumi.export("functionName", checkout.name)
pulumi.export("ledgerTable", healer.ledger_table)
