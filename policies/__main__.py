"""The policy pack. All it does is to serve the rules: see docs/policies.md."""

from pulumi_policy import EnforcementLevel, PolicyPack
from selfheal_policies.misspelt import refuse_misspelt
from selfheal_policies.pack import policies

served = policies()
refuse_misspelt([policy.name for policy in served])
PolicyPack(name="selfheal", enforcement_level=EnforcementLevel.MANDATORY, policies=served)
