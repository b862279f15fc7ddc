"""Writes docs/policies.md out of the rules: `python -m selfheal_policies.docs > docs/policies.md`."""

import json
import sys
from collections.abc import Iterator, Sequence

from selfheal_policies import rules
from selfheal_policies.rule import Rule
from selfheal_policies.waiver_policies import SCHEMA, USED, WAIVERS

_HEAD = """# Policies

Generated from the pack by `python -m selfheal_policies.docs` in `policies/`; do not edit.

A *healer* is a function or state machine that an alarm can reach and whose role can change something. What is
reached and changes nothing is a notifier, and is left in peace. The level is the default of each policy;
configuration (`pulumi preview --policy-pack policies --policy-pack-config <file>`) decides over it."""

_WAIVERS = f"""## {WAIVERS}

**mandatory** · high · resource and stack

Every waiver names a policy, a resource, a reason and a day that is not over.

- Why: A waiver that nobody answers for, or that nobody looks at again, is a rule switched off.
- Fix: Correct or remove the waiver in the pack's configuration.

| property | type | default | what |
|---|---|---|---|
| `waivers` | array | `[]` | {SCHEMA["waivers"]["description"]} |

```json
{{
  "{WAIVERS}": {{
    "enforcementLevel": "mandatory",
    "waivers": [
      {{
        "policy": "lambda-healer-woken",
        "resource": "deployer",
        "reason": "deploys previews, OPS-123",
        "expires": "2027-03-31"
      }}
    ]
  }}
}}
```

## {USED}

**advisory** · low · resource and stack

Each use of a waiver is reported.

- Fix: None is needed. Remove the waiver as soon as the finding is mended."""


def document(found: Sequence[Rule]) -> str:
    """Return the whole page."""
    table = ["| policy | level | severity | judges | demands |", "|---|---|---|---|---|"]
    table += [
        f"| [{rule.name}](#{rule.name}) | {rule.level} | {rule.severity} | {rule.kind} | {rule.what} |"
        for rule in found
    ]
    table += [
        f"| [{WAIVERS}](#{WAIVERS}) | mandatory | high | both | Every waiver is complete and holds today. |",
        f"| [{USED}](#{USED}) | advisory | low | both | Each use of a waiver is reported. |",
    ]
    sections = ["\n".join(_section(rule)) for rule in found]
    return "\n\n".join([_HEAD, "\n".join(table), *sections, _WAIVERS]) + "\n"


def _section(rule: Rule) -> Iterator[str]:
    yield f"## {rule.name}\n"
    yield f"**{rule.level}** · {rule.severity} · {rule.kind}\n"
    yield f"{rule.what}\n"
    yield f"- Why: {rule.why}"
    yield f"- Fix: {rule.fix}"
    if rule.schema:
        yield "\n| property | type | default | what |\n|---|---|---|---|"
        for key, schema in rule.schema.items():
            default = json.dumps(schema["default"]).replace("|", "\\|")
            yield f"| `{key}` | {schema['type']} | `{default}` | {schema['description']} |"


if __name__ == "__main__":
    sys.stdout.write(document(rules.load()))
