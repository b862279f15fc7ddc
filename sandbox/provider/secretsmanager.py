"""Secrets Manager: secrets and their versions."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import or_none
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import LOCAL, Props, Spec, values

# --- secrets ------------------------------------------------------------------------------------------------

_SECRET = same_names("name", "description", "kmsKeyId")


def _live(clients: Clients, id_: str) -> dict[str, Any] | None:
    """Return a secret, or None if there is none, or only one that is scheduled for deletion."""
    live = or_none(lambda: clients.get("secretsmanager").describe_secret(SecretId=id_))
    return None if live is None or live.get("DeletedDate") else live


def _read_secret(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = _live(clients, id_)
    return None if live is None else from_aws(live, {**_SECRET, "arn": "ARN"})


def _update_secret(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    arguments = {"Description": "", "KmsKeyId": "", **to_aws(new, _SECRET)}
    del arguments["Name"]
    clients.get("secretsmanager").update_secret(SecretId=id_, **arguments)


def _delete_secret(clients: Clients, id_: str, inputs: Props) -> None:
    if _live(clients, id_) is None:
        return
    days = inputs.get("recoveryWindowInDays")
    how = {"ForceDeleteWithoutRecovery": True} if days == 0 else {"RecoveryWindowInDays": days or 30}
    clients.get("secretsmanager").delete_secret(SecretId=id_, **how)


SECRET = Spec(
    inputs={**values(*_SECRET), "recoveryWindowInDays": LOCAL, "forceOverwriteReplicaSecret": LOCAL},
    computed=frozenset({"arn"}),
    name="name",
    name_limit=512,
    identity=frozenset({"name"}),
    replace=frozenset({"name"}),
    defaults={"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30},
    create=lambda clients, inputs: clients.get("secretsmanager").create_secret(**to_aws(inputs, _SECRET))[
        "ARN"
    ],
    read=_read_secret,
    update=_update_secret,
    delete=_delete_secret,
)

# --- versions -----------------------------------------------------------------------------------------------

_VERSION = same_names("secretString")


def _create_version(clients: Clients, inputs: Props) -> str:
    answer = clients.get("secretsmanager").put_secret_value(
        SecretId=inputs["secretId"], **to_aws(inputs, _VERSION)
    )
    return f"{inputs['secretId']}|{answer['VersionId']}"


def _read_version(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    secret, version = id_.rsplit("|", 1)
    if _live(clients, secret) is None:
        return None
    live = clients.get("secretsmanager").get_secret_value(SecretId=secret, VersionId=version)
    return {
        **from_aws(live, {**_VERSION, "arn": "ARN", "versionId": "VersionId"}),
        "secretId": secret,
    }


def _delete_version(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    """Take its labels off, as the AWS provider does: a version without any is deleted by AWS in time.

    The current version keeps its label until there is another one.
    """
    secret, version = id_.rsplit("|", 1)
    live = _live(clients, secret) or {}
    for stage in live.get("VersionIdsToStages", {}).get(version, []):
        if stage != "AWSCURRENT":
            clients.get("secretsmanager").update_secret_version_stage(
                SecretId=secret, VersionStage=stage, RemoveFromVersionId=version
            )


SECRET_VERSION = Spec(
    inputs=values("secretId", *_VERSION),
    # The AWS provider needs a value as well, in one of several properties.
    required=frozenset({"secretId", "secretString"}),
    computed=frozenset({"arn", "versionId"}),
    secret=frozenset({"secretString"}),
    replace=frozenset({"secretId", "secretString"}),
    create=_create_version,
    read=_read_version,
    delete=_delete_version,
)
