"""By which path and action something counts as a healer, and what it starts does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selfheal_policies.graph import Graph
from selfheal_policies.pack import message
from selfheal_policies.resources import Resource
from selfheal_policies.rules.lambda_healer_cycle import in_cycles

from tests.policies.innocents.ordinary import told
from tests.policies.innocents.relays import breaker, limiter
from tests.policies.innocents.shapes import function
from tests.policies.mutations import recognition
from tests.policies.support.changes import statements
from tests.policies.support.healers import healer
from tests.policies.support.recording import ACCOUNT
from tests.policies.support.references import Ref, Spelling, Unknown
from tests.policies.support.scene import RULES, Scene

PATHS = {
    "topic": "alarm errors -> topic wake -> function medic",
    "alarm action": "alarm errors -> function medic",
    "event rule": "alarm errors -> event rule changes -> function medic",
    "queue": "alarm errors -> topic wake -> queue inbox -> function medic",
    "state machine": "alarm errors -> event rule changes -> state machine steps -> function medic",
    "started machine": (
        "alarm errors -> topic wake -> function starter -> state machine steps -> function medic"
    ),
    "composite alarm": "composite alarm either -> topic wake -> function medic",
}


@pytest.mark.parametrize("route", PATHS)
def test_a_finding_says_by_which_path_and_action_it_is_about_a_healer(route: str) -> None:
    scene = healer(Scene(), route)
    scene.find("medic").put("timeout", to=600)
    graph = scene.graph()
    [medic] = graph.healers
    assert graph.path(medic) == PATHS[route]
    why = graph.why(medic)
    assert why.startswith(f"{PATHS[route]}, which may lambda:UpdateFunctionConfiguration on arn:aws:lambda:")
    rule = RULES["lambda-healer-timeout"]
    [found] = rule.check(graph, rule.defaults)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType, reportAttributeAccessIssue]
    told = message(rule, found, graph.why_about(found))
    assert f"\nHealer: {why}.\n" in told


@pytest.mark.parametrize(
    ("spelling", "account", "reached"),
    [
        (Spelling.RESOURCE, ACCOUNT, {"mend", "resolve"}),
        (Spelling.LITERAL, ACCOUNT, {"mend", "resolve"}),
        # Where no ARN of the stack is known, its account is not known, and any may be meant.
        (Spelling.LITERAL, "111122223333", set[str]()),
    ],
)
def test_what_an_api_calls_is_reached_by_whoever_may_call_the_api(
    spelling: Spelling, account: str, reached: set[str]
) -> None:
    scene = Scene(spelling=spelling)
    told(
        scene,
        "ask",
        {"Action": "execute-api:Invoke", "Resource": f"arn:aws:execute-api:*:{account}:*/*/POST/*"},
        {"Action": "appsync:GraphQL", "Resource": f"arn:aws:appsync:*:{account}:apis/*/types/*"},
    )
    for name in ("mend", "resolve"):
        function(scene, name, {"Action": "ecs:StopTask", "Resource": f"arn:aws:ecs:*:{ACCOUNT}:task/*"})
    of_api = {"integrationType": "AWS_PROXY", "integrationUri": Ref("mend")}
    scene.add("apigatewayv2.Api", "api", protocolType="HTTP")
    scene.add("apigatewayv2.Integration", "to-mend", apiId=Unknown(("api",)), **of_api)
    by_graphql = {"type": "AWS_LAMBDA", "lambdaConfig": {"functionArn": Ref("resolve")}}
    scene.add("appsync.DataSource", "to-resolve", apiId="abc", **by_graphql)
    assert {each.name for each in scene.graph().healers} == reached


@pytest.mark.parametrize(
    ("row", "path"),
    [
        (
            "a catch-all rule on the default bus",
            "alarm medic-down -> event rule changes -> function medic",
        ),
        (
            "a rule on names of another stack",
            "alarms of other stacks -> event rule changes -> function medic",
        ),
        (
            "a topic of another stack",
            "topic alarms-of-the-platform of another stack -> function medic",
        ),
        ("an alarm of another stack", "alarms of other stacks -> function medic"),
        (
            "a table that a starter writes",
            "alarm errors -> topic wake -> function starter -> table items -> function medic",
        ),
        (
            "every topic that a starter may publish to",
            "alarm errors -> topic wake -> function starter -> topic news -> function medic",
        ),
    ],
)
def test_a_path_may_begin_elsewhere_and_pass_through_others(row: str, path: str) -> None:
    [scene] = [each.scene() for each in recognition.TABLE if each.name == row]
    graph = scene.graph()
    [medic] = [each for each in graph.healers if each.name == "medic"]
    assert graph.path(medic) == path


def test_alarms_of_other_stacks_are_told_apart() -> None:
    [scene] = [each.scene() for each in recognition.TABLE if each.name == "a topic of another stack"]
    graph = scene.graph()
    [medic] = graph.healers
    assert [each.via.name for each in graph.woken_from_outside(medic)] == ["wake-medic"]
    assert graph.alarms_of(medic) == []
    inside = healer(Scene()).graph()
    assert inside.wakers == []


@pytest.mark.parametrize(("build", "started"), [(limiter, "limiter"), (breaker, "controller")])
def test_what_a_healer_starts_is_its_actuator_as_long_as_it_stays_within(build: Any, started: str) -> None:
    scene = Scene()
    build(scene)
    graph = scene.graph()
    [medic] = graph.healers
    assert [each.name for each in graph.actuators_of(medic)] == [started]
    assert [each.name for each in graph.notifiers] == []
    assert f"{started}-role" in [role.name for role in graph.roles]
    more = {"Effect": "Allow", "Action": "lambda:PutFunctionConcurrency", "Resource": "*"}
    statements(lambda held: held.append(more), f"{started}-rights", f"{started}-limit")(scene)
    strayed = scene.graph()
    assert {each.name for each in strayed.healers} == {"medic", started}
    assert "iam-policy-resource-wildcard" in scene.findings()


def test_an_output_of_another_stack_is_a_topic_elsewhere() -> None:
    elsewhere = Resource("urn:p::ref", "pulumi:pulumi:StackReference", "platform", {})
    resources = healer(Scene()).resources()
    changed = [
        Resource(
            each.urn,
            each.type,
            each.name,
            each.props,
            {**each.references, "topic": (elsewhere.urn,)},
        )
        if each.name == "wake-medic"
        else each
        for each in resources
    ]
    graph = Graph([*changed, elsewhere])
    [medic] = [each for each in graph.healers if each.name == "medic"]
    assert [each.what for each in graph.woken_from_outside(medic)] == [
        "topic an output of platform of another stack"
    ]
    assert [each for each in graph.unresolved if each.property == "topic"] == []


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"))))
def test_cycles_are_those_that_lead_back(edges: dict[str, set[str]]) -> None:
    def ahead(key: str) -> set[str]:
        seen: set[str] = set()
        todo = list(edges.get(key, ()))
        while todo:
            each = todo.pop()
            if each not in seen:
                seen.add(each)
                todo += edges.get(each, ())
        return seen

    assert in_cycles(edges) & edges.keys() == {key for key in edges if key in ahead(key)}
