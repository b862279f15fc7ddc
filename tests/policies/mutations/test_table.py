"""The mutation table: what the unmodified program registers, written unsafely, judged by the real pack.

One recording a stack, one process of the pack for the whole table.
"""

from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import ROOT
from tests.policies.mutations import behaviour, handwritten, items, scope, wiring
from tests.support.policy_client import Level, Pack, Violation
from tests.support.policy_healers import ROUTES, alarm, function, healer, subscribe, topic
from tests.support.policy_mutations import Mutation
from tests.support.policy_recording import Recorder, record
from tests.support.policy_scene import Scene, Spelling

pytestmark = pytest.mark.slow

TABLE = [*wiring.TABLE, *scope.TABLE, *items.TABLE, *behaviour.TABLE, *handwritten.TABLE]
STACKS = ("dev", "staging", "prod")
PREVIEWS = [(each, spelling) for each in TABLE for spelling in each.spellings]
WAIVERS = "selfheal-waivers"
UPS = [each for each in TABLE if each.up]


@pytest.fixture(scope="module")
def pack() -> Generator[Pack]:
    with Pack(ROOT / "policies") as running:
        yield running


@pytest.fixture(scope="module")
def recordings() -> dict[tuple[str, bool], Recorder]:
    return {(stack, up): record(stack, up=up) for stack in STACKS for up in (False, True)}


Recordings = dict[tuple[str, bool], Recorder]


def mandatory(found: list[Violation]) -> dict[str, list[str]]:
    """Return what must not be, by policy; the messages are there for whoever reads a failed test."""
    told: dict[str, list[str]] = {}
    for item in found:
        if item.level is Level.MANDATORY:
            told.setdefault(item.policy, []).append(f"{item.urn.rpartition('::')[2]}: {item.message}")
    return told


def judged(pack: Pack, recordings: Recordings, mutation: Mutation, spelling: Spelling, *, up: bool) -> None:
    scene = Scene(recordings[mutation.stack, up], spelling, up)
    mutation.change(scene)
    told = mandatory(scene.judge(pack))
    assert set(told) == {mutation.rule}, told


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
@pytest.mark.parametrize("stack", STACKS)
def test_the_program_itself_raises_nothing_not_even_advice(
    pack: Pack, recordings: Recordings, stack: str, up: bool
) -> None:
    assert Scene(recordings[stack, up], up=up).judge(pack) == []


@pytest.mark.parametrize(
    ("mutation", "spelling"), PREVIEWS, ids=[f"{each.name}-{spelling}" for each, spelling in PREVIEWS]
)
def test_refused_at_preview(
    pack: Pack, recordings: Recordings, mutation: Mutation, spelling: Spelling
) -> None:
    judged(pack, recordings, mutation, spelling, up=False)


@pytest.mark.parametrize("mutation", UPS, ids=[each.name for each in UPS])
def test_refused_at_up(pack: Pack, recordings: Recordings, mutation: Mutation) -> None:
    judged(pack, recordings, mutation, mutation.spellings[0], up=True)


@pytest.mark.parametrize("spelling", Spelling)
@pytest.mark.parametrize("route", ROUTES)
def test_a_careful_healer_of_another_team_is_allowed(
    pack: Pack, recordings: Recordings, route: str, spelling: Spelling
) -> None:
    scene = Scene(recordings["dev", False], spelling)
    healer(scene, route)
    assert mandatory(scene.judge(pack)) == {}


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
def test_a_healer_may_pause_the_mappings_of_its_target(pack: Pack, recordings: Recordings, up: bool) -> None:
    scene = Scene(recordings["dev", up], up=up)
    items.pause(scene, {"ArnEquals": {"lambda:FunctionArn": scope.fragile(scene)}})
    assert scene.judge(pack) == []


def test_a_probe_is_allowed_by_configuration(pack: Pack, recordings: Recordings) -> None:
    scene = Scene(recordings["dev", False])
    scope.invoking_the_function(scene)
    try:
        pack.configure({"iam-policy-action-allowed": {"moreActions": ["lambda:InvokeFunction"]}})
        assert mandatory(scene.judge(pack)) == {}
    finally:
        pack.configure({})


@pytest.mark.parametrize("spelling", Spelling)
def test_who_only_tells_is_left_in_peace(pack: Pack, recordings: Recordings, spelling: Spelling) -> None:
    """A notifier is reached by an alarm and changes nothing: it may be run as carelessly as one likes."""
    scene = Scene(recordings["dev", False], spelling)
    text = {
        "Action": ["logs:PutLogEvents"],
        "Resource": ["arn:aws:logs:us-east-1:000000000000:log-group:x:*"],
    }
    teller = function(scene, "teller", text)
    teller.put("timeout", to=900).put("reservedConcurrentExecutions", to=-1)
    scene.remove(scene.find("lambda.FunctionEventInvokeConfig", "teller-async"))
    scene.find("iam.Role", "teller-identity").drop("permissionsBoundary")
    source = topic(scene, "news")
    scene.remove(scene.find("sns.TopicPolicy", "news-closed"))
    subscribe(scene, "teller-hears", source, teller).put("filterPolicy", to='{"a": ["b"]}')
    alarm(scene, scene.find("lambda.Function", "fragile"), scene.ref(source)).drop("okActions")
    assert mandatory(scene.judge(pack)) == {}


@pytest.mark.parametrize("spelling", Spelling)
def test_a_right_that_is_attached_exclusively_makes_a_healer_by_itself(
    pack: Pack, recordings: Recordings, spelling: Spelling
) -> None:
    scene = Scene(recordings["dev", False], spelling)
    scene.remove(scene.find("iam.RolePolicy", "healer-policy"))
    assert mandatory(scene.judge(pack)) == {}  # without any right it is a notifier
    scope.a_managed_policy_attached_exclusively(scene)
    assert "iam-role-managed-policies" in mandatory(scene.judge(pack))


def test_a_function_that_no_alarm_reaches_is_no_healer(pack: Pack, recordings: Recordings) -> None:
    scene = Scene(recordings["dev", False])
    function(scene, "writer", {"Action": ["dynamodb:*"], "Resource": ["*"]}).put("timeout", to=900)
    assert mandatory(scene.judge(pack)) == {}


def test_the_table_covers_every_mandatory_rule_and_is_long_enough(pack: Pack) -> None:
    counted = Counter(each.rule for each in TABLE)
    # The policy on waivers judges the pack's configuration, and is tested below.
    wanted = {name for name, policy in pack.policies.items() if policy.level == "mandatory"} - {WAIVERS}
    assert wanted - counted.keys() == set()
    assert counted.keys() - wanted == set()
    assert len(TABLE) >= 60
    assert len(UPS) >= 10
    assert len({each.name for each in TABLE}) == len(TABLE)


def waiver(**changes: str) -> dict[str, object]:
    held = {
        "policy": "lambda-healer-timeout",
        "resource": "healer",
        "reason": "Measured: the region's API is slow.",
        "expires": "2999-12-31",
    }
    return {WAIVERS: {"waivers": [held | changes]}}


def test_a_waiver_is_used_and_reported(pack: Pack, recordings: Recordings) -> None:
    slow = Scene(recordings["dev", False])
    slow.find("lambda.Function", "healer").put("timeout", to=600)
    try:
        pack.configure(waiver())
        found = slow.judge(pack)
        assert mandatory(found) == {}
        assert [item for item in found if "Measured: the region's API is slow" in item.message]
        for changes in ({"reason": ""}, {"expires": "2020-01-01"}):
            pack.configure(waiver(**changes))
            assert set(mandatory(slow.judge(pack))) == {WAIVERS, "lambda-healer-timeout"}
    finally:
        pack.configure({})


def test_resources_judged_at_the_same_time_are_judged_alike(pack: Pack, recordings: Recordings) -> None:
    """The engine asks from many threads: what one call shares must not leak into another."""
    scene = Scene(recordings["dev", False])
    scene.find("lambda.Function", "fragile").put("environment", "variables", "FAILURE_RATE", to="1.5")
    one_by_one = [pack.analyze(item.inputs) for item in scene.items.values()]
    with ThreadPoolExecutor(16) as pool:
        for _ in range(5):
            assert list(pool.map(pack.analyze, [item.inputs for item in scene.items.values()])) == one_by_one
