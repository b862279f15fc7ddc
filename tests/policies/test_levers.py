"""What is written is a record, unless what the alarms watch goes by it, or the configuration says so."""

from typing import Any

import pytest

from tests.policies.mutations.grants import READS, attach, moves, notifier, table
from tests.policies.support.changes import Change, add, allow, grant, nothing, put, several, text, variables
from tests.policies.support.healers import function
from tests.policies.support.recording import arn
from tests.policies.support.references import Ref, Spelling
from tests.policies.support.scene import MANDATORY, Scene
from tests.policies.test_wiring import MODES, healer

FLAGS = text("flags")
PUTS = moves(["dynamodb:PutItem", "dynamodb:DeleteItem"], FLAGS)
SAID: dict[str, Any] = {"selfheal-recognition": {"levers": ["flags"]}}


def page(scene: Scene) -> None:
    """Let a function that no alarm watches read the table."""
    function(scene, "page", READS)


def other_tables(scene: Scene) -> None:
    """Let the service read all tables, and name another than the one that is written."""
    scene.add("dynamodb.Table", "stock")
    several(
        table({"Action": ["dynamodb:*"], "Resource": "*"}), variables("orders", STOCK=Ref("stock", "name"))
    )(scene)


RECORDS: list[Change] = [
    several(table(), PUTS),
    several(table(), PUTS, page),
    several(other_tables, PUTS),
    several(table({"Action": "dynamodb:DescribeTable", "Resource": FLAGS}), PUTS),
    several(table({"Action": "s3:GetObject", "Resource": "*"}), PUTS),
    several(table(), moves("s3:PutObject", "arn:aws:s3:::reports/*")),
    several(table(), moves("dynamodb:PutItem", arn("dynamodb.Table", "incidents-*"))),
    several(table(), moves("ssm:CreateOpsItem", "*")),
]


def scene_after(change: Change, *, spelling: Spelling = Spelling.RESOURCE, up: bool = False) -> Scene:
    scene = healer(Scene(spelling=spelling, up=up))
    change(scene)
    return scene


@MODES
@pytest.mark.parametrize("change", RECORDS)
def test_a_record_makes_no_healer(change: Change, spelling: Spelling, up: bool) -> None:
    scene = scene_after(change, spelling=spelling, up=up)
    graph = scene.graph()
    assert [each.name for each in graph.notifiers] == ["medic"]
    assert graph.levers_of(graph.notifiers[0]) == frozenset()
    assert scene.findings(MANDATORY) == {}


@MODES
def test_a_lever_makes_one_and_it_is_said_who_goes_by_it(spelling: Spelling, up: bool) -> None:
    scene = scene_after(several(table(READS), PUTS), spelling=spelling, up=up)
    graph = scene.graph()
    [medic] = graph.healers
    assert [graph.index.by_urn[key].name for key in graph.levers_of(medic)] == ["flags"]
    written = arn("dynamodb.Table", scene.find("flags").physical)
    reads = "which orders reads, watched by an alarm that wakes it"
    assert graph.deed(medic) == f"may dynamodb:PutItem on {written}, {reads}"


@MODES
def test_a_workflow_that_moves_a_lever_is_a_healer(spelling: Spelling, up: bool) -> None:
    scene = healer(Scene(spelling=spelling, up=up), "state machine")
    puts = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": text("flags")}
    several(table(READS), notifier(nothing))(scene)
    assert scene.graph().healers == []
    scene.find("steps-rights").document(lambda held: held.append(puts))
    assert [each.name for each in scene.graph().healers] == ["steps"]
    [message] = scene.findings(["dynamodb-healer-writes"])["dynamodb-healer-writes"]
    assert "state machine steps may dynamodb:PutItem on" in message
    allowed = {"dynamodb-healer-writes": {"allowedTables": ["flags"]}}
    assert scene.findings(["dynamodb-healer-writes"], allowed) == {}


def test_the_configuration_names_levers_by_either_name() -> None:
    scene = scene_after(several(table(), PUTS))
    for name in ("flags", scene.find("flags").physical):
        graph = scene.graph({"selfheal-recognition": {"levers": [name]}})
        assert [each.name for each in graph.healers] == ["medic"], name
    assert "the configuration calls a lever" in scene.graph(SAID).deed(scene.graph(SAID).healers[0])
    assert scene.graph({"selfheal-recognition": {"levers": ["other"]}}).healers == []


@pytest.mark.parametrize(
    ("change", "deed"),
    [
        (allow("ecs:StopTask", "*"), "may ecs:StopTask on *"),
        (attach("arn:aws:iam::aws:policy/AmazonEC2FullAccess"), "AmazonEC2FullAccess"),
        (grant({"NotAction": "iam:*", "Resource": "*"}), "may * on *"),
        (several(allow("dynamodb:PutItem", "*"), allow("ecs:*", "*")), "may ecs:* on *"),
        (put("medic-rights", policy="{"), "policy medic-rights is no JSON"),
        (add("sns.Topic", "nothing"), ""),
    ],
)
def test_it_is_said_by_which_action_it_counts(change: Change, deed: str) -> None:
    graph = scene_after(notifier(change)).graph()
    assert deed in graph.deed(graph.reached[0])
    assert bool(graph.deed(graph.reached[0])) == bool(deed)
