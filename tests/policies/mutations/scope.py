"""Mutations of what the healer may do.

The healer's policy and its boundary say the same: both are changed, but for what no boundary must allow.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.support.policy_healers import document, lambda_arn
from tests.support.policy_mutations import Table
from tests.support.policy_recording import ACCOUNT
from tests.support.policy_scene import Item, Scene

TABLE = Table()

Statements = list[dict[str, Any]]


def grant(scene: Scene, change: Callable[[Statements], Any]) -> None:
    for item in (scene.find("iam.RolePolicy", "healer-policy"), scene.find("iam.Policy", "healer-boundary")):
        item.document(change)


def allow(scene: Scene, action: str | list[str], resource: str | list[str]) -> None:
    grant(scene, lambda held: held.append({"Effect": "Allow", "Action": action, "Resource": resource}))


def allow_past_the_boundary(scene: Scene, statement: dict[str, Any]) -> None:
    policy = scene.find("iam.RolePolicy", "healer-policy")
    policy.document(lambda held: held.append({"Effect": "Allow", **statement}))


def fragile(scene: Scene) -> str:
    return scene.text(scene.find("lambda.Function", "fragile"))


def healer(scene: Scene) -> Item:
    return scene.find("lambda.Function", "healer")


def role(scene: Scene) -> Item:
    return scene.find("iam.Role", "healer-role")


@TABLE.refused_by("iam-policy-action-wildcard", up=True)
def every_action(scene: Scene) -> None:
    allow_past_the_boundary(scene, {"Action": "*", "Resource": fragile(scene)})


@TABLE.refused_by("iam-policy-action-wildcard")
def every_action_of_a_service(scene: Scene) -> None:
    allow(scene, "lambda:*", fragile(scene))


@TABLE.refused_by("iam-policy-action-wildcard")
def every_action_that_begins_so(scene: Scene) -> None:
    allow(scene, ["lambda:GetFunctionConfiguration", "lambda:Update*"], fragile(scene))


@TABLE.refused_by("iam-policy-action-wildcard")
def an_action_with_a_question_mark(scene: Scene) -> None:
    allow(scene, "lambda:UpdateFunctionConfiguratio?", fragile(scene))


@TABLE.refused_by("iam-policy-action-wildcard")
def a_wildcard_in_capitals(scene: Scene) -> None:
    allow(scene, "LAMBDA:UPDATE*", fragile(scene))


@TABLE.refused_by("iam-policy-action-wildcard")
def all_but_some_actions(scene: Scene) -> None:
    allow_past_the_boundary(scene, {"NotAction": ["iam:*"], "Resource": fragile(scene)})


@TABLE.refused_by("iam-policy-resource-wildcard", up=True)
def every_function(scene: Scene) -> None:
    allow(scene, "lambda:UpdateFunctionConfiguration", "*")


@TABLE.refused_by("iam-policy-resource-wildcard")
def every_function_by_its_arn(scene: Scene) -> None:
    allow(scene, "lambda:UpdateFunctionConfiguration", lambda_arn("*"))


@TABLE.refused_by("iam-policy-resource-wildcard")
def every_function_that_begins_so(scene: Scene) -> None:
    allow(scene, "lambda:UpdateFunctionConfiguration", lambda_arn("fragile*"))


@TABLE.refused_by("iam-policy-resource-wildcard")
def every_table(scene: Scene) -> None:
    allow(scene, ["dynamodb:PutItem"], "arn:aws:dynamodb:*:*:table/*")


@TABLE.refused_by("iam-policy-resource-wildcard")
def all_but_some_resources(scene: Scene) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "lambda:UpdateFunctionConfiguration",
        "NotResource": lambda_arn("payments"),
    }
    grant(scene, lambda held: held.append(statement))


@TABLE.refused_by("iam-policy-action-allowed")
def deleting_the_function(scene: Scene) -> None:
    allow(scene, "lambda:DeleteFunction", fragile(scene))


@TABLE.refused_by("iam-policy-action-allowed")
def sending_mail_to_anyone(scene: Scene) -> None:
    allow(scene, "ses:SendEmail", f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/example.com")


@TABLE.refused_by("iam-policy-action-allowed")
def new_code_for_the_function(scene: Scene) -> None:
    allow(scene, "lambda:UpdateFunctionCode", fragile(scene))


@TABLE.refused_by("iam-policy-action-allowed")
def invoking_the_function(scene: Scene) -> None:
    allow(scene, "lambda:InvokeFunction", fragile(scene))


@TABLE.refused_by("iam-policy-privilege", up=True)
def passing_a_role(scene: Scene) -> None:
    allow_past_the_boundary(scene, {"Action": "iam:PassRole", "Resource": scene.text(role(scene))})


@TABLE.refused_by("iam-policy-privilege")
def changing_its_own_policy(scene: Scene) -> None:
    allow_past_the_boundary(scene, {"Action": "iam:PutRolePolicy", "Resource": scene.text(role(scene))})


@TABLE.refused_by("iam-policy-privilege")
def assuming_another_role(scene: Scene) -> None:
    deployer = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    allow_past_the_boundary(scene, {"Action": "sts:AssumeRole", "Resource": deployer})


@TABLE.refused_by("iam-role-boundary")
def a_boundary_that_lets_it_leave(scene: Scene) -> None:
    boundary = scene.find("iam.Policy", "healer-boundary")
    leave = {"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": scene.text(role(scene))}
    boundary.document(lambda held: held.append(leave))


@TABLE.refused_by("iam-policy-readable")
def a_policy_that_is_not_known_yet(scene: Scene) -> None:
    scene.find("iam.RolePolicy", "healer-policy").put("policy", to=scene.json([scene.ref(role(scene))]))


@TABLE.refused_by("iam-policy-readable")
def a_policy_that_is_no_document(scene: Scene) -> None:
    scene.find("iam.RolePolicy", "healer-policy").put("policy", to="{not json")


@TABLE.refused_by("iam-policy-writes-on-targets", up=True)
def another_function_as_target(scene: Scene) -> None:
    allow(scene, "lambda:UpdateFunctionConfiguration", lambda_arn("payments"))


@TABLE.refused_by("iam-policy-writes-on-targets")
def a_function_of_the_stack_that_no_alarm_watches(scene: Scene) -> None:
    made = scene.add("lambda.Function", "payments", role=scene.ref(scene.find("iam.Role", "fragile-role")))
    made.put("timeout", to=3)
    allow(scene, "lambda:UpdateFunctionConfiguration", scene.text(made))


@TABLE.refused_by("iam-policy-writes-on-targets")
def an_inline_policy_on_the_role(scene: Scene) -> None:
    text = document({"Action": ["lambda:UpdateFunctionConfiguration"], "Resource": [lambda_arn("payments")]})
    role(scene).put("inlinePolicies", to=[{"name": "more", "policy": text}])


@TABLE.refused_by("iam-policy-nothing-on-itself", up=True)
def itself_as_target(scene: Scene) -> None:
    allow(scene, "lambda:UpdateFunctionConfiguration", scene.text(healer(scene)))


@TABLE.refused_by("iam-policy-nothing-on-itself")
def itself_with_a_qualifier_as_target(scene: Scene) -> None:
    allow(scene, "lambda:UpdateFunctionConfiguration", scene.text(healer(scene)) + ":live")


@TABLE.refused_by("iam-role-managed-policies", both=True)
def a_managed_policy_attached(scene: Scene) -> None:
    scene.add(
        "iam.RolePolicyAttachment",
        "more",
        role=scene.ref(role(scene), "name"),
        policyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess",
    )


@TABLE.refused_by("iam-role-managed-policies", up=True)
def a_managed_policy_in_the_role(scene: Scene) -> None:
    role(scene).put("managedPolicyArns", to=["arn:aws:iam::aws:policy/AdministratorAccess"])


@TABLE.refused_by("iam-role-managed-policies", both=True)
def a_managed_policy_attached_to_many(scene: Scene) -> None:
    scene.add(
        "iam.PolicyAttachment",
        "more",
        roles=[scene.ref(role(scene), "name")],
        policyArn="arn:aws:iam::aws:policy/PowerUserAccess",
    )


@TABLE.refused_by("iam-role-managed-policies", both=True)
def a_managed_policy_attached_exclusively(scene: Scene) -> None:
    scene.add(
        "iam.RolePolicyAttachmentsExclusive",
        "more",
        roleName=scene.ref(role(scene), "name"),
        policyArns=["arn:aws:iam::aws:policy/AdministratorAccess"],
    )


@TABLE.refused_by("iam-policy-writes-on-targets", both=True)
def a_policy_of_the_stack_attached(scene: Scene) -> None:
    text = document({"Action": ["lambda:UpdateFunctionConfiguration"], "Resource": [lambda_arn("payments")]})
    more = scene.add("iam.Policy", "more", policy=text)
    scene.add(
        "iam.RolePolicyAttachment", "more", role=scene.ref(role(scene), "name"), policyArn=scene.ref(more)
    )


@TABLE.refused_by("iam-role-boundary", up=True)
def no_boundary(scene: Scene) -> None:
    role(scene).drop("permissionsBoundary")


@TABLE.refused_by("iam-role-boundary")
def a_boundary_that_bounds_nothing(scene: Scene) -> None:
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    scene.find("iam.Policy", "healer-boundary").put("policy", to=text)


@TABLE.refused_by("iam-role-trust", up=True)
def trust_in_every_account(scene: Scene) -> None:
    role(scene).document(lambda held: held[0].update(Principal={"AWS": "*"}), "assumeRolePolicy")


@TABLE.refused_by("iam-role-trust")
def trust_in_another_service_besides(scene: Scene) -> None:
    services = {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}
    role(scene).document(lambda held: held[0].update(Principal=services), "assumeRolePolicy")


@TABLE.refused_by("iam-role-trust")
def trust_in_a_person(scene: Scene) -> None:
    person = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/someone"},
    }
    role(scene).document(lambda held: held.append(person), "assumeRolePolicy")
