"""IAM: roles, their inline policies, managed policies and their attachments."""

from urllib.parse import unquote

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import or_none
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import to_aws
from selfheal.sandbox.provider.spec import JSON, LOCAL, Props, Spec, changed, values

_VERSIONS = 5  # of a managed policy, at most

# --- roles --------------------------------------------------------------------------------------------------

_ROLE = {
    "name": "RoleName",
    "assumeRolePolicy": "AssumeRolePolicyDocument",
    "description": "Description",
    "maxSessionDuration": "MaxSessionDuration",
    "path": "Path",
    "permissionsBoundary": "PermissionsBoundary",
}


def _read_role(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    role = clients.get("iam").get_role(RoleName=id_)["Role"]
    return {
        "name": role["RoleName"],
        "assumeRolePolicy": _text(role["AssumeRolePolicyDocument"]),
        "description": role.get("Description"),
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "path": role["Path"],
        "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "arn": role["Arn"],
        "uniqueId": role["RoleId"],
        "createDate": role["CreateDate"].isoformat(),
    }


def _update_role(clients: Clients, id_: str, old: Props, new: Props) -> None:
    api = clients.get("iam")
    differs = set(changed(ROLE.inputs, old, new))
    if "assumeRolePolicy" in differs:
        api.update_assume_role_policy(RoleName=id_, PolicyDocument=new["assumeRolePolicy"])
    if differs & {"description", "maxSessionDuration"}:
        api.update_role(
            RoleName=id_,
            Description=new.get("description") or "",
            MaxSessionDuration=new.get("maxSessionDuration") or 3600,
        )
    if new.get("permissionsBoundary") and "permissionsBoundary" in differs:
        api.put_role_permissions_boundary(RoleName=id_, PermissionsBoundary=new["permissionsBoundary"])
    elif "permissionsBoundary" in differs:
        or_none(lambda: api.delete_role_permissions_boundary(RoleName=id_))


def _delete_role(clients: Clients, id_: str, inputs: Props) -> None:
    api = clients.get("iam")
    if inputs.get("forceDetachPolicies"):
        for name in api.list_role_policies(RoleName=id_)["PolicyNames"]:
            api.delete_role_policy(RoleName=id_, PolicyName=name)
        for policy in api.list_attached_role_policies(RoleName=id_)["AttachedPolicies"]:
            api.detach_role_policy(RoleName=id_, PolicyArn=policy["PolicyArn"])
    api.delete_role(RoleName=id_)


ROLE = Spec(
    inputs={
        **values("name", "description", "maxSessionDuration", "path", "permissionsBoundary"),
        "assumeRolePolicy": JSON,
        "forceDetachPolicies": LOCAL,
    },
    required=frozenset({"assumeRolePolicy"}),
    computed=frozenset({"arn", "uniqueId", "createDate"}),
    name="name",
    name_limit=64,
    identity=frozenset({"name"}),
    replace=frozenset({"name", "path"}),
    defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
    create=lambda clients, inputs: clients.get("iam").create_role(**to_aws(inputs, _ROLE))["Role"][
        "RoleName"
    ],
    read=_read_role,
    update=_update_role,
    delete=_delete_role,
)

# --- inline policies ----------------------------------------------------------------------------------------


def _put_role_policy(clients: Clients, inputs: Props) -> str:
    # PutRolePolicy replaces a policy of the same name; the AWS provider creates with it as well.
    clients.get("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{inputs['name']}"


def _read_role_policy(clients: Clients, _: str, inputs: Props) -> Props:
    live = clients.get("iam").get_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"])
    return {"role": live["RoleName"], "name": live["PolicyName"], "policy": _text(live["PolicyDocument"])}


ROLE_POLICY = Spec(
    inputs={**values("name", "role"), "policy": JSON},
    required=frozenset({"role", "policy"}),
    name="name",
    name_limit=128,
    identity=frozenset({"name", "role"}),
    import_id=ImportId(("{role}:{name}",)),
    replace=frozenset({"name", "role"}),
    create=_put_role_policy,
    read=_read_role_policy,
    update=lambda clients, _id, _old, new: _put_role_policy(clients, new),
    delete=lambda clients, _, inputs: clients.get("iam").delete_role_policy(
        RoleName=inputs["role"], PolicyName=inputs["name"]
    ),
)

# --- managed policies ---------------------------------------------------------------------------------------

_POLICY = {"name": "PolicyName", "policy": "PolicyDocument", "description": "Description", "path": "Path"}


def _read_policy(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api = clients.get("iam")
    policy = api.get_policy(PolicyArn=id_)["Policy"]
    version = api.get_policy_version(PolicyArn=id_, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return {
        "name": policy["PolicyName"],
        "path": policy["Path"],
        "description": policy.get("Description"),
        "policy": _text(version["Document"]),
        "arn": policy["Arn"],
        "policyId": policy["PolicyId"],
        "attachmentCount": policy.get("AttachmentCount", 0),
    }


def _update_policy(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    api = clients.get("iam")
    versions = api.list_policy_versions(PolicyArn=id_)["Versions"]
    if len(versions) >= _VERSIONS:
        others = [v for v in versions if not v["IsDefaultVersion"]]
        oldest = min(others, key=lambda v: (v["CreateDate"], int(v["VersionId"][1:])))
        api.delete_policy_version(PolicyArn=id_, VersionId=oldest["VersionId"])
    api.create_policy_version(PolicyArn=id_, PolicyDocument=new["policy"], SetAsDefault=True)


def _delete_policy(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    api = clients.get("iam")
    for version in api.list_policy_versions(PolicyArn=id_)["Versions"]:
        if not version["IsDefaultVersion"]:
            api.delete_policy_version(PolicyArn=id_, VersionId=version["VersionId"])
    api.delete_policy(PolicyArn=id_)


POLICY = Spec(
    inputs={**values("name", "description", "path"), "policy": JSON},
    required=frozenset({"policy"}),
    computed=frozenset({"arn", "policyId", "attachmentCount"}),
    name="name",
    name_limit=128,
    identity=frozenset({"name", "path"}),
    replace=frozenset({"name", "description", "path"}),
    defaults={"path": "/"},
    create=lambda clients, inputs: clients.get("iam").create_policy(**to_aws(inputs, _POLICY))["Policy"][
        "Arn"
    ],
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)


# --- attachments --------------------------------------------------------------------------------------------


def _attach(clients: Clients, inputs: Props) -> str:
    # As on AWS, it is no error if the policy is attached already.
    clients.get("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return f"{inputs['role']}/{inputs['policyArn']}"


def _read_attachment(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    pages = clients.get("iam").get_paginator("list_attached_role_policies").paginate(RoleName=inputs["role"])
    attached = [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]
    found = inputs["policyArn"] in attached
    return {key: inputs[key] for key in ("role", "policyArn")} if found else None


ATTACHMENT = Spec(
    inputs=values("role", "policyArn"),
    required=frozenset({"role", "policyArn"}),
    identity=frozenset({"role", "policyArn"}),
    replace=frozenset({"role", "policyArn"}),
    import_id=ImportId(("{role}/{policyArn}",)),
    create=_attach,
    read=_read_attachment,
    delete=lambda clients, _, inputs: clients.get("iam").detach_role_policy(
        RoleName=inputs["role"], PolicyArn=inputs["policyArn"]
    ),
)


def _text(document: object) -> object:
    """Return a policy document as text. boto3 has parsed it, unless it is not JSON."""
    return unquote(document) if isinstance(document, str) else document
