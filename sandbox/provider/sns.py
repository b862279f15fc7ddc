"""SNS: topics, their policies, subscriptions."""

from typing import Any

from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import code_of
from selfheal.sandbox.provider.names import from_aws, same_names
from selfheal.sandbox.provider.spec import JSON, LOCAL, VALUE, Kind, Props, Spec, changed, values

# --- topics -------------------------------------------------------------------------------------------------

_TOPIC = same_names(
    "displayName", "policy", "deliveryPolicy", "kmsMasterKeyId", "signatureVersion", "tracingConfig"
)
_DEFAULT_POLICY = "__default_policy_ID"
_TOPIC_KINDS: dict[str, Kind] = {
    **values("name", "displayName", "kmsMasterKeyId", "tracingConfig"),
    "signatureVersion": VALUE,
    "policy": JSON,
    "deliveryPolicy": JSON,
}


def _read_topic(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = _topic(clients, id_)
    if _DEFAULT_POLICY in live.get("Policy", ""):
        del live["Policy"]  # every new topic has it
    return {
        **{ours: live[theirs] for ours, theirs in _TOPIC.items() if live.get(theirs)},
        **({"signatureVersion": int(live["SignatureVersion"])} if live.get("SignatureVersion") else {}),
        "name": id_.rsplit(":", 1)[-1],
        "arn": live["TopicArn"],
        "owner": live.get("Owner"),
    }


def _update_topic(clients: Clients, id_: str, old: Props, new: Props) -> None:
    api = clients.get("sns")
    for key in changed(_TOPIC_KINDS, old, new):
        if key in _TOPIC:
            api.set_topic_attributes(
                TopicArn=id_, AttributeName=_TOPIC[key], AttributeValue=str(new.get(key) or "")
            )


def _topic(clients: Clients, arn: str) -> dict[str, Any]:
    answer = clients.get("sns").get_topic_attributes(TopicArn=arn)
    return dict(answer["Attributes"])


TOPIC = Spec(
    inputs=_TOPIC_KINDS,
    computed=frozenset({"arn", "owner"}),
    name="name",
    name_limit=256,
    identity=frozenset({"name"}),
    replace=frozenset({"name"}),
    unset={"signatureVersion": 1, "tracingConfig": "PassThrough"},
    # CreateTopic answers the ARN of an existing topic of that name, as it does for the AWS provider.
    create=lambda clients, inputs: clients.get("sns").create_topic(Name=inputs["name"])["TopicArn"],
    complete=lambda clients, id_, inputs: _update_topic(clients, id_, {}, inputs),
    read=_read_topic,
    update=_update_topic,
    delete=lambda clients, id_, _: clients.get("sns").delete_topic(TopicArn=id_),
)

# --- topic policies -----------------------------------------------------------------------------------------


def _put_topic_policy(clients: Clients, inputs: Props) -> str:
    clients.get("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return str(inputs["arn"])


def _delete_topic_policy(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    """Restore the policy that every new topic has: a topic cannot be without one."""
    owner = _topic(clients, id_).get("Owner")
    _put_topic_policy(clients, {"arn": id_, "policy": _default_policy(id_, owner)})


def _default_policy(arn: str, owner: Any) -> str:
    return (
        f'{{"Version":"2008-10-17","Id":"{_DEFAULT_POLICY}","Statement":[{{"Sid":"__default_statement_ID",'
        '"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes",'
        '"SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic",'
        f'"SNS:Publish"],"Resource":"{arn}","Condition":{{"StringEquals":{{"AWS:SourceOwner":"{owner}"}}}}}}]}}'
    )


TOPIC_POLICY = Spec(
    inputs={"arn": VALUE, "policy": JSON},
    required=frozenset({"arn", "policy"}),
    computed=frozenset({"owner"}),
    identity=frozenset({"arn"}),
    replace=frozenset({"arn"}),
    create=_put_topic_policy,
    read=lambda clients, id_, _: from_aws(
        _topic(clients, id_), {"arn": "TopicArn", "policy": "Policy", "owner": "Owner"}
    ),
    update=lambda clients, _id, _old, new: _put_topic_policy(clients, new),
    delete=_delete_topic_policy,
)

# --- subscriptions ------------------------------------------------------------------------------------------

_SUBSCRIPTION = same_names(
    "rawMessageDelivery", "filterPolicy", "filterPolicyScope", "redrivePolicy", "deliveryPolicy"
)


def _create_subscription(clients: Clients, inputs: Props) -> str:
    api = clients.get("sns")
    # Subscribing an endpoint again answers the same ARN.
    answer = api.subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        ReturnSubscriptionArn=True,
    )
    return str(answer["SubscriptionArn"])


def _read_subscription(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("sns").get_subscription_attributes(SubscriptionArn=id_)["Attributes"]
    return {
        **{ours: live[theirs] for ours, theirs in _SUBSCRIPTION.items() if live.get(theirs)},
        "rawMessageDelivery": _true(live.get("RawMessageDelivery")),
        "topic": live["TopicArn"],
        "protocol": live["Protocol"],
        "endpoint": live["Endpoint"],
        "arn": id_,
        "ownerId": live.get("Owner"),
        "pendingConfirmation": _true(live.get("PendingConfirmation")),
        "confirmationWasAuthenticated": _true(live.get("ConfirmationWasAuthenticated")),
    }


def _update_subscription(clients: Clients, id_: str, old: Props, new: Props) -> None:
    api = clients.get("sns")
    for key in changed(SUBSCRIPTION.inputs, old, new):
        if key in _SUBSCRIPTION:
            value = new.get(key)
            text = str(value).lower() if isinstance(value, bool) else str(value or "")
            api.set_subscription_attributes(
                SubscriptionArn=id_, AttributeName=_SUBSCRIPTION[key], AttributeValue=text
            )


def _delete_subscription(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    try:
        clients.get("sns").unsubscribe(SubscriptionArn=id_)
    except ClientError as error:
        # AWS does not delete a subscription that was never confirmed; it expires after 48 hours.
        pending = code_of(error) == "InvalidParameter" and "pending confirmation" in str(error)
        if not pending:
            raise


def _true(text: Any) -> bool:
    return str(text).lower() == "true"


SUBSCRIPTION = Spec(
    inputs={
        **values("topic", "protocol", "endpoint", "rawMessageDelivery", "filterPolicyScope"),
        "filterPolicy": JSON,
        "redrivePolicy": JSON,
        "deliveryPolicy": JSON,
        "confirmationTimeoutInMinutes": LOCAL,
        "endpointAutoConfirms": LOCAL,
    },
    required=frozenset({"topic", "protocol", "endpoint"}),
    computed=frozenset({"arn", "ownerId", "pendingConfirmation", "confirmationWasAuthenticated"}),
    identity=frozenset({"topic", "protocol", "endpoint"}),
    replace=frozenset({"topic", "protocol", "endpoint"}),
    defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False},
    unset={"filterPolicyScope": "MessageAttributes"},
    create=_create_subscription,
    complete=lambda clients, id_, inputs: _update_subscription(
        clients, id_, {"rawMessageDelivery": False}, inputs
    ),
    read=_read_subscription,
    update=_update_subscription,
    delete=_delete_subscription,
)
