"""Checks of the account: who you are, Lambda's quota, and the encryption keys."""

from collections.abc import Iterator
from typing import Any

from selfheal.cli.doctor.check import Check, State
from selfheal.cli.doctor.stack import Deployed
from selfheal.cli.operator.aws_access import ClientSource
from selfheal.functions.shared.contract import RemedyKind

NEW_ACCOUNT = 100
"""Fewer concurrent executions than this are what new accounts have; the usual quota is 1,000. As many must
stay unreserved (AWS Lambda developer guide, "Lambda quotas" and "Configuring reserved concurrency")."""


def check_caller(clients: ClientSource) -> Iterator[Check]:
    """Look at who calls."""
    found = clients.get("sts").get_caller_identity()
    yield Check("account.caller", "credentials", State.OK, f"{found['Arn']}, account {found['Account']}")


def check_concurrency(clients: ClientSource, deployed: Deployed) -> Iterator[Check]:
    """Look at how many functions may run at once, and whether the remedies and the healer fit into that."""
    client, what = clients.get("lambda"), "Lambda concurrency"
    limits = client.get_account_settings()["AccountLimit"]
    quota, free = int(limits["ConcurrentExecutions"]), int(limits["UnreservedConcurrentExecutions"])
    numbers = f"{quota} in the account, {free} of them unreserved"
    reserved = [
        (target.name, int(remedy.value))
        for target in deployed.targets
        for remedy in target.remedies
        if remedy.kind == RemedyKind.LIMIT_CONCURRENCY and remedy.value and remedy.value.isdecimal()
    ]
    refused = [name for name, value in reserved if value and free - value < NEW_ACCOUNT]
    raise_it = "Ask for more: Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384)."
    if refused:
        found = f"{numbers}: AWS would refuse the remedy limit_concurrency of {', '.join(refused)}"
        yield Check("lambda.quota", what, State.FAIL, found, raise_it)
    elif quota <= NEW_ACCOUNT:
        found = f"{numbers}, as new accounts have: a burst of traffic can starve the healer"
        yield Check("lambda.quota", what, State.WARN, found, raise_it)
    else:
        yield Check("lambda.quota", what, State.OK, numbers)
    if not deployed.healer or deployed.problem:
        return
    own = client.get_function_concurrency(FunctionName=deployed.healer).get("ReservedConcurrentExecutions")
    if own == 0:
        do = f"Run `aws lambda delete-function-concurrency --function-name {deployed.healer}`."
        yield Check("healer.concurrency", "healer's concurrency", State.FAIL, "0: it never runs", do)
    else:
        yield Check("healer.concurrency", "healer's concurrency", State.OK, f"{own or 'not'} reserved")


def check_keys(clients: ClientSource, table: str, deployed: Deployed) -> Iterator[Check]:
    """Look at whether the keys that encrypt the healer's resources are enabled."""
    described = clients.get("dynamodb").describe_table(TableName=table)["Table"]
    used: dict[str, list[str]] = {}

    def note(key: Any, what: str) -> None:
        if key and not str(key).startswith("alias/aws/"):
            used.setdefault(str(key), []).append(what)

    note(described.get("SSEDescription", {}).get("KMSMasterKeyArn"), "the ledger")
    note(deployed.function.get("KMSKeyArn"), "the healer's environment")
    for variable in ("TOPIC_ARN", "ESCALATION_TOPIC_ARN"):
        if topic := deployed.environment.get(variable):
            attributes = clients.get("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
            note(attributes.get("KmsMasterKeyId"), f"the topic {topic.rpartition(':')[2]}")
    if not used:
        yield Check("kms.keys", "encryption keys", State.OK, "none of yours is in use")
    for key, uses in used.items():
        state = str(clients.get("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"])
        found = f"{key} ({', '.join(uses)}) is {state}"
        if state == "Enabled":
            yield Check("kms.keys", "encryption keys", State.OK, found)
        else:
            do = "Enable it (`aws kms enable-key`), or cancel its deletion: what it encrypts cannot be used."
            yield Check("kms.keys", "encryption keys", State.FAIL, found, do)
