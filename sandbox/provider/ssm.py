"""Systems Manager: parameters and documents."""

from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import code_of
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import found, from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import JSON, Props, Spec, values

_PARAMETER = same_names("name", "type", "value", "description", "keyId", "tier", "dataType")


def _put(clients: Clients, inputs: Props, *, overwrite: bool) -> str:
    arguments = {"Description": "", **to_aws(inputs, _PARAMETER)}
    clients.get("ssm").put_parameter(**arguments, Overwrite=overwrite)
    return str(inputs["name"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api = clients.get("ssm")
    live = api.get_parameter(Name=id_, WithDecryption=True)["Parameter"]
    filters = [{"Key": "Name", "Option": "Equals", "Values": [live["Name"]]}]
    described = api.describe_parameters(ParameterFilters=filters)["Parameters"]
    return from_aws(
        {**live, **(described[0] if described else {})}, {**_PARAMETER, "arn": "ARN", "version": "Version"}
    )


PARAMETER = Spec(
    inputs=values(*_PARAMETER),
    # The AWS provider needs a value as well, in one of several properties.
    required=frozenset({"type", "value"}),
    computed=frozenset({"arn", "version"}),
    secret=frozenset({"value"}),
    name="name",
    name_limit=1011,
    identity=frozenset({"name"}),
    replace=frozenset({"name", "dataType"}),
    unset={"dataType": "text", "keyId": "alias/aws/ssm", "tier": "Standard"},
    recomputed={"version": frozenset(_PARAMETER)},
    import_id=ImportId(("{name}",), id="{name}"),
    create=lambda clients, inputs: _put(clients, inputs, overwrite=False),
    read=_read,
    update=lambda clients, _id, _old, new: _put(clients, new, overwrite=True),
    delete=lambda clients, id_, _: clients.get("ssm").delete_parameter(Name=id_),
)

_DOCUMENT = same_names("name", "content", "documentType", "documentFormat", "targetType")
_DESCRIBED = same_names(
    "createdDate", "defaultVersion", "description", "documentVersion", "hash", "hashType", "latestVersion",
    "owner", "platformTypes", "schemaVersion", "status",
)  # fmt: skip


_OF_A_VERSION = (
    "defaultVersion", "description", "documentVersion", "hash", "latestVersion", "schemaVersion",
)  # fmt: skip


def _read_document(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api = clients.get("ssm")
    described = api.describe_document(Name=id_)["Document"]
    content = api.get_document(Name=id_, DocumentFormat=described["DocumentFormat"])["Content"]
    described["CreatedDate"] = described["CreatedDate"].isoformat()
    account = described["Owner"]
    return {
        **found(
            described, {name: aws for name, aws in (_DOCUMENT | _DESCRIBED).items() if name != "content"}
        ),
        "content": content,
        "arn": f"arn:aws:ssm:{clients.region}:{account}:document/{id_}",
    }


def _create_document(clients: Clients, inputs: Props) -> str:
    clients.get("ssm").create_document(**to_aws(inputs, _DOCUMENT))
    return str(inputs["name"])


def _update_document(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    """Make a version of it, and have that used by default, as the AWS provider does."""
    api, names = clients.get("ssm"), ("name", "content", "documentFormat", "targetType")
    arguments = to_aws(new, {name: _DOCUMENT[name] for name in names})
    try:
        made = api.update_document(**arguments, DocumentVersion="$LATEST")["DocumentDescription"]
    except ClientError as error:
        if code_of(error) != "DuplicateDocumentContent":
            raise
        made = api.describe_document(Name=id_)["Document"]  # it is the latest version already
    api.update_document_default_version(Name=id_, DocumentVersion=made["LatestVersion"])


DOCUMENT = Spec(
    inputs={**values("name", "documentType", "documentFormat", "targetType"), "content": JSON},
    required=frozenset({"content", "documentType"}),
    computed=frozenset({"arn"} | _DESCRIBED.keys()),
    name="name",
    name_limit=128,
    identity=frozenset({"name"}),
    replace=frozenset({"name", "documentType"}),
    defaults={"documentFormat": "JSON"},
    recomputed=dict.fromkeys(
        _OF_A_VERSION,
        frozenset({"content", "documentFormat"}),
    ),
    import_id=ImportId(("{name}",), id="{name}"),
    create=_create_document,
    read=_read_document,
    update=_update_document,
    delete=lambda clients, id_, _: clients.get("ssm").delete_document(Name=id_),
)
