"""The orders service, with the arguments that a drill gives it."""

from typing import cast

import pulumi

from selfheal.components import OnCall
from selfheal.components.services.orders import Orders, OrdersArgs

given = cast("OrdersArgs", pulumi.Config().require_object("orders"))
orders = Orders("orders", {"people": OnCall("on-call").topic_arn, **given})
for name, value in orders.exports.items():
    pulumi.export(name, value)
