"""The mutation tables, judged by the real pack: one recording a stack, one process of the pack for all.

What the unmodified program registers, written unsafely, and careful healers of other teams, made unsafe.
"""

from collections import Counter
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.policies.mutations import chaos, resilience, rights
from tests.policies.mutations.table import Foreign, Mutation, Program, collected
from tests.policies.support.changes import drop, put, remove, several, variables
from tests.policies.support.client import Level, Pack, Violation
from tests.policies.support.healers import ROUTES, alarm, function, healer, subscribe, topic
from tests.policies.support.recording import Recorder, record
from tests.policies.support.references import Spelling
from tests.policies.support.scene import MANDATORY, RULES, Scene

pytestmark = pytest.mark.slow

OURS = [row for row in collected(Mutation) if row not in (*chaos.TABLE, *resilience.TABLE)]
TABLE = {each.name: each for each in OURS}
STACKS = ("dev", "staging", "prod")
PREVIEWS = [(each, spelling) for each in TABLE.values() for spelling in each.spellings]
UPS = [each for each in TABLE.values() if "up" in each.flags]
FOREIGN = collected(Foreign, Program)
WITHOUT_A_PATH = {"lambda-healer-woken", "selfheal-reference-resolved", "lambda-function-failure-rate"}
"""What they refuse is reached by no alarm, or by a way that is not known, or is no healer."""
WAIVERS = "selfheal-waivers"

OTHER_ROUTES = {"lambda-mapping-complete", "sqs-queue-policy-closed", "events-bus-policy-closed"}
"""Rules on healers that a queue or a rule on alarms wakes: the program's own is none."""

Recordings = dict[tuple[str, bool], Recorder]


@pytest.fixture(scope="module")
def pack() -> Generator[Pack]:
    with Pack(ROOT / "policies") as running:
        yield running


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    return {(stack, up): record(stack, up=up) for stack in STACKS for up in (False, True)}


@contextmanager
def configured(pack: Pack, config: Mapping[str, Any]) -> Generator[None]:
    pack.configure(config)
    try:
        yield
    finally:
        pack.configure({})


def mandatory(found: list[Violation]) -> dict[str, list[str]]:
    """Return what must not be, by policy; the messages are there for whoever reads a failed test."""
    told: dict[str, list[str]] = {}
    for item in found:
        if item.level is Level.MANDATORY:
            told.setdefault(item.policy, []).append(f"{item.urn.rpartition('::')[2]}: {item.message}")
    return told


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
@pytest.mark.parametrize("stack", STACKS)
def test_the_program_itself_raises_nothing_not_even_advice(
    pack: Pack, recordings: Recordings, stack: str, up: bool
) -> None:
    scene = Scene(recordings[stack, up], up=up)
    assert scene.judge(pack) == []
    assert [each.name for each in scene.graph().healers] == ["healer"]


@pytest.mark.parametrize(
    ("mutation", "spelling"), PREVIEWS, ids=[f"{each.name}-{spelling}" for each, spelling in PREVIEWS]
)
def test_refused_at_preview(
    pack: Pack, recordings: Recordings, mutation: Mutation, spelling: Spelling
) -> None:
    told = mandatory(mutation.scene(recordings[mutation.stack, False], spelling, up=False).judge(pack))
    assert set(told) == {mutation.rule}, told


@pytest.mark.parametrize("mutation", UPS, ids=[each.name for each in UPS])
def test_refused_at_up(pack: Pack, recordings: Recordings, mutation: Mutation) -> None:
    told = mandatory(mutation.scene(recordings[mutation.stack, True], Spelling.RESOURCE, up=True).judge(pack))
    assert set(told) == {mutation.rule}, told


@pytest.mark.parametrize("mutation", FOREIGN, ids=[each.name for each in FOREIGN])
def test_an_unsafe_healer_of_another_team_is_refused(pack: Pack, mutation: Foreign | Program) -> None:
    told = mandatory(mutation.scene().judge(pack))
    assert set(told) == {mutation.rule} | mutation.besides, told
    assert mutation.rule in WITHOUT_A_PATH or any(" -> " in each for each in told[mutation.rule]), told


@pytest.mark.parametrize("mutation", FOREIGN, ids=[each.name for each in FOREIGN])
def test_it_is_refused_as_well_where_references_are_literal(mutation: Foreign | Program) -> None:
    """In this process: how references are spelt is nothing that the protocol changes."""
    found = mutation.scene(Spelling.LITERAL).findings(MANDATORY)
    assert set(found) == {mutation.rule} | mutation.besides, found


@pytest.mark.parametrize("rule", sorted({each.rule for each in FOREIGN}))
def test_a_rule_is_only_advice_where_configuration_says_so(pack: Pack, rule: str) -> None:
    unsafe = next(each for each in FOREIGN if each.rule == rule)
    with configured(pack, {rule: {"enforcementLevel": "advisory"}}):
        told = unsafe.scene().judge(pack)
    assert {each.level for each in told if each.policy == rule} == {Level.ADVISORY}


@pytest.mark.parametrize("spelling", Spelling)
@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_careful_healer_of_another_team_raises_nothing_alone_or_beside_ours(
    pack: Pack, recordings: Recordings, route: str, up: bool, spelling: Spelling
) -> None:
    assert healer(Scene(spelling=spelling, up=up), route).judge(pack) == []
    assert healer(Scene(recordings["dev", up], spelling, up=up), route).judge(pack) == []


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
def test_a_healer_may_pause_the_mappings_of_its_target(pack: Pack, recordings: Recordings, up: bool) -> None:
    scene = Scene(recordings["dev", up], up=up)
    rights.pause_of(rights.FRAGILE)(scene)
    assert scene.judge(pack) == []


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
def test_a_healer_may_grant_the_key_of_its_targets_environment(
    pack: Pack, recordings: Recordings, up: bool
) -> None:
    scene = Scene(recordings["dev", up], up=up)
    rights.key_of(rights.FRAGILE)(scene)
    assert scene.judge(pack) == []


def test_a_probe_is_allowed_by_configuration(pack: Pack, recordings: Recordings) -> None:
    mutation = TABLE["invoking the function"]
    scene = mutation.scene(recordings["dev", False], Spelling.RESOURCE, up=False)
    with configured(pack, {mutation.rule: {"moreActions": ["lambda:InvokeFunction"]}}):
        assert mandatory(scene.judge(pack)) == {}


@pytest.mark.parametrize("spelling", Spelling)
def test_who_only_tells_is_not_judged(pack: Pack, recordings: Recordings, spelling: Spelling) -> None:
    """A notifier is reached by an alarm and changes nothing: it may be run as carelessly as one likes."""
    scene = Scene(recordings["dev", False], spelling)
    function(scene, "teller")
    topic(scene, "news")
    subscribe(scene, "news", "teller")
    alarm(scene, "fragile-news", "fragile", "news")
    several(
        put("teller", timeout=900, reservedConcurrentExecutions=-1),
        remove("teller-events", "news-policy"),
        drop("teller-role", "permissionsBoundary"),
        put("wake-teller", filterPolicy='{"a": ["b"]}'),
        drop("fragile-news", "okActions"),
    )(scene)
    assert mandatory(scene.judge(pack)) == {}


@pytest.mark.parametrize("spelling", Spelling)
def test_a_right_that_is_attached_exclusively_makes_a_healer_by_itself(
    pack: Pack, recordings: Recordings, spelling: Spelling
) -> None:
    scene = Scene(recordings["dev", False], spelling)
    scene.remove("healer-policy")
    assert mandatory(scene.judge(pack)) == {}  # without any right it is a notifier
    TABLE["a managed policy attached exclusively"].change(scene)
    assert "iam-role-managed-policies" in mandatory(scene.judge(pack))


def test_a_function_that_no_alarm_reaches_is_no_healer(pack: Pack, recordings: Recordings) -> None:
    scene = Scene(recordings["dev", False])
    function(scene, "writer", {"Action": ["s3:*"], "Resource": ["*"]}).put("timeout", to=900)
    assert mandatory(scene.judge(pack)) == {}


def test_the_tables_cover_every_mandatory_rule_and_are_long_enough(pack: Pack) -> None:
    rules = [each.rule for each in (*TABLE.values(), *FOREIGN, *chaos.TABLE)]
    names = [each.name for each in (*OURS, *FOREIGN, *chaos.TABLE)]
    # These judge the pack's configuration: see below, and test_recognition.py.
    configuration = {WAIVERS, "selfheal-recognition"}
    wanted = {name for name, policy in pack.policies.items() if policy.level == "mandatory"} - configuration
    of_experiments = {each.rule for each in chaos.TABLE}  # by test_chaos.py: no such stack was recorded
    assert {each.rule for each in TABLE.values()} == wanted - OTHER_ROUTES - of_experiments
    assert set(rules) == wanted
    assert len(rules) >= 220
    assert len(UPS) >= 10
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert wanted == {name for name, rule in RULES.items() if rule.level == "mandatory"}


def test_a_waiver_is_used_and_reported(pack: Pack, recordings: Recordings) -> None:
    slow = Scene(recordings["dev", False])
    slow.find("healer").put("timeout", to=600)
    held = {
        "policy": "lambda-healer-timeout",
        "resource": "healer",
        "reason": "Measured: the region's API is slow.",
        "expires": (datetime.now(UTC).date() + timedelta(days=300)).isoformat(),
    }
    with configured(pack, {WAIVERS: {"waivers": [held]}}):
        found = slow.judge(pack)
        assert mandatory(found) == {}
        assert [item for item in found if "Measured: the region's API is slow" in item.message]
    for changes in (
        {"reason": ""},
        {"reason": "fix later"},
        {"expires": "2020-01-01"},
        {"expires": "2999-12-31"},
    ):
        with configured(pack, {WAIVERS: {"waivers": [held | changes]}}):
            assert set(mandatory(slow.judge(pack))) == {WAIVERS, "lambda-healer-timeout"}


def test_resources_judged_at_the_same_time_are_judged_alike(pack: Pack, recordings: Recordings) -> None:
    """The engine asks from many threads: what one call shares must not leak into another."""
    scene = Scene(recordings["dev", False])
    variables("fragile", FAILURE_RATE="1.5")(scene)
    told = scene.told("inputs")
    one_by_one = [pack.analyze(item) for item in told]
    with ThreadPoolExecutor(16) as pool:
        for _ in range(5):
            assert list(pool.map(pack.analyze, told)) == one_by_one
