"""What shares an account: two stacks, and names that are taken."""

from tests.engine.live import tables
from tests.support.stacks import FAILED, Account


def test_two_stacks_share_an_account_and_a_ledger_is_lost_by_none_of_it(cloud: Account) -> None:
    """A ledger's name is fixed: to replace it, AWS would need the old one to go before the new one comes."""
    one, two = cloud.stack("one", protectLedger=True), cloud.stack("two")
    one.up()
    two.up()
    ledgers = ["selfheal-one-ledger", "selfheal-two-ledger"]
    refused = (one, "currently marked for protection"), (two, "Table already exists: selfheal-two-ledger")
    for stack, words in refused:
        told = stack.up("--refresh=false", "--replace", stack.urn("Table", "healer-ledger"), code=FAILED)
        assert words in told, told
        assert sorted(tables(stack)) == ledgers
    two.run("destroy", "--skip-preview", "--refresh=false")
    assert tables(one) == ["selfheal-one-ledger"]
    one.up("--expect-no-changes")


TAKEN = """
aws.dynamodb.Table("t", name="taken", billing_mode="PAY_PER_REQUEST", hash_key="k",
    attributes=[{"name": "k", "type": "S"}])
aws.sqs.Queue("q", name="taken", delay_seconds=7)
aws.cloudwatch.LogGroup("g", name="taken")
aws.iam.Role("r", name="taken", assume_role_policy=TRUST)
"""


def test_a_name_that_is_taken_is_refused_and_stays_who_it_was(cloud: Account) -> None:
    """Nothing is adopted: a second stack would take over the first one's ledger, and delete it."""
    first = cloud.small("first", TAKEN.replace("=7", "=0"), stack="first")
    second = cloud.small("second", TAKEN, stack="second")
    first.up()
    told = second.up("--continue-on-error", code=FAILED)
    for refusal in (
        "ResourceInUseException: Table already exists: taken",
        "QueueAlreadyExists",
        "ResourceAlreadyExistsException",
        "EntityAlreadyExists: Role with name taken already exists",
    ):
        assert refusal in told, told
    second.run("destroy", "--skip-preview")
    first.preview("--refresh", "--expect-no-changes")
