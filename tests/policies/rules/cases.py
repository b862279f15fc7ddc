"""The points of every rule that is tested on five."""

from tests.policies.rules import advice, behaviour, ledger, policies, roles

CASES = [*policies.CASES, *roles.CASES, *ledger.CASES, *behaviour.CASES, *advice.CASES]
