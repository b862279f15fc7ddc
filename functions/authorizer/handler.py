"""The Lambda handler of the authorizer."""

import os
from typing import Any

from selfheal.functions.authorizer.core import answer, parse_callers
from selfheal.functions.shared.configuration_cache import connect

SECRET = os.environ["CALLERS_SECRET"]

# In the init phase. Without the callers nobody is let in: the function does not start, which is 500.
CONFIGURATION = connect(secrets=[SECRET])


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway, as a TOKEN authorizer."""
    callers = parse_callers(CONFIGURATION.secret(SECRET))
    return answer(str(event["authorizationToken"]), str(event["methodArn"]), callers)
