"""What a healer is: a function or state machine that an alarm reaches and whose role can change something.

`graph.py` finds what alarms reach; `roles.py` reads what a role can change.
"""

from selfheal_policies.roles import Access


def can_heal(access: Access) -> bool:
    """Return whether what an alarm wakes is a healer, or may be one, for its role cannot be read.

    What an alarm wakes and is no healer is a notifier: its role is known to change nothing.
    """
    return access.changes or bool(access.unreadable)


def counts_when_called(access: Access) -> bool:
    """Return whether this holds for what a healer calls: a function that it only asks may write its data."""
    return access.controls


def is_idle(access: Access) -> bool:
    """Return whether what no alarm reaches looks like a healer: it may change a function."""
    return any(write.control and write.acts_on_functions for write in access.writes)
