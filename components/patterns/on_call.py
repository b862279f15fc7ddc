"""`OnCall`: the topic that alarms of the patterns notify."""

from collections.abc import Sequence
from typing import NotRequired

import pulumi

from selfheal.components.arns import Arns
from selfheal.components.healing.topics import check_emails, escalation_topic
from selfheal.components.security import Security, SecurityArgs


class OnCallArgs(SecurityArgs):
    """Who is notified."""

    emails: NotRequired[Sequence[str]]
    """E-mail addresses, each of which has to confirm its subscription. Default none: subscribe to the topic
    what you use, for example an incident manager."""


class OnCall(pulumi.ComponentResource):
    """A topic whose policy lets alarms of this account publish, and nobody else.

    Who in this account has the right by a policy of its own can publish as well.
    """

    topic_arn: pulumi.Output[str]
    """ARN of the topic."""

    def __init__(
        self, name: str, args: OnCallArgs | None = None, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the topic, its policy and its subscriptions.

        Raises:
            ComponentError: when a text is not an e-mail address, or an address is given twice.

        """
        # Without the arguments, which would be in the state as they are: addresses are personal.
        super().__init__("selfheal:index:OnCall", name, None, opts)
        emails = list((args or {}).get("emails", ()))
        check_emails(emails)
        arns = Arns(self)
        self.topic_arn = escalation_topic(name, arns, emails, Security(args or {}, arns), self)
        self.register_outputs({"topicArn": self.topic_arn})
