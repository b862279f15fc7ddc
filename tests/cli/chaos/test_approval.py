"""An approval: of exactly one experiment, by somebody else, for a while, once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfheal.cli.chaos.approval import KEY, Approvals
from selfheal.cli.errors import CliError
from selfheal.functions.healer.clock import iso
from tests.cli.support import TABLE

pytestmark = pytest.mark.slow

ANN, BOB, EVE = (f"arn:aws:iam::1:user/{name}" for name in ("ann", "bob", "eve"))
DIGEST = "0123456789abcdef"


@pytest.fixture
def approvals(dynamodb: Any) -> Approvals:
    return Approvals(dynamodb, TABLE)


def give(approvals: Approvals, by: str = BOB) -> None:
    approvals.give(DIGEST, "small", by, "rehearsal", 30)


def test_an_approval_lets_another_run_once(approvals: Approvals) -> None:
    give(approvals)
    found = approvals.valid(DIGEST, ANN, alone=False)
    assert (found.by, found.digest) == (BOB, DIGEST)
    approvals.use(found, ANN)
    with pytest.raises(CliError, match="was used by arn:aws:iam::1:user/ann"):
        approvals.valid(DIGEST, ANN, alone=False)
    with pytest.raises(CliError, match="used or replaced meanwhile"):
        approvals.use(found, EVE)  # who read it before


def test_without_one_nothing_may_run(approvals: Approvals) -> None:
    with pytest.raises(CliError, match=f"nobody has approved it.*digest is {DIGEST}"):
        approvals.valid(DIGEST, ANN, alone=False)


def test_another_experiment_is_not_approved(approvals: Approvals) -> None:
    give(approvals)
    with pytest.raises(CliError, match=f"is another experiment \\({DIGEST}\\)"):
        approvals.valid("f" * 16, ANN, alone=False)


def test_nobody_approves_his_own_run_unless_there_is_nobody_else(approvals: Approvals) -> None:
    give(approvals, ANN)
    with pytest.raises(CliError, match="approved it himself"):
        approvals.valid(DIGEST, ANN, alone=False)
    assert approvals.valid(DIGEST, ANN, alone=True).by == ANN


def test_an_approval_expires_also_between_looking_and_using(approvals: Approvals, dynamodb: Any) -> None:
    give(approvals)
    found = approvals.valid(DIGEST, ANN, alone=False)
    past = iso(datetime.now(UTC) - timedelta(seconds=1))
    dynamodb.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET #until = :past",
        ExpressionAttributeNames={"#until": "until"},
        ExpressionAttributeValues={":past": {"S": past}},
    )
    with pytest.raises(CliError, match="expired at"):
        approvals.valid(DIGEST, ANN, alone=False)
    with pytest.raises(CliError, match="has expired"):
        approvals.use(found, ANN)


def test_the_last_approval_counts(approvals: Approvals) -> None:
    give(approvals)
    first = approvals.valid(DIGEST, ANN, alone=False)
    give(approvals, EVE)
    with pytest.raises(CliError, match="replaced meanwhile"):
        approvals.use(first, ANN)
    approvals.use(approvals.valid(DIGEST, ANN, alone=False), ANN)


def test_a_healers_target_called_chaos_is_not_touched() -> None:
    assert KEY["sk"] == {"S": "run"}  # the healer's approvals have `approval`
