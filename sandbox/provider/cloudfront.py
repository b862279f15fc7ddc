"""CloudFront: access to origins, and policies of response headers."""

from collections.abc import Mapping
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import FLAG, VALUE, Kind, Props, Spec, values


def _configured(
    noun: str, fields: Mapping[str, str], kinds: Mapping[str, Kind], *, name_limit: int, **spec: Any
) -> Spec:
    """Return the row of a type that has one configuration, replaced as a whole and guarded by its ETag.

    `noun` is what CloudFront's operations call it.
    """
    verb = _snake(noun)
    config = f"{noun}Config"

    def call(clients: Clients, action: str, **arguments: Any) -> Any:
        return getattr(clients.get("cloudfront"), f"{action}_{verb}")(**arguments)

    def create(clients: Clients, inputs: Props) -> str:
        return str(call(clients, "create", **{config: to_aws(inputs, fields)})[noun]["Id"])

    def read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
        live = call(clients, "get", Id=id_)
        account = clients.get("sts").get_caller_identity()["Account"]
        kind = verb.replace("_", "-")
        return {
            **from_aws(live[noun][config], fields),
            "etag": live["ETag"],
            "arn": f"arn:aws:cloudfront::{account}:{kind}/{id_}",
        }

    def update(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
        etag = call(clients, "get", Id=id_)["ETag"]
        call(clients, "update", Id=id_, IfMatch=etag, **{config: to_aws(new, fields)})

    def delete(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
        call(clients, "delete", Id=id_, IfMatch=call(clients, "get", Id=id_)["ETag"])

    return Spec(
        inputs=kinds,
        computed=frozenset({"arn", "etag"}),
        name="name",
        name_limit=name_limit,
        identity=frozenset({"name"}),
        recomputed={"etag": frozenset(kinds)},
        create=create,
        read=read,
        update=update,
        delete=delete,
        **spec,
    )


def _snake(noun: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in noun).lstrip("_")


_ACCESS = same_names(
    *("name", "description", "originAccessControlOriginType", "signingBehavior", "signingProtocol")
)

ORIGIN_ACCESS_CONTROL = _configured(
    "OriginAccessControl",
    _ACCESS,
    values(*_ACCESS),
    name_limit=64,
    required=frozenset(_ACCESS) - {"name", "description"},
    defaults={"description": "Managed by Pulumi"},
)

_OVERRIDE: Mapping[str, Kind] = {"override": FLAG}

RESPONSE_HEADERS_POLICY = _configured(
    "ResponseHeadersPolicy",
    same_names("name", "comment", "securityHeadersConfig"),
    {
        **values("name", "comment"),
        "securityHeadersConfig": {
            "contentSecurityPolicy": {"contentSecurityPolicy": VALUE, **_OVERRIDE},
            "contentTypeOptions": _OVERRIDE,
            "frameOptions": {"frameOption": VALUE, **_OVERRIDE},
            "referrerPolicy": {"referrerPolicy": VALUE, **_OVERRIDE},
            "strictTransportSecurity": {
                "accessControlMaxAgeSec": VALUE,
                "includeSubdomains": FLAG,
                "preload": FLAG,
                **_OVERRIDE,
            },
        },
    },
    name_limit=128,
)
