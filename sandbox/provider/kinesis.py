"""Kinesis: data streams."""

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import ProviderError
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import LOCAL, VALUE, Props, Spec, values

_ON_DEMAND = "ON_DEMAND"
_DEFAULT_HOURS = 24
"""AWS's retention period of a new stream, in hours."""


def _create(clients: Clients, inputs: Props) -> str:
    api = clients.get("kinesis")
    api.create_stream(
        **to_aws(inputs, {"name": "StreamName", **same_names("shardCount", "streamModeDetails")})
    )
    where = {"StreamName": inputs["name"]}
    api.get_waiter("stream_exists").wait(**where, WaiterConfig={"Delay": 1})
    return str(api.describe_stream_summary(**where)["StreamDescriptionSummary"]["StreamARN"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    name = _name(inputs)
    live = clients.get("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    if live["StreamStatus"] == "DELETING":
        return None
    provisioned = live["StreamModeDetails"]["StreamMode"] != _ON_DEMAND
    return {
        **from_aws(live, same_names("streamModeDetails", "encryptionType")),
        **from_aws(live, {"kmsKeyId": "KeyId", "retentionPeriod": "RetentionPeriodHours"}),
        # On demand, their number is AWS's.
        **({"shardCount": live["OpenShardCount"]} if provisioned else {}),
        "name": name,
        "arn": live["StreamARN"],
    }


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    api, where = clients.get("kinesis"), {"StreamName": new["name"]}
    if old.get("streamModeDetails") != new.get("streamModeDetails"):
        raise ProviderError(
            "the emulator cannot change streamModeDetails of an existing stream (UpdateStreamMode). Give the "
            "stream another name, or use the real AWS provider."
        )
    hours = new.get("retentionPeriod") or _DEFAULT_HOURS
    before = old.get("retentionPeriod") or _DEFAULT_HOURS
    if hours != before:
        change = "increase" if hours > before else "decrease"
        getattr(api, f"{change}_stream_retention_period")(**where, RetentionPeriodHours=hours)
    if new.get("shardCount") and new["shardCount"] != old.get("shardCount"):
        api.update_shard_count(**where, TargetShardCount=new["shardCount"], ScalingType="UNIFORM_SCALING")
    _encrypt(clients, old, new)


def _encrypt(clients: Clients, old: Props, new: Props) -> None:
    api, where = clients.get("kinesis"), {"StreamName": new["name"]}
    key_before, key = old.get("kmsKeyId"), new.get("kmsKeyId")
    if new.get("encryptionType", "NONE") != "NONE":
        if (old.get("encryptionType"), key_before) != (new["encryptionType"], key):
            api.start_stream_encryption(**where, EncryptionType=new["encryptionType"], KeyId=key)
    elif old.get("encryptionType", "NONE") != "NONE":
        api.stop_stream_encryption(**where, EncryptionType=old["encryptionType"], KeyId=key_before)


def _complete(clients: Clients, id_: str, inputs: Props) -> None:
    created = {"streamModeDetails": inputs.get("streamModeDetails"), "shardCount": inputs.get("shardCount")}
    _update(clients, id_, created, inputs)


def _name(inputs: Props) -> str:
    """Return the name, which an import may give as the ARN."""
    return str(inputs["name"]).rsplit("/", 1)[-1]


STREAM = Spec(
    inputs={
        **values("name", "shardCount", "retentionPeriod", "encryptionType", "kmsKeyId"),
        "streamModeDetails": {"streamMode": VALUE},
        "enforceConsumerDeletion": LOCAL,
    },
    computed=frozenset({"arn"}),
    name="name",
    name_limit=128,
    identity=frozenset({"name"}),
    replace=frozenset({"name"}),
    defaults={"encryptionType": "NONE", "enforceConsumerDeletion": False, "retentionPeriod": _DEFAULT_HOURS},
    unset={"streamModeDetails": {"streamMode": "PROVISIONED"}},
    import_id=ImportId(("{name}",), id="{arn}"),
    create=_create,
    complete=_complete,
    read=_read,
    update=_update,
    delete=lambda clients, _, inputs: clients.get("kinesis").delete_stream(
        StreamName=_name(inputs), EnforceConsumerDeletion=bool(inputs.get("enforceConsumerDeletion"))
    ),
)
