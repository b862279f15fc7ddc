"""What is refused of documents of Systems Manager; their life is that of `aws:ssm/document:Document`."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients

pytestmark = pytest.mark.slow

STEPS = [{"name": "wait", "action": "aws:sleep", "inputs": {"Duration": "PT1M"}}]
GOOD = {"schemaVersion": "0.3", "mainSteps": STEPS, "parameters": {"Table": {"type": "String"}}}


def create(clients: Clients, content: str, name: str = "switch", **more: Any) -> dict[str, Any]:
    given = {"Name": name, "Content": content, "DocumentType": "Automation", **more}
    return dict(clients.get("ssm").create_document(**given)["DocumentDescription"])


@pytest.mark.parametrize(
    ("content", "more", "code"),
    [
        ("{", {}, "InvalidDocumentContent"),
        ("[]", {}, "InvalidDocumentContent"),
        ("a: [", {"DocumentFormat": "YAML"}, "InvalidDocumentContent"),
        (json.dumps({"mainSteps": STEPS}), {}, "InvalidDocumentSchemaVersion"),
        (json.dumps(GOOD | {"schemaVersion": "2.2"}), {}, "InvalidDocumentContent"),
        (json.dumps(GOOD | {"mainSteps": []}), {}, "InvalidDocumentContent"),
        (json.dumps(GOOD), {"Name": "AWS-Switch"}, "ValidationException"),
    ],
)
def test_what_is_no_automation_is_refused(
    clients: Clients, content: str, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError, match=code):
        create(clients, content, **{"name": more.pop("Name", "wrong"), **more})


def test_a_document_has_versions_of_which_one_is_the_default(clients: Clients) -> None:
    ssm = clients.get("ssm")
    made = create(clients, json.dumps(GOOD))
    assert (made["DocumentVersion"], made["DefaultVersion"], made["SchemaVersion"]) == ("1", "1", "0.3")
    assert [(each["Name"], each["Type"]) for each in made["Parameters"]] == [("Table", "String")]
    with pytest.raises(ClientError, match="DocumentAlreadyExists"):
        create(clients, json.dumps(GOOD))
    with pytest.raises(ClientError, match="DuplicateDocumentContent"):
        ssm.update_document(Name="switch", Content=json.dumps(GOOD), DocumentVersion="$LATEST")
    other = json.dumps(GOOD | {"description": "two"})
    ssm.update_document(Name="switch", Content=other, DocumentVersion="$LATEST")
    assert ssm.get_document(Name="switch")["Content"] == json.dumps(GOOD)
    assert ssm.get_document(Name="switch", DocumentVersion="$LATEST")["Content"] == other
    ssm.update_document_default_version(Name="switch", DocumentVersion="2")
    assert ssm.get_document(Name="switch")["Content"] == other
    with pytest.raises(ClientError, match="InvalidDocumentVersion"):
        ssm.get_document(Name="switch", DocumentVersion="3")
    ssm.delete_document(Name="switch")
    with pytest.raises(ClientError, match=r"InvalidDocument.*does not exist"):
        ssm.describe_document(Name="switch")
