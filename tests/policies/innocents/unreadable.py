"""Innocents whose grants nobody can read at preview: one finding says how to make them readable."""

from typing import Any

from tests.policies.innocents.shapes import AWS, BASIC, attach, bare, errors, role, service, subscribe, topic
from tests.policies.innocents.table import Innocent
from tests.policies.innocents.tickets import table
from tests.policies.support.changes import document
from tests.policies.support.references import Lost, Ref
from tests.policies.support.scene import Scene

ALERTS = Ref("alerts")


def notified(scene: Scene, **properties: Any) -> None:
    """Register an alarm that calls a function `slack`, whose role does nothing yet but write logs."""
    service(scene)
    topic(scene, "alerts")
    role(scene, "slack-role", **properties)
    attach(scene, "slack-basic", "slack-role")
    bare(scene, "slack")
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def arns_of_outputs(scene: Scene) -> None:
    """The usual style: JSON of outputs, unknown as a whole as long as one of them is."""
    notified(scene)
    table(scene, "told")
    topic(scene, "digest", "oncall@example.com")
    may = document(
        {"Action": ["dynamodb:PutItem", "dynamodb:GetItem"], "Resource": Ref("told")},
        {"Action": "sns:Publish", "Resource": Ref("digest")},
    )
    scene.add("iam.RolePolicy", "slack-policy", role=Ref("slack-role", "id"), policy=may)


def data_source(scene: Scene) -> None:
    """The text of getPolicyDocumentOutput in a managed policy."""
    notified(scene)
    table(scene, "told")
    may = document({"Sid": "", "Action": "dynamodb:PutItem", "Resource": Ref("told")})
    scene.add("iam.Policy", "slack-policy", policy=may)
    attach(scene, "slack-attached", "slack-role", Ref("slack-policy"))


def inline(scene: Scene) -> None:
    """The same in the role itself."""
    topic(scene, "digest", "oncall@example.com")
    may = document({"Action": "sns:Publish", "Resource": Ref("digest")})
    notified(scene, inlinePolicies=[{"name": "digest", "policy": may}])


def attached_from_elsewhere(scene: Scene) -> None:
    """A policy of another stack, whose ARN is a StackReference's output."""
    notified(scene)
    attach(scene, "slack-shared", "slack-role", Lost(f"{AWS}/CloudWatchReadOnlyAccess"))


def managed_from_elsewhere(scene: Scene) -> None:
    notified(scene, managedPolicyArns=[BASIC, Lost(f"{AWS}/CloudWatchReadOnlyAccess")])


SUSPECTS = [
    Innocent("a document of outputs", arns_of_outputs, "every Pulumi example with a policy"),
    Innocent("a document of a data source", data_source, "aws.iam.getPolicyDocumentOutput"),
    Innocent("an inline document of outputs", inline, "inlinePolicies of a role"),
    Innocent("a policy of another stack", attached_from_elsewhere, "shared policies by StackReference"),
    Innocent("managed policies of another stack", managed_from_elsewhere, "the same in managedPolicyArns"),
]
