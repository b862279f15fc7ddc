"""Who may do what, decided by evaluating the recorded documents: the emulator enforces none of these."""

import pytest

from tests.components.support import iam
from tests.components.support.deployments import healer, target
from tests.components.support.iam import Request, Verdict
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:healer-topic-1a2b3c4"
PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:healer-escalation-1a2b3c4"
HEALER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:healer-1a2b3c4"
ORDERS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-fn"
LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ledger"
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:healer-orders-backstop-1a2b3c4"
EVERYTHING = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def topic_policy(deployment: Deployment, name: str) -> str:
    return deployment.named(name).inputs["policy"]


def role_policy(deployment: Deployment) -> str:
    return deployment.named("healer-policy").inputs["policy"]


def by_cloudwatch(topic: str, account: str = ACCOUNT, region: str = REGION) -> Request:
    context = {
        "aws:SourceAccount": account,
        "aws:SourceArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:anything",
        "aws:PrincipalIsAWSService": "true",
    }
    return Request("sns:Publish", topic, service="cloudwatch.amazonaws.com", context=context)


def by_service(topic: str, service: str, source: str) -> Request:
    context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source, "aws:PrincipalIsAWSService": "true"}
    return Request("sns:Publish", topic, service=service, context=context)


def by_user(topic: str, context: dict[str, str] | None = None) -> Request:
    return Request("sns:Publish", topic, arn=f"arn:aws:iam::{ACCOUNT}:user/admin", context=context or {})


@pytest.mark.parametrize("preview", [True, False])
def test_alarms_of_this_account_wake_the_healer(preview: bool) -> None:
    text = topic_policy(healer(preview), "healer-topic-policy")
    assert iam.resource_policy(text, by_cloudwatch(TOPIC)) is Verdict.ALLOWED


def test_alarms_of_other_accounts_and_regions_do_not() -> None:
    text = topic_policy(healer(), "healer-topic-policy")
    assert iam.resource_policy(text, by_cloudwatch(TOPIC, account="999999999999")) is Verdict.NOT_ALLOWED
    assert iam.resource_policy(text, by_cloudwatch(TOPIC, region="eu-west-1")) is Verdict.NOT_ALLOWED
    # CloudWatch on behalf of nobody in particular.
    nobody = Request("sns:Publish", TOPIC, service="cloudwatch.amazonaws.com")
    assert iam.resource_policy(text, nobody) is not Verdict.ALLOWED


def test_other_services_do_not() -> None:
    text = topic_policy(healer(), "healer-topic-policy")
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/any"
    for request in (
        by_service(TOPIC, "events.amazonaws.com", rule),
        by_service(TOPIC, "s3.amazonaws.com", "arn:aws:s3:::bucket"),
        by_service(TOPIC, "cloudwatch.amazonaws.com", rule),
    ):
        assert iam.resource_policy(text, request) is Verdict.NOT_ALLOWED


@pytest.mark.parametrize("context", [{}, {"aws:PrincipalIsAWSService": "false"}])
def test_no_identity_does_whatever_its_own_policy_says(context: dict[str, str]) -> None:
    text = topic_policy(healer(), "healer-topic-policy")
    assert iam.same_account(EVERYTHING, text, by_user(TOPIC, context)) is Verdict.DENIED


def test_alarms_and_the_healer_reach_people_and_other_accounts_do_not() -> None:
    deployment = healer()
    text = topic_policy(deployment, "healer-escalation-policy")
    assert iam.resource_policy(text, by_cloudwatch(PEOPLE)) is Verdict.ALLOWED
    assert iam.resource_policy(text, by_cloudwatch(PEOPLE, account="999999999999")) is Verdict.NOT_ALLOWED
    assert iam.same_account(role_policy(deployment), text, by_user(PEOPLE)) is Verdict.ALLOWED
    assert iam.resource_policy(text, by_user(PEOPLE)) is Verdict.NOT_ALLOWED


@pytest.mark.parametrize(
    ("name", "service", "own", "foreign"),
    [
        ("healer-invoke-topic", "sns.amazonaws.com", TOPIC, PEOPLE),
        (
            "healer-invoke-schedule",
            "events.amazonaws.com",
            f"arn:aws:events:{REGION}:{ACCOUNT}:rule/healer-schedule-1a2b3c4",
            f"arn:aws:events:{REGION}:{ACCOUNT}:rule/another",
        ),
    ],
)
@pytest.mark.parametrize("preview", [True, False])
def test_only_its_own_topic_and_rule_invoke_the_healer(
    name: str, service: str, own: str, foreign: str, preview: bool
) -> None:
    inputs = healer(preview).named(name).inputs
    text = iam.permission_document(inputs, HEALER)

    def invoke(caller: str, source: str) -> Verdict:
        context = {"aws:SourceArn": source}
        return iam.resource_policy(
            text, Request("lambda:InvokeFunction", HEALER, service=caller, context=context)
        )

    assert inputs["function"] == "healer-1a2b3c4"
    assert invoke(service, own) is Verdict.ALLOWED
    assert invoke(service, foreign) is Verdict.NOT_ALLOWED
    assert invoke("apigateway.amazonaws.com", own) is Verdict.NOT_ALLOWED


NEEDED = [
    ("dynamodb:GetItem", LEDGER),
    ("dynamodb:BatchGetItem", LEDGER),
    ("cloudwatch:DescribeAlarms", "*"),
    ("cloudwatch:GetMetricData", "*"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
    ("lambda:GetFunctionConfiguration", ORDERS),
    ("lambda:UpdateFunctionConfiguration", ORDERS),
    ("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:healer-logs-1a2b3c4:log-stream:x"),
    ("sns:Publish", PEOPLE),
    ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:healer-failures-1a2b3c4"),
]
REFUSED = [
    ("dynamodb:DeleteItem", LEDGER),
    ("dynamodb:DeleteTable", LEDGER),
    ("dynamodb:Scan", LEDGER),
    # What it may write of the ledger depends on the item: test_grants.py.
    ("dynamodb:PutItem", LEDGER),
    ("dynamodb:UpdateItem", LEDGER),
    ("dynamodb:PutItem", f"{LEDGER}-other"),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/any"),
    ("cloudwatch:SetAlarmState", ALARM),
    ("lambda:InvokeFunction", ORDERS),
    ("lambda:UpdateFunctionCode", ORDERS),
    ("lambda:UpdateFunctionConfiguration", HEALER),
    ("lambda:UpdateFunctionConfiguration", f"{ORDERS}-other"),
    ("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:any"),
    ("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:other:log-stream:x"),
    ("sns:Publish", TOPIC),
    ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/any"),
]


@pytest.mark.parametrize("preview", [True, False])
def test_the_role_may_do_what_the_code_does_and_nothing_else(preview: bool) -> None:
    text = role_policy(healer(preview))
    assert [call for call in NEEDED + REFUSED if iam.allows(text, *call)] == NEEDED


@pytest.mark.parametrize("preview", [True, False])
def test_no_statement_is_wider_than_aws_forces_it_to_be(preview: bool) -> None:
    deployment = healer(preview)
    for name in ("healer-policy", "healer-boundary"):
        assert iam.too_wide(deployment.named(name).inputs["policy"]) == []


def test_a_target_without_remedy_is_not_touched_at_all() -> None:
    deployment = healer(targets=[target(), target(name="users", function_name="users-fn", remedies=[])])
    users = ORDERS.replace("orders-fn", "users-fn")
    for action in ("lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration"):
        assert not iam.allows(role_policy(deployment), action, users)
        assert iam.allows(role_policy(deployment), action, ORDERS)


def test_documents_keep_their_dependencies() -> None:
    deployment = healer()
    wanted = {deployment.of(t)[0].urn for t in ("aws:dynamodb/table:Table", "aws:sqs/queue:Queue")}
    assert wanted <= deployment.named("healer-policy").property_dependencies["policy"]
    [function] = deployment.of("aws:lambda/function:Function")
    assert deployment.named("healer-policy").urn in function.dependencies
