"""Systems Manager: parameters."""

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import Props, Spec, values

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
