"""Healers that others can wake, or that nobody can: by the policies of topics, keys, queues and functions."""

from typing import Any

from tests.policies.mutations.table import Foreign, foreign, refused_by
from tests.policies.support import healers
from tests.policies.support.changes import Change, add, document, put, remove, several, text
from tests.policies.support.healers import NOBODY_ELSE, ONLY_ALARMS, pattern
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Lost, Ref
from tests.policies.support.scene import Scene

STRANGER = "999999999999"
WAKE = {"Resource": text("wake")}
OPEN, CLOSED = ONLY_ALARMS | WAKE, NOBODY_ELSE | WAKE
ALARMS = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/oncall"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def topic(*statements: dict[str, Any]) -> Change:
    return put("wake-policy", policy=document(*statements))


def opened(**statement: Any) -> Change:
    """Let somebody publish, beside the alarms."""
    return topic(OPEN, {"Action": "sns:Publish", **WAKE, **statement}, CLOSED)


def bound(operator: str, key: str, value: Any, **more: Any) -> Change:
    """Let alarms publish on this condition only."""
    return topic(OPEN | {"Condition": {operator: {key: value}, **more}}, CLOSED)


def closed(**denial: Any) -> Change:
    """Deny publishing otherwise."""
    return topic(OPEN, {**CLOSED, **denial})


def unless(operator: str, key: str, value: Any) -> Change:
    """Deny publishing on this condition only."""
    return closed(Condition={operator: {key: value}})


TOPICS = foreign(
    "sns-topic-policy-closed",
    *(
        (f"a topic that {name}", "topic", change)
        for name, change in {
            "denies another topic": closed(Resource=text("people")),
            "denies all topics but itself": topic(
                OPEN,
                {key: value for key, value in CLOSED.items() if key != "Resource"}
                | {"NotResource": text("wake")},
            ),
            "denies another action": closed(Action="sns:Subscribe"),
            "denies everything but publishing": topic(
                OPEN,
                {key: value for key, value in CLOSED.items() if key != "Action"}
                | {"NotAction": "sns:Publish"},
            ),
            "denies one role": closed(Principal={"AWS": ROLE}),
            "denies strangers only": closed(Principal={"AWS": f"arn:aws:iam::{STRANGER}:root"}),
            "denies everybody but one role": topic(
                OPEN,
                {"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "sns:Publish", **WAKE}
                | {"Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}}},
            ),
            "denies where two conditions hold": closed(
                Condition={
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                    "StringNotEquals": {"aws:PrincipalAccount": ACCOUNT},
                }
            ),
            "denies at night": closed(
                Condition={
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                    "DateGreaterThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"},
                }
            ),
            "denies services": unless("BoolIfExists", "aws:PrincipalIsAWSService", "true"),
            "denies plain http": unless("Bool", "aws:SecureTransport", "false"),
            "denies other accounts": unless("StringNotEquals", "aws:PrincipalAccount", ACCOUNT),
            "denies other organisations": unless("StringNotEquals", "aws:PrincipalOrgID", "o-1234567890"),
            "denies other roles": unless("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/*"),
            "denies all roles but one": closed(
                Condition={
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                    "ArnNotEquals": {"aws:PrincipalArn": ROLE},
                }
            ),
            "denies where a source is named": unless("StringEquals", "aws:SourceAccount", STRANGER),
            "denies where a source is named, if it is": unless(
                "ForAnyValue:StringNotEquals", "aws:SourceAccount", ACCOUNT
            ),
            "denies everybody": closed(Condition={}),
            "denies services of strangers' organisations": unless(
                "StringNotEquals", "aws:PrincipalServiceName", "s3.amazonaws.com"
            ),
            "is bound to alarms of any account": bound(
                "ArnLike", "aws:SourceArn", "arn:aws:cloudwatch:*:*:alarm:*"
            ),
            "is bound to alarms of any account in one region": bound(
                "StringLike", "aws:SourceArn", f"arn:aws:cloudwatch:{REGION}:*:alarm:errors*"
            ),
            "is bound to alarms of many accounts": bound("StringLike", "aws:SourceAccount", "0000*"),
            "is bound by a star that takes a colon": bound(
                "StringLike", "aws:SourceArn", f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:*"
            ),
            "is bound to an account if there is one": bound(
                "StringEqualsIfExists", "aws:PrincipalAccount", ACCOUNT
            ),
            "is bound to whatever of an account": bound("ForAllValues:StringEquals", "aws:TagKeys", ["team"]),
            "is bound to all accounts but one": bound("StringNotEquals", "aws:SourceAccount", STRANGER),
            "is bound to https": bound("Bool", "aws:SecureTransport", "true"),
            "is bound to one or any account": bound("StringLike", "aws:SourceAccount", [ACCOUNT, "*"]),
            "is bound to a variable": bound("StringEquals", "aws:SourceAccount", "${aws:PrincipalAccount}"),
            "is bound to another account": bound("StringEquals", "aws:SourceAccount", STRANGER),
            "is bound to another topic": bound("ArnLike", "aws:SourceArn", text("people")),
            "lets another service publish": opened(Principal={"Service": "s3.amazonaws.com"}),
            "lets every service of the account publish": opened(
                Principal="*", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
            ),
            "lets everybody publish who is no service": opened(NotPrincipal={"Service": "s3.amazonaws.com"}),
            "lets everybody set its attributes": opened(Principal="*", Action="sns:SetTopicAttributes"),
            "lets a stranger delete it": opened(Principal={"AWS": STRANGER}, Action="sns:Delete*"),
            "lets a role take its permissions": opened(
                Principal={"AWS": ROLE}, Action="sns:RemovePermission"
            ),
            "lets nobody publish": topic(CLOSED),
            "may get another policy": add(
                "sns.TopicPolicy", "later", arn=Lost("x"), policy=document(OPEN, CLOSED)
            ),
            "lets alarms publish to another topic": topic(OPEN | {"Resource": text("people")}, CLOSED),
        }.items()
    ),
)


USES = {
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
}
OWNER = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}


def key(*statements: dict[str, Any], **properties: Any) -> Change:
    """Encrypt the topic with a key of the stack that has this policy."""
    held = {"policy": document(OWNER, *statements), "name": ID, "keyId": ID, **properties}
    return several(add("kms.Key", "key", **held), put("wake", kmsMasterKeyId=Ref("key")))


def usable(operator: str, name: str, value: Any) -> Change:
    """Let CloudWatch use the key on this condition only."""
    return key(USES | {"Condition": {operator: {name: value}}})


def forbidden(**denial: Any) -> Change:
    held = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", **denial}
    return key(USES, {name: value for name, value in held.items() if value is not None})


def ruled(*statements: dict[str, Any]) -> Change:
    """Publish by a rule as well."""
    events = {"Principal": {"Service": "events.amazonaws.com"}}
    condition = {"Condition": {"ArnEquals": {"aws:SourceArn": text("changes")}}}
    return several(
        add("cloudwatch.EventRule", "changes", eventPattern=pattern()),
        add("cloudwatch.EventTarget", "to-wake", rule=Ref("changes", "name"), arn=Ref("wake")),
        put("to-wake", deadLetterConfig={"arn": Ref("medic-dead")}),
        put("to-wake", retryPolicy={"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 2}),
        topic(OPEN, OPEN | events | condition, CLOSED),
        key(USES, *statements),
    )


KEYS = foreign(
    "sns-topic-key",
    *(
        (f"a key that {name}", "topic", change)
        for name, change in {
            "is for another account": usable("StringEquals", "aws:SourceAccount", STRANGER),
            "is for other alarms": usable(
                "ArnLike", "aws:SourceArn", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:billing-*"
            ),
            "is for what the topic sends": usable("ArnLike", "aws:SourceArn", text("wake")),
            "is for another service": usable("StringEquals", "kms:ViaService", f"sqs.{REGION}.amazonaws.com"),
            "is for another topic": usable(
                "StringEquals", "kms:EncryptionContext:aws:sns:topicArn", text("people")
            ),
            "is for functions": usable("StringLike", "kms:EncryptionContext:aws:lambda:FunctionArn", "*"),
            "is for an organisation's principals": usable("StringEquals", "aws:PrincipalOrgID", "o-1"),
            "is for one network": usable("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
            "is for callers of the account": usable("StringEquals", "kms:CallerAccount", ACCOUNT),
            "makes keys that nobody sees": key(
                USES | {"Action": ["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"]}
            ),
            "may be described": key(USES | {"Action": ["kms:DescribeKey", "kms:Decrypt"]}),
            "is of another key": key(USES | {"Resource": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other"}),
            "is denied to everybody": forbidden(Condition=None),
            "is denied to services": forbidden(Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}}),
            "is denied to CloudWatch": forbidden(
                Principal={"Service": "cloudwatch.amazonaws.com"}, Action="kms:Decrypt"
            ),
            "is denied to other organisations": forbidden(
                Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
            ),
            "is denied outside of a network": forbidden(
                Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
            ),
            "is denied through other services": forbidden(
                Condition={"StringNotEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
            ),
            "is denied to all but one": forbidden(
                Principal=None, NotPrincipal={"AWS": ROLE}, Action="kms:GenerateDataKey*"
            ),
            "is disabled": key(USES, isEnabled=False),
            "may be disabled": key(USES, isEnabled=Lost(value=False)),
            "is asymmetric": key(USES, customerMasterKeySpec="RSA_2048"),
            "signs": key(USES, keyUsage="SIGN_VERIFY"),
            "is in another region": several(key(USES, region="eu-west-1"), put("wake", region=REGION)),
            "lost its policy": several(
                key(USES),
                add("kms.KeyPolicy", "key-policy", keyId=Ref("key"), policy=document(OWNER)),
            ),
            "has two policies": several(
                key(),
                add("kms.KeyPolicy", "key-policy", keyId=Ref("key"), policy=document(OWNER, USES)),
                add("kms.KeyPolicy", "later", keyId=Ref("key"), policy=document(OWNER)),
            ),
            "a rule cannot use": ruled(),
            "a rule cannot use for its account": ruled(
                USES
                | {"Principal": {"Service": "events.amazonaws.com"}}
                | {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
            ),
        }.items()
    ),
)


def permit(principal: Any, source: Any = None, **more: Any) -> Change:
    """Let somebody else invoke the healer as well."""
    held = {"function": Ref("medic", "name"), "principal": principal, "sourceArn": source, **more}
    given = {name: value for name, value in held.items() if value is not None}
    return add("lambda.Permission", "door", **given)


INVOKES = {
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Resource": text("medic"),
    "Condition": {"ArnLike": {"aws:SourceArn": text("wake")}},
}


def resource_policy(*more: dict[str, Any], **statement: Any) -> Change:
    """Write the permission as a document."""
    held = document({**INVOKES, **statement}, *more)
    return several(
        remove("may-wake-medic"),
        add("lambda.ResourcePolicy", "policy", resourceArn=Ref("medic"), policy=held),
    )


def put_policy(policy: Any) -> Change:
    return several(
        remove("may-wake-medic"),
        add("lambda.ResourcePolicy", "policy", resourceArn=Ref("medic"), policy=policy),
    )


def stray(scene: Scene) -> None:
    """Let a topic invoke the healer that no alarm publishes to, and anybody may."""
    scene.add("sns.Topic", "stray")
    permit("sns.amazonaws.com", Ref("stray"))(scene)


def url(kind: Any, **more: Any) -> Change:
    given = {"functionName": Ref("medic", "name"), "authorizationType": kind, **more}
    return add("lambda.FunctionUrl", "url", **given)


SNS, RULES = "sns.amazonaws.com", "events.amazonaws.com"

PERMISSIONS = foreign(
    "lambda-permission-scoped",
    *(
        (f"a permission for {name}", route, change)
        for name, route, change in (
            ("another account", "topic", permit(STRANGER)),
            ("an account's root", "alarm action", permit(f"arn:aws:iam::{ACCOUNT}:root")),
            ("a role", "topic", permit(ROLE)),
            ("an organisation", "topic", permit("*", principalOrgId="o-1234567890")),
            ("everybody by its url", "topic", permit("*", action="lambda:InvokeFunctionUrl")),
            ("everybody with credentials", "topic", permit("*", functionUrlAuthType="AWS_IAM")),
            (
                "an API",
                "topic",
                permit("apigateway.amazonaws.com", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a/*"),
            ),
            (
                "one method of an API",
                "queue",
                permit(
                    "apigateway.amazonaws.com", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a/live/POST/heal"
                ),
            ),
            ("a bucket", "topic", permit("s3.amazonaws.com", "arn:aws:s3:::uploads", sourceAccount=ACCOUNT)),
            ("whatever of an account", "topic", permit(SNS, sourceAccount=ACCOUNT)),
            ("topics by a question mark", "topic", permit(SNS, f"arn:aws:sns:{REGION}:{ACCOUNT}:wak?")),
            ("topics that begin alike", "topic", permit(SNS, text("wake", "*"))),
            ("topics of any account", "topic", permit(SNS, f"arn:aws:sns:{REGION}:*:wake")),
            ("a topic of another account", "topic", permit(SNS, f"arn:aws:sns:{REGION}:{STRANGER}:wake")),
            ("a topic that is not known", "topic", permit(SNS, Lost(f"arn:aws:sns:{REGION}:{STRANGER}:x"))),
            ("a topic of the stack that is not wired", "topic", stray),
            ("all rules", "event rule", permit(RULES, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/*")),
            ("a rule elsewhere", "event rule", permit(RULES, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/x")),
            ("all alarms", "alarm action", permit("lambda.alarms.cloudwatch.amazonaws.com", ALARMS)),
            ("somebody who is not known", "topic", permit(Lost(STRANGER))),
            ("changing its code", "topic", permit(STRANGER, action="lambda:UpdateFunctionCode")),
            ("a role that changes its code", "topic", permit(ROLE, action="lambda:UpdateFunctionCode")),
            ("everything", "topic", permit(STRANGER, action="lambda:*")),
            ("a topic that does everything", "topic", put("may-wake-medic", action="lambda:*")),
            ("an alias of it", "alias", permit(STRANGER, qualifier=Ref("live", "name"))),
        )
    ),
    *(
        (f"a resource policy {name}", "topic", change)
        for name, change in {
            "for everybody": resource_policy(Principal="*", Condition={}),
            "for everybody who speaks for the topic": resource_policy(Principal="*"),
            "beside a permission for everybody": several(
                add(
                    "lambda.ResourcePolicy",
                    "policy",
                    resourceArn=Ref("medic"),
                    policy=document({**INVOKES, "Principal": {"AWS": "*"}, "Condition": {}}),
                ),
            ),
            "for everybody of an organisation": resource_policy(
                Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
            ),
            "for every topic": resource_policy(Condition={}),
            "for topics of an account": resource_policy(
                Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
            ),
            "for the topic, if there is one": resource_policy(
                Condition={"ArnLikeIfExists": {"aws:SourceArn": text("wake")}}
            ),
            "for every topic but one": resource_policy(
                Condition={"ArnNotLike": {"aws:SourceArn": text("people")}}
            ),
            "for any of many topics": resource_policy(
                Condition={"ArnLike": {"aws:SourceArn": [text("wake"), "arn:aws:sns:*:*:*"]}}
            ),
            "for another topic": resource_policy(Condition={"ArnLike": {"aws:SourceArn": text("people")}}),
            "for rules": resource_policy(Principal={"Service": RULES}),
            "for reading": resource_policy(Action="lambda:GetFunction"),
            "for everything": resource_policy(Action="lambda:*"),
            "for all but reading": resource_policy(
                {
                    "Principal": {"AWS": STRANGER},
                    "NotAction": "lambda:GetFunction",
                    "Resource": text("medic"),
                }
            ),
            "for all but one": resource_policy(
                {"NotPrincipal": {"AWS": ROLE}, "Action": "lambda:InvokeFunction", "Resource": text("medic")}
            ),
            "for a role that changes its code": resource_policy(
                {
                    "Principal": {"AWS": ROLE},
                    "Action": ["lambda:GetFunction", "lambda:UpdateFunctionCode"],
                    "Resource": text("medic"),
                }
            ),
            "that denies it": resource_policy(
                {**INVOKES, "Effect": "Deny", "Principal": "*", "Condition": {}}
            ),
            "that cannot be read": put_policy(Lost("{}")),
            "that is none": put_policy("{"),
            "of a function that is not known": add(
                "lambda.ResourcePolicy", "policy", resourceArn=Lost("x"), policy=document(INVOKES)
            ),
        }.items()
    ),
)

URLS = foreign(
    "lambda-healer-url",
    ("a url for everybody", "topic", url("NONE")),
    ("a url for everybody of an alias", "alias", url("NONE", qualifier=Ref("live", "name"))),
    ("a url that may be for everybody", "alarm action", url(Lost("NONE"))),
    ("a url of which nothing is said", "queue", url(None)),
    ("a url of a function that is not known", "topic", url("NONE", functionName=Lost("medic"))),
)


SENDS = {
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": text("inbox"),
    "Condition": {"ArnEquals": {"aws:SourceArn": text("wake")}},
}


def queue(*more: dict[str, Any], **statement: Any) -> Change:
    """Let the topic send to the queue by a policy."""
    policy = document({**SENDS, **statement}, *more)
    return add("sqs.QueuePolicy", "inbox-policy", queueUrl=Ref("inbox"), policy=policy)


def also(**statement: Any) -> Change:
    """Let somebody else do something with the queue as well."""
    held = {"Principal": {"AWS": STRANGER}, "Action": "sqs:SendMessage", "Resource": text("inbox")}
    return queue({**held, **statement})


QUEUES = foreign(
    "sqs-queue-policy-closed",
    *(
        (f"a queue {name}", "queue", change)
        for name, change in {
            "for everybody": queue(Principal="*", Condition={}),
            "for whatever of an account": queue(
                Principal="*", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
            ),
            "for topics of any account": queue(Condition={}),
            "for topics by a pattern": queue(
                Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:wake*"}}
            ),
            "for topics over https": queue(Condition={"Bool": {"aws:SecureTransport": "true"}}),
            "for another topic": queue(Condition={"ArnEquals": {"aws:SourceArn": text("people")}}),
            "for the alarms": queue(Principal={"Service": "cloudwatch.amazonaws.com"}),
            "of another name": queue(Resource=text("medic-dead")),
            "for another account": also(),
            "for a role": also(Principal={"AWS": ROLE}),
            "for another service": also(Principal={"Service": "s3.amazonaws.com"}),
            "for all but one": also(Principal=None, NotPrincipal={"AWS": ROLE}),
            "that others read": also(Action=["sqs:ReceiveMessage", "sqs:DeleteMessage"]),
            "that others empty": also(Action="sqs:PurgeQueue"),
            "that others open": also(Action="sqs:Add*", Principal={"AWS": ROLE}),
            "that is denied": also(Effect="Deny", Principal="*"),
            "that is denied to services": also(
                Effect="Deny", Principal="*", Condition={"Null": {"aws:PrincipalArn": "true"}}
            ),
            "with a policy of its own for everybody": put(
                "inbox", policy=document({**SENDS, "Principal": "*", "Condition": {}})
            ),
            "that may get another policy": several(
                queue(), add("sqs.QueuePolicy", "later", queueUrl=Lost("x"), policy=document(SENDS))
            ),
            "with a policy that cannot be read": add(
                "sqs.QueuePolicy", "inbox-policy", queueUrl=Ref("inbox"), policy=Lost("{}")
            ),
        }.items()
    ),
)


PUTS = {"Action": "events:PutEvents", "Resource": "*"}


def bus(*statements: dict[str, Any]) -> Change:
    return add("cloudwatch.EventBusPolicy", "bus-policy", policy=document(*statements))


def strangers(**more: Any) -> Change:
    return add("cloudwatch.EventPermission", "strangers", principal="*", statementId="strangers", **more)


def central(principal: Any) -> Change:
    """Wake the healer by a rule on a bus of its own as well, to which others send their alarms."""
    puts = PUTS | {"Principal": principal, "Resource": text("central")}
    on = {"eventBusName": Ref("central", "name")}
    return several(
        add("cloudwatch.EventBus", "central"),
        add("cloudwatch.EventBusPolicy", "central-policy", policy=document(puts), **on),
        add("cloudwatch.EventRule", "far", eventPattern=pattern(), **on),
        add("cloudwatch.EventTarget", "to-far", rule=Ref("far", "name"), arn=Ref("medic"), **on),
        put("to-far", deadLetterConfig={"arn": Ref("medic-dead")}),
        put("to-far", retryPolicy={"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 2}),
        lambda scene: healers.permit(scene, "medic", "events", "far", "may-far"),
    )


BUSES = foreign(
    "events-bus-policy-closed",
    *(
        (f"a bus {name}", route, change)
        for name, route, change in (
            ("for everybody", "state machine", bus(PUTS | {"Principal": "*"})),
            ("for everybody by a permission", "state machine", strangers()),
            (
                "for all but an organisation",
                "state machine",
                bus(
                    PUTS | {"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}
                ),
            ),
            (
                "for organisations by a pattern",
                "state machine",
                strangers(condition={"type": "StringLike", "key": "aws:PrincipalOrgID", "value": "o-*"}),
            ),
            (
                "for everybody with alarms",
                "state machine",
                bus(
                    PUTS
                    | {"Principal": "*", "Condition": {"StringEquals": {"events:source": "aws.cloudwatch"}}}
                ),
            ),
            (
                "whose rules another account changes",
                "state machine",
                bus({"Principal": {"AWS": STRANGER}, "Action": "events:*", "Resource": "*"}),
            ),
            ("of its own for everybody", "topic", central("*")),
            (
                "whose policy cannot be read",
                "state machine",
                add("cloudwatch.EventBusPolicy", "bus-policy", policy=Lost("{}")),
            ),
        )
    ),
)

TABLE: list[Foreign] = [*TOPICS, *KEYS, *PERMISSIONS, *URLS, *QUEUES, *BUSES]

OURS = refused_by(
    "lambda-healer-url",
    (
        "a url of the healer for everybody",
        add("lambda.FunctionUrl", "url", functionName=Ref("healer", "name"), authorizationType="NONE"),
        "both",
        "up",
    ),
)
"""Mutations of the program itself."""
