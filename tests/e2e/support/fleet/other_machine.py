"""The healer on a machine that is not as it should be: its clock is off, or its act takes long.

Zipped beside the healer's own code, which it leaves as it is.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

SKEW = timedelta(seconds=int(os.environ["SKEW_SECONDS"]))
PAUSE_SECONDS = int(os.environ["PAUSE_SECONDS"])
"""What passes between the recorded intent and the act."""

_time = time.time


class Skewed(datetime):
    """What this machine takes for the time."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # pyright: ignore[reportIncompatibleMethodOverride]
        return datetime.now(tz) + SKEW


time.time = lambda: _time() + SKEW.total_seconds()

from selfheal.functions.healer import handler  # noqa: E402 - by the clock of this machine

for name, module in list(sys.modules.items()):
    if name.startswith("selfheal.functions.") and hasattr(module, "datetime"):
        setattr(module, "datetime", Skewed)  # noqa: B010 - a module is not declared to have it


def slowly(change: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call that waits before it does what it does."""

    def wait_and_change(**arguments: Any) -> Any:
        time.sleep(PAUSE_SECONDS)
        return change(**arguments)

    return wait_and_change


handler.AWS.lambda_.update_function_configuration = slowly(handler.AWS.lambda_.update_function_configuration)
handler.AWS.dynamodb.put_item = slowly(handler.AWS.dynamodb.put_item)  # how an override is written
handle = handler.handle
