"""Prints what parliament finds in policy documents, as JSON: for its own environment, which has no more.

python parliament_findings.py < {"name": "document as JSON text", ...}
"""

import json
import sys
from typing import Any

from parliament import analyze_policy_string  # pyright: ignore[reportMissingImports]


def subjects(finding: Any) -> list[str]:
    """Return the actions that a finding is on, or its text."""
    if isinstance(finding.detail, list):
        return [
            each.get("action", str(each)) if isinstance(each, dict) else str(each) for each in finding.detail
        ]
    return [str(finding.detail)]


found = [
    [finding.issue, subject, name]
    for name, text in json.load(sys.stdin).items()
    for finding in analyze_policy_string(text).findings
    for subject in subjects(finding)
]
json.dump(found, sys.stdout)
