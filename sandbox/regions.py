"""AWS's regions, by botocore's short list: its list of them by service takes 100 times longer to read."""

from functools import cache

from selfheal.sandbox.clients import own_loader


@cache
def partitions() -> dict[str, str]:
    """Return every region of AWS and its partition, for example `us-east-1` and `aws`."""
    # A loader of its own: a session, which has one, makes much else.
    found = own_loader().load_data("partitions")["partitions"]
    return {
        region: partition["id"]
        for partition in found
        for region in sorted(partition["regions"])
        if not region.endswith("-global")
    }
