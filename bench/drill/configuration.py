"""The parameter store answers nobody: orders go on with what was read before.

The emulator throttles nothing, so the consumer's role is denied to read: to the cache both are a store that
fails. What the cache does with a throttling itself is in tests/functions/shared/test_configuration_cache.py.
"""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager

from bench.drill.claims import Report
from bench.drill.outage import Scale, nothing_lost, warm
from bench.drill.world import World
from selfheal.cli.demo.claims import at_least, equal
from selfheal.functions.orders.order import State

FIRST = 3 * 10**6
DENY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "ssm:GetParameters", "Resource": "*"}],
}


@contextmanager
def denied(world: World, role_prefix: str) -> Generator[None]:
    """Deny a role to read parameters."""
    iam = world.emulator.clients.get("iam")
    [role] = [
        each["RoleName"]
        for page in iam.get_paginator("list_roles").paginate()
        for each in page["Roles"]
        if each["RoleName"].startswith(role_prefix)
    ]
    iam.put_role_policy(RoleName=role, PolicyName="no-parameters", PolicyDocument=json.dumps(DENY))
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="no-parameters")


def drill(world: World, scale: Scale) -> Report:
    """Place orders while the store fails, after the cached values should have been read again."""
    warm(world, scale)
    with denied(world, "orders-fulfilment-consumer-role"):
        time.sleep(2 * world.catalogue_seconds)
        for number in range(FIRST, FIRST + scale.orders):
            world.place(number)
        world.until(world.settled, every=1)
        failures = world.log_lines("orders-fulfilment-consumer", "configuration not read")
    fulfilled = [
        order
        for order in world.orders().values()
        if int(order.id.removeprefix("order-")) >= FIRST and order.state is State.FULFILLED
    ]
    return Report(
        "parameter store",
        [
            equal("orders fulfilled while the store fails", scale.orders, len(fulfilled)),
            at_least("log lines of consumers that were refused by the store", 1, failures),
            *nothing_lost(world),
        ],
        {"orders": scale.orders},
    )
