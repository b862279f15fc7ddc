"""Writes docs/policies.md out of the rules: `python -m selfheal_policies.docs > docs/policies.md`."""

import json
import sys
from collections.abc import Iterator, Sequence

from selfheal_policies import rules
from selfheal_policies.recognition_policy import RECOGNITION
from selfheal_policies.rule import Rule
from selfheal_policies.waiver_policies import USED, WAIVERS

_HEAD = """# Policies

Generated from the pack by `python -m selfheal_policies.docs` in `policies/`; do not edit.

A *healer* is a function or state machine that an alarm can reach and whose role can change something; what it
writes in a table or bucket counts only where that is a [lever](glossary.md). What is reached and changes
nothing is a notifier, and is not judged. The level is the default of each policy;
configuration (`pulumi preview --policy-pack policies --policy-pack-config <file>`) decides over it.

The policies on *resilience* are advisory, and mandatory in a stack whose own configuration demands them
(`pulumi config set resilience required`). For them a dead-letter queue is whatever a redrive policy, an event
target, a bus, a schedule, an event source mapping, a failure destination or the failure path of a state
machine names, and a queue to which a consumer may send and from which nothing in the stack reads."""

_EXAMPLE = """
```json
{
  "selfheal-waivers": {
    "enforcementLevel": "mandatory",
    "waivers": [
      {
        "policy": "lambda-healer-woken",
        "resource": "deployer",
        "reason": "deploys previews, OPS-123",
        "expires": "2027-03-31"
      }
    ]
  }
}
```"""


def page(found: Sequence[Rule]) -> str:
    """Return docs/policies.md for these rules."""
    every = [*found, RECOGNITION, WAIVERS, USED]
    table = ["| policy | level | severity | judges | demands |", "|---|---|---|---|---|"]
    table += [
        f"| [{rule.name}](#{rule.name}) | {_level(rule)} | {rule.severity} | {rule.kind} | {rule.what} |"
        for rule in every
    ]
    return "\n\n".join([_HEAD, "\n".join(table), *("\n".join(_section(rule)) for rule in every)]) + "\n"


def _level(rule: Rule) -> str:
    return f"{rule.level} (resilience)" if rule.resilience else rule.level


def _section(rule: Rule) -> Iterator[str]:
    yield f"## {rule.name}\n"
    yield f"**{_level(rule)}** · {rule.severity} · {rule.kind}\n"
    yield f"{rule.what}\n"
    yield f"- Why: {rule.why}"
    yield f"- Fix: {rule.fix}"
    if rule.schema:
        yield "\n| property | type | default | what |\n|---|---|---|---|"
        for key, schema in rule.schema.items():
            default = json.dumps(schema["default"]).replace("|", "\\|")
            yield f"| `{key}` | {schema['type']} | `{default}` | {schema['description']} |"
    if rule is WAIVERS:
        yield _EXAMPLE


if __name__ == "__main__":
    sys.stdout.write(page(rules.load()))
