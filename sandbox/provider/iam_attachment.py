"""IAM: managed policies attached to a role, such as AWS's own for a function that only writes its log."""

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import gone_is_fine, or_none
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.spec import Props, Spec, values

_GONE = "NoSuchEntity"


def _attach(clients: Clients, inputs: Props) -> str:
    # Attaching what is attached already is no error to AWS.
    clients.get("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return f"{inputs['role']}/{inputs['policyArn']}"


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    pages = clients.get("iam").get_paginator("list_attached_role_policies")
    found = or_none(
        _GONE,
        lambda: [
            policy["PolicyArn"]
            for page in pages.paginate(RoleName=inputs["role"])
            for policy in page["AttachedPolicies"]
        ],
    )
    attached = inputs["policyArn"] in (found or [])
    return {key: inputs[key] for key in ("role", "policyArn")} if attached else None


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:
    """Nothing of an attachment can be changed in place: every property is in `replace`."""


def _detach(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    with gone_is_fine(_GONE):
        clients.get("iam").detach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])


ATTACHMENT = Spec(
    inputs=values("role", "policyArn"),
    required=frozenset({"role", "policyArn"}),
    identity=frozenset({"role", "policyArn"}),
    replace=frozenset({"role", "policyArn"}),
    import_id=ImportId(("{role}/{policyArn}",)),
    create=_attach,
    read=_read,
    update=_update,
    delete=_detach,
)
