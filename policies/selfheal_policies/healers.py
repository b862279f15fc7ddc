"""What a healer is: a function or state machine that an alarm reaches and whose role can change something.

`reach.py` finds what alarms reach; `roles.py` reads what a role can change.
"""

from selfheal_policies import arns
from selfheal_policies.documents import is_pattern
from selfheal_policies.roles import Access, Write

_UPKEEP = frozenset(
    {
        "lambda:deleteprovisionedconcurrencyconfig",
        "lambda:publishversion",
        "lambda:putprovisionedconcurrencyconfig",
        "lambda:putruntimemanagementconfig",
        "lambda:tagresource",
        "lambda:untagresource",
    }
)
"""Changes of functions that a clock makes in ordinary programs. What an alarm wakes heals by them."""


def can_heal(access: Access) -> bool:
    """Return whether what an alarm wakes is a healer: its role can change something.

    Beside that, what moves a lever is one (see levers.py), and what cannot be read is suspected to be one.
    """
    return access.changes


def counts_when_called(access: Access) -> bool:
    """Return whether this holds for what a healer calls: a function that it only asks may write its data."""
    return access.controls or bool(access.unreadable)


def is_idle(access: Access) -> bool:
    """Return whether what no alarm reaches looks like a healer: it may change a function.

    What may only pause the mappings of functions that it names is a breaker, which measures by itself:
    lambda-mapping-owned judges what it pauses. What warms, tags or publishes functions by the clock
    keeps them up, and heals nothing.
    """
    return any(
        write.control
        and write.acts_on_functions
        and write.action.lower() not in _UPKEEP
        and not pauses_named(write)
        for write in access.writes
    )


def pauses_named(write: Write) -> bool:
    """Return whether a write can only pause, or let go on, the mappings of a function that it names."""
    arn = arns.parse_arn(write.resource) if isinstance(write.resource, str) else None
    named = arn is not None and arn.kind in (arns.FUNCTION, arns.MAPPING) and not is_pattern(arn.name)
    return named and write.action.lower() == "lambda:updateeventsourcemapping"
