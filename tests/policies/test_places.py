"""What a name means depends on where it is written, and on where what has it is."""

import pytest
from selfheal_policies import arns
from selfheal_policies.arns import parse_arn
from selfheal_policies.places import NOWHERE, Place, of_provider

from tests.policies.mutations.identity import EUROPE, OTHERS, PROVIDER
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.scene import Scene, physical

ROLE = f'"roleArn": "arn:aws:iam::{OTHERS}:role/x"'
ORDERS = physical("orders")
HERE = arn("lambda.Function", ORDERS)


@pytest.mark.parametrize(
    ("inputs", "place"),
    [
        ({"region": EUROPE, "version": "7.51.1"}, Place(EUROPE)),
        ({"region": EUROPE, "assumeRoles": f"[{{{ROLE}}}]"}, Place(EUROPE, OTHERS)),
        ({"assumeRoles": [{"roleArn": f"arn:aws:iam::{OTHERS}:role/x"}]}, Place("", OTHERS)),
        ({"assumeRoleWithWebIdentity": f"{{{ROLE}}}"}, Place("", OTHERS)),
        ({"allowedAccountIds": f'["{OTHERS}"]'}, Place("", OTHERS)),
        ({"allowedAccountIds": f'["{OTHERS}", "{ACCOUNT}"]'}, NOWHERE),
        ({"profile": "europe"}, NOWHERE),
        ({"assumeRoles": "not JSON", "allowedAccountIds": [None], "region": None}, NOWHERE),
    ],
    ids=str,
)
def test_a_provider_says_where_it_works(inputs: dict[str, object], place: Place) -> None:
    assert of_provider(inputs) == place


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/work", "eu-west-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/work", "us-gov-west-1"),
        ("https://us-east-2.queue.amazonaws.com/123456789012/work", "us-east-2"),
        ("https://queue.amazonaws.com/123456789012/work", ""),
        ("http://127.0.0.1:4566/000000000000/work", ""),
    ],
)
def test_the_url_of_a_queue_says_its_region(url: str, region: str) -> None:
    found = parse_arn(url)
    assert found
    assert found.region == region


def meant(scene: Scene, value: str, at: str = "") -> str:
    """Return the logical name of the function that a text names, or what else it stands for."""
    index = scene.graph().index
    owner = next((each for each in index.by_urn.values() if each.name == at), None)
    return index.literal(value, arns.FUNCTION, owner).name


def twins() -> Scene:
    """Return a stack with two functions of one name, each in a region of its own."""
    scene = Scene()
    for name, region in (("home", REGION), ("away", EUROPE)):
        made = scene.add(PROVIDER, f"by-{name}", region=region)
        scene.add("lambda.Function", name, name=ORDERS).by(made)
        scene.add("cloudwatch.MetricAlarm", f"{name}-errors").by(made)
    return scene


def test_of_two_functions_of_one_name_the_one_in_the_region_is_meant() -> None:
    scene = twins()
    assert meant(scene, HERE) == "home"
    assert meant(scene, HERE.replace(REGION, EUROPE)) == "away"
    assert meant(scene, ORDERS, at="home-errors") == "home"
    assert meant(scene, ORDERS, at="away-errors") == "away"
    assert meant(scene, f"{ACCOUNT}:function:{ORDERS}", at="away-errors") == "away"
    assert meant(scene, HERE.replace(REGION, "eu-north-1")) == f"{ORDERS}@eu-north-1"
    assert meant(scene, HERE.replace(REGION, "eu-*")) == "away"


def test_what_is_not_known_may_be_meant() -> None:
    scene = Scene()
    scene.add("lambda.Function", "orders")
    assert meant(scene, HERE) == meant(scene, HERE.replace(ACCOUNT, OTHERS)) == "orders"
    scene.find("orders").by(scene.add(PROVIDER, "profile", profile="europe"))
    assert meant(scene, HERE) == meant(scene, HERE.replace(REGION, EUROPE)) == "orders"


def test_the_account_is_that_of_the_role_that_is_assumed() -> None:
    scene = Scene()
    scene.add("lambda.Function", "orders").by(scene.add(PROVIDER, "others", assumeRoles=f"[{{{ROLE}}}]"))
    assert meant(scene, HERE) == f"{ORDERS}@{ACCOUNT}"
    assert meant(scene, HERE.replace(ACCOUNT, OTHERS)) == "orders"


def test_an_account_that_nobody_says_is_the_one_that_the_stacks_own_arns_have() -> None:
    scene = Scene()
    scene.add("lambda.Function", "orders", environment={"variables": {"SELF": HERE}})
    scene.add("sqs.Queue", "work", policy=f'{{"Resource": ["{HERE}", "{HERE}:live"]}}')
    assert meant(scene, HERE) == "orders"
    assert meant(scene, HERE.replace(ACCOUNT, OTHERS)) == f"{ORDERS}@{OTHERS}"
    # Of two that are named alike often, either may be its own.
    theirs = HERE.replace(ACCOUNT, OTHERS)
    scene.add("sqs.Queue", "more", policy=f'{{"Resource": ["{theirs}", "{theirs}:live", "{theirs}:x"]}}')
    assert meant(scene, HERE) == meant(scene, theirs) == "orders"


def test_what_is_known_at_up_wins() -> None:
    scene = Scene(up=True)
    scene.add("lambda.Function", "orders")
    assert meant(scene, HERE) == "orders"
    assert meant(scene, HERE.replace(REGION, EUROPE)) == f"{ORDERS}@{EUROPE}"
