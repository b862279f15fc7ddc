"""S3: the settings of a bucket that are resources of their own."""

from collections.abc import Callable, Mapping
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import FLAG, JSON, VALUE, Kind, Props, Spec, values


def _setting(
    kinds: Mapping[str, Kind],
    required: tuple[str, ...],
    put: Callable[[Any, str, Props], object],
    read: Callable[[Any, str], Props | None],
    delete: Callable[[Any, str], object],
    **spec: Any,
) -> Spec:
    """Return the row of a setting, of which a bucket has one. `put` replaces it, on AWS as well."""

    def create(clients: Clients, inputs: Props) -> str:
        put(clients.get("s3"), str(inputs["bucket"]), inputs)
        return str(inputs["bucket"])

    def live(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
        found = read(clients.get("s3"), id_)
        return None if found is None else {"bucket": id_, **found}

    return Spec(
        inputs={"bucket": VALUE, **kinds},
        required=frozenset({"bucket", *required}),
        identity=frozenset({"bucket"}),
        replace=frozenset({"bucket"}),
        import_id=ImportId(("{bucket}",), id="{bucket}"),
        create=create,
        read=live,
        update=lambda clients, _id, _old, new: create(clients, new),
        delete=lambda clients, id_, _: delete(clients.get("s3"), id_),
        **spec,
    )


# --- public access ------------------------------------------------------------------------------------------

_BLOCK = same_names("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

PUBLIC_ACCESS_BLOCK = _setting(
    dict.fromkeys(_BLOCK, FLAG),
    (),
    lambda api, bucket, inputs: api.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=to_aws(inputs, _BLOCK)
    ),
    lambda api, bucket: from_aws(
        api.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"], _BLOCK
    ),
    lambda api, bucket: api.delete_public_access_block(Bucket=bucket),
    defaults=dict.fromkeys(_BLOCK, False),
)

# --- policies -----------------------------------------------------------------------------------------------

POLICY = _setting(
    {"policy": JSON},
    ("policy",),
    lambda api, bucket, inputs: api.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"]),
    lambda api, bucket: {"policy": api.get_bucket_policy(Bucket=bucket)["Policy"]},
    lambda api, bucket: api.delete_bucket_policy(Bucket=bucket),
)

# --- encryption ---------------------------------------------------------------------------------------------

_BY_DEFAULT = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}


def _put_encryption(api: Any, bucket: str, inputs: Props) -> None:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": to_aws(
                rule.get("applyServerSideEncryptionByDefault") or {}, _BY_DEFAULT
            ),
            "BucketKeyEnabled": bool(rule.get("bucketKeyEnabled")),
        }
        for rule in inputs["rules"]
    ]
    api.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _read_encryption(api: Any, bucket: str) -> Props:
    live = api.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    return {
        "rules": [
            {
                "applyServerSideEncryptionByDefault": from_aws(
                    rule["ApplyServerSideEncryptionByDefault"], _BY_DEFAULT
                ),
                "bucketKeyEnabled": bool(rule.get("BucketKeyEnabled")),
            }
            for rule in live["Rules"]
        ]
    }


ENCRYPTION = _setting(
    {
        "rules": [
            {"applyServerSideEncryptionByDefault": values(*_BY_DEFAULT), "bucketKeyEnabled": FLAG},
        ]
    },
    ("rules",),
    _put_encryption,
    _read_encryption,
    lambda api, bucket: api.delete_bucket_encryption(Bucket=bucket),
)

# --- versioning ---------------------------------------------------------------------------------------------

_OFF = "Disabled"
"""The AWS provider's word for a bucket whose versioning was never on; S3 has none."""


def _put_versioning(api: Any, bucket: str, inputs: Props) -> None:
    status = inputs["versioningConfiguration"]["status"]
    if status != _OFF:
        api.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def _delete_versioning(api: Any, bucket: str) -> None:
    """Suspend it, as the AWS provider does: it cannot be taken away."""
    if api.get_bucket_versioning(Bucket=bucket).get("Status"):
        api.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


VERSIONING = _setting(
    {"versioningConfiguration": values("status")},
    ("versioningConfiguration",),
    _put_versioning,
    lambda api, bucket: {
        "versioningConfiguration": {"status": api.get_bucket_versioning(Bucket=bucket).get("Status", _OFF)}
    },
    _delete_versioning,
)

# --- lifecycles ---------------------------------------------------------------------------------------------

_RULE = {
    **same_names("status", "filter", "expiration", "transitions", "noncurrentVersionExpiration"),
    **same_names("abortIncompleteMultipartUpload"),
    "id": "ID",
}
_RULE_KINDS: dict[str, Kind] = {
    **values("id", "status"),
    "abortIncompleteMultipartUpload": values("daysAfterInitiation"),
    "expiration": {**values("days"), "expiredObjectDeleteMarker": FLAG},
    "filter": {
        **values("prefix", "objectSizeGreaterThan", "objectSizeLessThan"),
        "tag": values("key", "value"),
    },
    "noncurrentVersionExpiration": values("newerNoncurrentVersions", "noncurrentDays"),
    "transitions": [values("days", "storageClass")],
}


def _put_lifecycle(api: Any, bucket: str, inputs: Props) -> None:
    rules = [{"Filter": {"Prefix": ""}, **_filled(to_aws(rule, _RULE))} for rule in inputs["rules"]]
    api.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def _filled(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule without an empty filter, which S3 does not take."""
    return {key: value for key, value in rule.items() if value != {}}


LIFECYCLE = _setting(
    {"rules": [_RULE_KINDS]},
    ("rules",),
    _put_lifecycle,
    lambda api, bucket: {
        "rules": [
            from_aws(rule, _RULE)
            for rule in api.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", [])
        ]
    },
    lambda api, bucket: api.delete_bucket_lifecycle(Bucket=bucket),
)
