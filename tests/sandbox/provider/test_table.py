"""The table against the AWS SDK for Pulumi and the import ids of the AWS provider."""

import importlib
import re
from string import Formatter

import pulumi_aws
import pytest

from selfheal import SOURCE
from selfheal.sandbox.provider.table import TABLE
from tests.sandbox.provider.cases import ALIAS, ITEM_TYPE, PERMISSION, QUEUE, RULE, STAGE

TARGET = "aws:cloudwatch/eventTarget:EventTarget"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pulumi_aws.lambda_ imports a deprecated module
@pytest.mark.parametrize("type_", sorted(TABLE))
def test_the_table_holds_only_what_the_sdk_knows(type_: str) -> None:
    """Each property and computed output of a row exists on the SDK's class of that type."""
    spec = TABLE[type_]
    name = type_.rsplit(":", 1)[1]
    folder = type_.removeprefix("aws:").split("/", maxsplit=1)[0]
    class_ = getattr(getattr(pulumi_aws, "lambda_" if folder == "lambda" else folder), name)
    # An object of another resource may have the name of the arguments, which are then called differently.
    module = importlib.import_module(class_.__module__)
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    assert {_snake(key) for key in spec.inputs} <= set(dir(arguments))
    assert {_snake(key) for key in spec.computed} <= set(dir(class_))
    assert spec.required | spec.replace | spec.identity | spec.defaults.keys() <= spec.inputs.keys()
    assert spec.recomputed.keys() <= spec.computed | spec.inputs.keys()
    assert spec.name is None or spec.name in spec.inputs
    assert spec.unset.keys() | spec.secret <= spec.inputs.keys()


def _snake(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)


def test_the_id_of_a_target_names_its_bus_unless_it_is_the_default_one() -> None:
    import_id = TABLE[TARGET].import_id
    assert import_id
    for bus, expected in (("default", "r-t"), ("b", "b-r-t")):
        assert import_id.resolve({"eventBusName": bus, "rule": "r", "targetId": "t"}) == expected


@pytest.mark.parametrize(
    ("type_", "given", "expected"),
    [
        (QUEUE, "https://sqs/1/q", {}),
        (ALIAS, "f/live", {"functionName": "f", "name": "live"}),
        (PERMISSION, "f/s", {"function": "f", "statementId": "s"}),
        (PERMISSION, "f:3/s", {"function": "f", "qualifier": "3", "statementId": "s"}),
        (STAGE, "abc/$default", {"apiId": "abc", "name": "$default"}),
        ("aws:apigatewayv2/route:Route", "abc/def", {"id": "def", "apiId": "abc"}),
        ("aws:iam/rolePolicy:RolePolicy", "r:p", {"role": "r", "name": "p"}),
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "r/arn:aws:iam::aws:policy/x/P",
            {"role": "r", "policyArn": "arn:aws:iam::aws:policy/x/P"},
        ),
        (RULE, "r", {"name": "r"}),
        (RULE, "b/r", {"eventBusName": "b", "name": "r"}),
        (TARGET, "r/t", {"rule": "r", "targetId": "t"}),
        (TARGET, "b/r/t", {"eventBusName": "b", "rule": "r", "targetId": "t"}),
        ("aws:apigateway/model:Model", "a/Order", {"restApi": "a", "name": "Order"}),
        (
            "aws:apigateway/integrationResponse:IntegrationResponse",
            "a/r/PUT/202",
            {"restApi": "a", "resourceId": "r", "httpMethod": "PUT", "statusCode": "202"},
        ),
        ("aws:apigateway/account:Account", "api-gateway-account", {}),
        ("aws:apigateway/account:Account", "another", None),
        ("aws:s3/bucketObjectv2:BucketObjectv2", "s3://b/a/k", {"bucket": "b", "key": "a/k"}),
        ("aws:s3/bucketObjectv2:BucketObjectv2", "b/a/k", {"bucket": "b", "key": "a/k"}),
        (ALIAS, "live", None),
        (STAGE, "", None),
    ],
)
def test_import_ids_are_the_aws_providers(type_: str, given: str, expected: dict[str, str] | None) -> None:
    import_id = TABLE[type_].import_id
    assert import_id
    assert import_id.parse(given) == (None if expected is None else {"id": given, **expected})


def test_every_field_of_an_import_id_is_a_property_and_only_items_have_none() -> None:
    for type_, spec in TABLE.items():
        for form in spec.import_id.forms if spec.import_id else ():
            assert {field for _, field, _, _ in Formatter().parse(form) if field} <= {*spec.inputs, "id"}, (
                type_
            )
    assert [type_ for type_, spec in TABLE.items() if spec.import_id is None] == [ITEM_TYPE]


def test_the_documentation_lists_every_type_and_no_other() -> None:
    text = (SOURCE / "docs" / "sandbox.md").read_text()
    section = text.split("## Types of resources")[1].split("\n## ")[0]
    cells = [row.split("|")[2] for row in section.splitlines() if row.startswith("| ")][1:]
    listed = sorted(name for cell in cells for name in re.findall(r"`(\w+)`", cell))
    assert listed == sorted(type_.rsplit(":", 1)[1] for type_ in TABLE)
