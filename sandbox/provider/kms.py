"""Key Management Service: keys and aliases."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import FLAG, JSON, LOCAL, Props, Spec, changed, values

# --- keys ---------------------------------------------------------------------------------------------------

_KEY = {
    **same_names("description", "keyUsage", "multiRegion", "policy"),
    "customerMasterKeySpec": "KeySpec",
    "bypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
}
_READ = {**same_names("description", "keyUsage", "multiRegion", "keyId", "arn")}
_DEFAULT_POLICY = "key-default-1"
_ROTATION = ("enableKeyRotation", "rotationPeriodInDays")


def _read_key(clients: Clients, id_: str, inputs: Props) -> Props | None:
    api = clients.get("kms")
    live = api.describe_key(KeyId=id_)["KeyMetadata"]
    if live["KeyState"] in {"PendingDeletion", "PendingReplicaDeletion"}:
        return None
    rotation = api.get_key_rotation_status(KeyId=id_) if live["KeySpec"] == "SYMMETRIC_DEFAULT" else {}
    on = bool(rotation.get("KeyRotationEnabled"))
    policy = str(api.get_key_policy(KeyId=id_, PolicyName="default")["Policy"])
    usual = _DEFAULT_POLICY in policy and "policy" not in inputs  # every new key has it
    return {
        **from_aws(live, _READ),
        "customerMasterKeySpec": live["KeySpec"],
        "isEnabled": bool(live["Enabled"]),
        "enableKeyRotation": on,
        **({"rotationPeriodInDays": rotation["RotationPeriodInDays"]} if on else {}),
        **({} if usual else {"policy": policy}),
    }


def _update_key(clients: Clients, id_: str, old: Props, new: Props) -> None:
    api, differs = clients.get("kms"), changed(KEY.inputs, old, new)
    if "isEnabled" in differs and new["isEnabled"]:  # a disabled key cannot be changed
        api.enable_key(KeyId=id_)
    if "description" in differs:
        api.update_key_description(KeyId=id_, Description=new.get("description") or "")
    if "policy" in differs and new.get("policy"):
        bypass = bool(new.get("bypassPolicyLockoutSafetyCheck"))
        api.put_key_policy(
            KeyId=id_, PolicyName="default", Policy=new["policy"], BypassPolicyLockoutSafetyCheck=bypass
        )
    if set(_ROTATION) & set(differs):
        _rotate(api, id_, new)
    if "isEnabled" in differs and not new["isEnabled"]:
        api.disable_key(KeyId=id_)


def _rotate(api: Any, id_: str, inputs: Props) -> None:
    if inputs.get("enableKeyRotation"):
        api.enable_key_rotation(KeyId=id_, **to_aws(inputs, same_names("rotationPeriodInDays")))
    else:
        api.disable_key_rotation(KeyId=id_)


def _delete_key(clients: Clients, id_: str, inputs: Props) -> None:
    if _read_key(clients, id_, inputs) is not None:
        days = inputs.get("deletionWindowInDays") or 30
        clients.get("kms").schedule_key_deletion(KeyId=id_, PendingWindowInDays=days)


KEY = Spec(
    inputs={
        **values("description", "keyUsage", "customerMasterKeySpec", "isEnabled", "rotationPeriodInDays"),
        "multiRegion": FLAG,
        "enableKeyRotation": FLAG,
        "policy": JSON,
        "deletionWindowInDays": LOCAL,
        "bypassPolicyLockoutSafetyCheck": LOCAL,
    },
    computed=frozenset({"arn", "keyId"}),
    replace=frozenset({"keyUsage", "customerMasterKeySpec", "multiRegion"}),
    defaults={
        "bypassPolicyLockoutSafetyCheck": False,
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": False,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
    },
    unset={"rotationPeriodInDays": 365},
    create=lambda clients, inputs: clients.get("kms").create_key(**to_aws(inputs, _KEY))["KeyMetadata"][
        "KeyId"
    ],
    complete=lambda clients, id_, inputs: _update_key(
        clients,
        id_,
        {**inputs, "isEnabled": True, "enableKeyRotation": False, "rotationPeriodInDays": None},
        inputs,
    ),
    read=_read_key,
    update=_update_key,
    delete=_delete_key,
)

# --- aliases ------------------------------------------------------------------------------------------------


def _create_alias(clients: Clients, inputs: Props) -> str:
    clients.get("kms").create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
    return str(inputs["name"])


def _read_alias(clients: Clients, id_: str, inputs: Props) -> Props | None:
    pages = clients.get("kms").get_paginator("list_aliases").paginate()
    found = (alias for page in pages for alias in page["Aliases"] if alias["AliasName"] == id_)
    live = next(found, None)
    if live is None:
        return None
    key, given = live["TargetKeyId"], str(inputs.get("targetKeyId") or "")
    return {
        "name": id_,
        "arn": live["AliasArn"],
        # AWS returns the id, whichever form was given.
        "targetKeyId": given if given.rsplit("/", 1)[-1] == key else key,
        "targetKeyArn": f"{live['AliasArn'].split(':alias/', 1)[0]}:key/{key}",
    }


ALIAS = Spec(
    inputs=values("name", "targetKeyId"),
    required=frozenset({"targetKeyId"}),
    computed=frozenset({"arn", "targetKeyArn"}),
    name="name",
    name_limit=256,
    naming=lambda name, _: f"alias/{name}",
    identity=frozenset({"name"}),
    replace=frozenset({"name"}),
    recomputed={"targetKeyArn": frozenset({"targetKeyId"})},
    import_id=ImportId(("{name}",), id="{name}"),
    create=_create_alias,
    read=_read_alias,
    update=lambda clients, id_, _old, new: clients.get("kms").update_alias(
        AliasName=id_, TargetKeyId=new["targetKeyId"]
    ),
    delete=lambda clients, id_, _: clients.get("kms").delete_alias(AliasName=id_),
)
