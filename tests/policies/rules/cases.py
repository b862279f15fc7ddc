"""The points of every rule that is tested on five."""

from tests.policies.rules import (
    actuators,
    advice,
    alarms,
    alone,
    behaviour,
    breakers,
    consumers,
    dead_letters,
    doors,
    entrances,
    experiments,
    guards,
    ledger,
    policies,
    roles,
    workflows,
)

CASES = [
    *(*policies.CASES, *roles.CASES, *ledger.CASES, *behaviour.CASES, *advice.CASES),
    *(*dead_letters.CASES, *consumers.CASES, *breakers.CASES, *workflows.CASES, *doors.CASES),
    *(*experiments.CASES, *actuators.CASES, *alarms.CASES, *alone.CASES, *entrances.CASES),
    *guards.CASES,
]
