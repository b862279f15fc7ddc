"""The policy pack. All it does is to serve the rules: see docs/policies.md."""

from pulumi_policy import EnforcementLevel, PolicyPack
from selfheal_policies.pack import policies

PolicyPack(name="selfheal", enforcement_level=EnforcementLevel.MANDATORY, policies=policies())
