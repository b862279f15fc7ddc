"""The policy pack. All it does is to serve the rules: see docs/policies.md."""

from pulumi_policy import EnforcementLevel, PolicyPack
from selfheal_policies import rules
from selfheal_policies.engine_call import share_conversion
from selfheal_policies.given import note_inputs
from selfheal_policies.misspelt import refuse_misspelt
from selfheal_policies.pack import policies
from selfheal_policies.resilience import demanded_by_stack
from selfheal_policies.stacks import declared_by_stack

share_conversion()
note_inputs()
found = rules.load()
served = policies(found)
on_resilience = {rule.name for rule in found if rule.resilience}
refuse_misspelt([policy.name for policy in served])
declared_by_stack()
demanded_by_stack([policy for policy in served if policy.name in on_resilience])
PolicyPack(name="selfheal", enforcement_level=EnforcementLevel.MANDATORY, policies=served)
