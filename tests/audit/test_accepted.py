"""The table decides: a finding that is not in it fails the audit, and so does a row that is not needed."""

import json
from typing import Any

import pytest

from tests.audit.accepted import Row, judge, rows, table
from tests.components.support.key import EVERYTHING, program

ROW = Row(("s3_*",), ("orders-faults-*", "*-files"), "because")


def test_what_the_table_names_is_accepted_and_nothing_else() -> None:
    assert judge([("s3_bucket_object_lock", "orders-faults-1")], [ROW]) == []
    [other] = judge([("s3_bucket_object_lock", "ledger"), ("s3_x", "a-files")], [ROW])
    assert other == "s3_bucket_object_lock on ledger: mend it, or say in security-findings.md why it stays"
    [foreign] = judge([("sns_topic", "a-files"), ("s3_x", "a-files")], [ROW])
    assert foreign.startswith("sns_topic on a-files:")


def test_a_row_that_nothing_needs_any_more_is_told() -> None:
    assert judge([], [ROW]) == ["s3_* on orders-faults-*, *-files: nothing is found, remove the row"]


@pytest.mark.parametrize("tool", ["Prowler", "parliament"])
def test_each_row_has_a_reason(tool: str) -> None:
    found = rows(tool)
    assert found
    assert all(len(row.reason) > 20 and all(row.checks) and all(row.on) for row in found)


@pytest.mark.slow
def test_a_trust_policy_has_a_condition_where_the_table_names_a_page_and_nowhere_else() -> None:
    told = {service.strip("`"): answer for service, answer, _ in table("Trust policies")}
    found: dict[str, str] = {}
    for role in program(**EVERYTHING).of("aws:iam/role:Role"):
        [trust] = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        service, condition = trust["Principal"]["Service"], trust.get("Condition")
        account: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
        assert condition in (None, account)
        assert found.setdefault(service, "yes" if condition else "no") == ("yes" if condition else "no")
    assert found == told
