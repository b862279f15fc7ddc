"""S3: buckets and objects."""

import base64
from collections.abc import Mapping
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.assets import Blob
from selfheal.sandbox.provider.calls import or_none, refused
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import found, given, same_names
from selfheal.sandbox.provider.spec import FLAG, LOCAL, MAP, Props, Spec, values

_WITHOUT_CONSTRAINT = "us-east-1"
"""The region that CreateBucket does not take as a location constraint."""

# --- buckets ------------------------------------------------------------------------------------------------


def _create_bucket(clients: Clients, inputs: Props) -> str:
    api, name = clients.get("s3"), str(inputs["bucket"])
    # In us-east-1, S3 answers an existing bucket of the same owner; the AWS provider refuses it.
    if or_none(lambda: api.head_bucket(Bucket=name)) is not None:
        raise refused("CreateBucket", "BucketAlreadyExists", f"The bucket {name} already exists.")
    elsewhere = clients.region != _WITHOUT_CONSTRAINT
    where = {"CreateBucketConfiguration": {"LocationConstraint": clients.region}} if elsewhere else {}
    api.create_bucket(Bucket=name, **where)
    return name


def _read_bucket(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    clients.get("s3").head_bucket(Bucket=id_)
    return {
        "bucket": id_,
        "arn": f"arn:aws:s3:::{id_}",
        "bucketDomainName": f"{id_}.s3.amazonaws.com",
        "bucketRegion": clients.region,
        "bucketRegionalDomainName": f"{id_}.s3.{clients.region}.amazonaws.com",
    }


def _delete_bucket(clients: Clients, id_: str, inputs: Props) -> None:
    if inputs.get("forceDestroy"):
        _delete_versions(clients, id_, "")
    clients.get("s3").delete_bucket(Bucket=id_)


def _delete_versions(clients: Clients, bucket: str, key: str) -> None:
    """Delete every version of an object, or of all objects if `key` is empty."""
    api = clients.get("s3")
    pages = api.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    for page in pages:
        for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
            if key in ("", version["Key"]):
                api.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


BUCKET = Spec(
    inputs={**values("bucket"), "forceDestroy": LOCAL},
    computed=frozenset({"arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName"}),
    name="bucket",
    name_limit=63,
    naming=lambda name, _: name.lower(),
    identity=frozenset({"bucket"}),
    replace=frozenset({"bucket"}),
    defaults={"forceDestroy": False},
    import_id=ImportId(("{bucket}",), id="{bucket}"),
    create=_create_bucket,
    read=_read_bucket,
    delete=_delete_bucket,
)

# --- objects ------------------------------------------------------------------------------------------------

_OBJECT = {
    **same_names("bucket", "key"),
    **same_names("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType"),
    **same_names("bucketKeyEnabled", "metadata", "serverSideEncryption"),
    "kmsKeyId": "SSEKMSKeyId",
}
_CONTENTS = ("content", "contentBase64", "source")
_BINARY = "application/octet-stream"


def _put_object(clients: Clients, inputs: Props) -> str:
    arguments = {"ContentType": _BINARY, **given(inputs, _OBJECT)}
    clients.get("s3").put_object(Body=_content(inputs), **arguments)
    return f"{inputs['bucket']}/{inputs['key']}"


def _content(inputs: Mapping[str, Any]) -> bytes:
    source = inputs.get("source")
    if isinstance(source, Blob):
        return source.read()
    if inputs.get("contentBase64") is not None:
        return base64.b64decode(inputs["contentBase64"])
    return str(inputs.get("content") or "").encode()


def _read_object(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    bucket, key = inputs["bucket"], inputs["key"]
    live = clients.get("s3").head_object(Bucket=bucket, Key=key)
    return {
        **found(live, _OBJECT),
        "bucket": bucket,
        "key": key,
        "arn": f"arn:aws:s3:::{bucket}/{key}",
        "etag": live["ETag"].strip('"'),
        "versionId": live.get("VersionId", ""),
    }


def _delete_object(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    clients.get("s3").delete_object(Bucket=inputs["bucket"], Key=inputs["key"])
    _delete_versions(clients, inputs["bucket"], inputs["key"])


OBJECT = Spec(
    inputs={
        **values(*_OBJECT),
        "bucketKeyEnabled": FLAG,
        "metadata": MAP,
        **dict.fromkeys((*_CONTENTS, "forceDestroy", "sourceHash"), LOCAL),
    },
    required=frozenset({"bucket", "key"}),
    computed=frozenset({"arn", "etag", "versionId"}),
    identity=frozenset({"bucket", "key"}),
    replace=frozenset({"bucket", "key"}),
    defaults={"forceDestroy": False},
    unset={"contentType": _BINARY, "serverSideEncryption": "AES256"},
    recomputed=dict.fromkeys(("etag", "versionId"), frozenset({*_OBJECT, *_CONTENTS, "sourceHash"})),
    import_id=ImportId(("s3://{bucket}/{key}", "{bucket}/{key}"), id="{bucket}/{key}"),
    # PutObject replaces; the AWS provider creates with it as well.
    create=_put_object,
    read=_read_object,
    update=lambda clients, _id, _old, new: _put_object(clients, new),
    delete=_delete_object,
)
