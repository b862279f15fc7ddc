"""A notice in the form of each protocol: what its readers are documented to accept, and fields that stay."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal.functions.healer.incident import ANSWERED, HISTORY, Incident
from selfheal.functions.healer.incident_fields import (
    Answered,
    Closure,
    Evidence,
    Guard,
    Hold,
    Plan,
    Standing,
    Transition,
)
from selfheal.functions.healer.publication import publication
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Mode
from tests.functions.support.scenarios import SCENARIOS, failing
from tests.functions.support.world import REMEDY

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"
AT = "2026-11-21T09:40:10.000Z"
CANARY = "canary-a-secret"
NASTY = '<!channel> & "\\" \x00\x1b\n\u2028 é \U0001f600 ' * 2000
"""Mentions, escapes, control characters and four-byte characters, 46 KB of them."""

ANY = None
CUSTOM: dict[str, Any] = {
    "version": "1.0",
    "source": "custom",
    "content": {
        "textType": "client-markdown",
        "title": 250,
        "description": 8000,
        "nextSteps": [350],
        "keywords": [75],
    },
    "metadata": {
        "threadId": ANY,
        "summary": ANY,
        "eventType": ANY,
        "relatedResources": [ANY],
        "additionalContext": {str: ANY},
    },
}
"""The event schema of custom notifications: a constant, or how many characters a string may have.

Amazon Q Developer in chat applications, administrator guide, "Custom notifications": event schema, parameter
details. `version` and `source` are required; there is no field but these, `id` and `enableCustomActions`.
"""


def check(value: Any, schema: Any, where: str = "") -> None:
    """Assert that a value has the schema's fields and no other, strings, and not too long ones."""
    if isinstance(schema, dict):
        assert isinstance(value, dict), where
        assert str in schema or set(value) <= set(schema), f"{where} has {set(value) - set(schema)}"
        for name, each in value.items():
            check(each, schema.get(name, schema.get(str)), f"{where}.{name}")
        return
    if isinstance(schema, list):
        assert isinstance(value, list), where
        assert 0 < len(value) <= 10, where
        for each in value:
            check(each, schema[0], f"{where}[]")
        return
    assert isinstance(value, str), where
    assert value, where
    assert not isinstance(schema, str) or value == schema, where
    assert not isinstance(schema, int) or len(value) <= schema, f"{where} has {len(value)} characters"


def plan(before: str | None = CANARY, setting: str = "FAILURE_RATE", after: str = "0") -> Plan:
    return Plan("environment", setting, before, after, "code", "config")


def incident(status: Status = Status.ESCALATED, reason: Reason = Reason.REMEDY_INEFFECTIVE) -> Incident:
    return Incident("shop-20261121T094010000Z", "shop", "fast", AT, status, reason, Mode.ACT)


def notices() -> Iterator[Incident]:
    """Yield incidents as they are told, in every state, with and without each part."""
    stands, hold = (Standing(plan(), AT),), Hold(Reason.REMEDY_INEFFECTIVE, AT)
    other, spent = plan(setting="OTHER"), Guard(Reason.BUDGET_SPENT, 1, 1)
    seen = Evidence(AT, 100, 30, "broken", 20, 6)
    parts: list[dict[str, Any]] = [
        {},
        {"plan": plan()},
        {"plan": plan(), "acts": 1},
        {"plan": plan(), "acts": 1, "standing": stands, "hold": hold, "evidence": seen},
        {"plan": other, "acts": 2, "standing": stands, "guard": spent},
        {"plan": plan(before=None), "standing": (Standing(plan(), AT, accepted=True),)},
    ]
    reasons = (Reason.RECOVERED, Reason.BUDGET_SPENT, Reason.TARGET_REMOVED, Reason.MODE_FORBIDS)
    for status in (Status.OPEN, Status.PROPOSED, Status.VERIFYING, Status.ESCALATED, Status.RECOVERED):
        for part in parts:
            yield from (replace(incident(status, reason), **part) for reason in reasons)
    closure = Closure("arn:ann", AT, "moved", stands)
    yield replace(incident(Status.CLOSED, Reason.CLOSED), plan=plan(), closure=closure, closed_at=AT)
    yield worst()


def worst() -> Incident:
    """Return an incident in which everything is as long as it can be, and written by an enemy."""
    asked = Answered(NASTY, Verb.ROLLBACK, NASTY, NASTY, NASTY, AT, Reason.VALUE_CHANGED, done=False)
    line = Transition(AT, "OPEN", "OPEN", "deployment-in-progress")
    return replace(
        incident(),
        target="é" + "t" * 200,
        alarm="a" * 255,
        plan=plan(NASTY),
        standing=tuple([Standing(plan(NASTY, f"V{number}", NASTY), AT) for number in range(20)]),
        history=(line,) * HISTORY,
        requests=(asked,) * ANSWERED,
        closure=Closure(NASTY, AT, NASTY),
        hold=Hold(Reason.REMEDY_INEFFECTIVE, AT),
        guard=Guard(Reason.BUDGET_SPENT, 1, 2, 3, AT),
        evidence=Evidence(AT, 10**9, 10**9, "broken"),
        acts=20,
        failures=(NASTY,) * 20,
        reminding=True,
    )


def forms(of: Incident, ledger: str = "ledger") -> dict[str, str]:
    """Return the notice in each form, as SNS takes it apart."""
    sent = publication(of, ledger)
    assert set(sent) == {"Subject", "Message", "MessageStructure"}
    assert sent["MessageStructure"] == "json"
    assert re.fullmatch(r"[!-~][ -~]{0,98}", sent["Subject"])
    assert len(sent["Message"].encode()) <= 256 * 1024
    found: dict[str, str] = json.loads(sent["Message"])
    assert set(found) == {"default", "email", "https", "sms"}
    return found


TOLD = list(notices())


@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told.status}-{told.reason}")
def test_every_notice_is_what_each_reader_accepts(told: Incident) -> None:
    found = forms(told)
    custom, document = json.loads(found["https"]), json.loads(found["default"])
    assert {"version", "source", "content", "metadata"} == set(custom)
    assert "description" in custom["content"]
    check(custom, CUSTOM)
    assert "<" not in json.dumps(custom["content"]).replace("<!-", "")
    assert custom["metadata"]["threadId"] == document["incident"] == told.id
    context = custom["metadata"]["additionalContext"]
    for name, value in context.items():
        expected = document[name]
        assert value == (str(expected).lower() if isinstance(expected, bool) else str(expected)), name
    assert document["text"] == found["email"]
    assert (document["title"], len(found["sms"]) < 140) == (found["sms"], True)
    assert not found["email"].startswith("{")


def test_no_value_leaves_by_another_form_than_the_text_has() -> None:
    told_of = {CANARY in forms(told)["email"] for told in TOLD}
    assert told_of == {True, False}
    for told in TOLD:
        found = forms(told)
        if CANARY not in found["email"]:
            assert not [form for form in found.values() if CANARY in form], told


def test_the_notices_of_whole_incidents_have_the_same_fields_each_time() -> None:
    """The fake of SNS checks its limits; every kind of incident is told here from breakdown to end."""
    told: list[dict[str, str]] = []
    for scenario in (*SCENARIOS.values(), lambda: failing(REMEDY, mode=Mode.SUGGEST)):
        loop = scenario()
        loop.run(60)
        told += loop.sns.forms
    assert len(told) > 10
    keys = {tuple(json.loads(each["default"])) for each in told}
    assert keys == {tuple(json.loads(forms(incident())["default"]))}
    for each in told:
        check(json.loads(each["https"]), CUSTOM)


def flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names of a document's fields: `hold.until`, `changes[].what`."""
    for name, value in document.items():
        one = value[0] if isinstance(value, list) and value else value
        of = f"{prefix}{name}{'[]' if isinstance(value, list) else ''}"
        yield from flat(one, f"{of}.") if isinstance(one, dict) else (of,)


FULL = replace(
    incident(Status.PROPOSED, Reason.MODE_FORBIDS),
    plan=plan("0.3"),
    guard=Guard(Reason.BUDGET_SPENT, 3, 3, until=AT),
    hold=Hold(Reason.FLAPPING, AT, AT),
    evidence=Evidence(AT, 100, 30, "broken", 20, 6),
    requests=(Answered("1", Verb.APPROVE, "arn:ann", AT, "", AT, Reason.APPROVAL_STALE, done=False),),
    about="1",
    failures=("environment:OTHER: InvalidParameterValueException",),
)


def test_the_fields_for_programs_are_those_that_are_documented() -> None:
    table = DOCS.read_text(encoding="utf-8").split("\n### Fields\n")[1].split("\n## ")[0]
    documented = re.findall(r"`([a-z_\[\].]+)`", "".join(re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)))
    assert documented == list(flat(json.loads(forms(FULL)["default"])))
    stable = json.loads(forms(FULL)["https"])["metadata"]["additionalContext"]
    starred = re.findall(r"`([a-z_]+)` \\\*", table)
    assert set(stable) <= set(starred)
    assert set(starred) - set(stable) == {"closed_at"}  # left out where it is null


def test_the_document_of_a_notice() -> None:
    """Programs depend on each of these: another meaning of one needs another schema number."""
    document = json.loads(forms(FULL)["default"])
    digest = plan("0.3").digest("shop")
    approve = f"`selfheal approve shop-20261121T094010000Z --plan {digest}`"
    assert document.pop("text").startswith("Incident shop-20261121T094010000Z of target shop is PROPOSED.")
    assert document == {
        "schema": 1,
        "incident": "shop-20261121T094010000Z",
        "target": "shop",
        "status": "PROPOSED",
        "reason": "approval-stale",
        "mode": "act",
        "open": True,
        "reminder": False,
        "alarm": "fast",
        "opened_at": AT,
        "closed_at": None,
        "plan_digest": digest,
        "ledger": "ledger",
        "title": "[selfheal] PROPOSED: shop (approval-stale)",
        "changes": [
            {
                "what": "proposed",
                "setting": "environment:FAILURE_RATE",
                "before": "0.3",
                "after": "0",
                "since": None,
            }
        ],
        "evidence": {
            "since": AT,
            "requests": 100,
            "errors": 30,
            "probes": 20,
            "probe_errors": 6,
            "verdict": "broken",
        },
        "guard": {"reason": "budget-spent", "limit": 3, "found": 3, "total": None, "until": AT},
        "hold": {"reason": "flapping", "since": AT, "until": AT},
        "request": {
            "id": "1",
            "verb": "approve",
            "by": "arn:ann",
            "at": AT,
            "why": "",
            "answered_at": AT,
            "answer": "approval-stale",
            "done": False,
        },
        "failures": ["environment:OTHER: InvalidParameterValueException"],
        "next": [
            f"Next: {approve} has exactly this plan executed.",
            "On AWS add to each command: `--aws --ledger ledger`.",
        ],
    }


def test_what_a_channel_shows() -> None:
    content = json.loads(forms(FULL)["https"])["content"]
    assert content["title"] == "[selfheal] PROPOSED: shop (approval-stale)"
    assert content["keywords"] == ["shop", "PROPOSED", "approval-stale", "act"]
    assert "Refused: approval-stale. Something has changed" in content["description"]
    assert "Next:" not in content["description"]
    assert content["nextSteps"][0].startswith("Next: `selfheal approve")


def test_nothing_that_somebody_wrote_mentions_a_channel_or_makes_a_link() -> None:
    told = replace(FULL, plan=plan("<!channel> <https://evil.example|runbook>"))
    assert "&lt;!channel&gt;" in json.loads(forms(told)["https"])["content"]["description"]


def test_the_relay_for_a_pager_makes_an_incident_an_alarm_and_passes_alarms_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The function of docs/your-services.md, which gets the form for programs."""
    page = (DOCS.parent / "your-services.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(import json\nimport os\n.*?def handle.*?)```", page, re.DOTALL)
    sent: list[dict[str, str]] = []
    client = SimpleNamespace(publish=lambda **arguments: sent.append(arguments))
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=lambda _name: client))
    monkeypatch.setenv("PAGER_TOPIC", "pager")
    names: dict[str, Any] = {}
    exec(compile(code, "relay", "exec"), names)
    alarm = {"Subject": "ALARM: healer-errors", "Message": '{"AlarmName": "healer-errors"}'}
    over = replace(incident(Status.RECOVERED, Reason.RECOVERED), closed_at=AT)
    told = [{"Subject": "x", "Message": forms(each)["default"]} for each in (FULL, over)]
    names["handle"]({"Records": [{"Sns": each} for each in (*told, alarm)]}, None)
    assert [each["Subject"] for each in sent] == [
        "ALARM: selfheal shop",
        "OK: selfheal shop",
        alarm["Subject"],
    ]
    states = [json.loads(each["Message"]).get("NewStateValue") for each in sent]
    assert states == ["ALARM", "OK", None]
    assert {each["TopicArn"] for each in sent} == {"pager"}
    assert len({json.loads(each["Message"])["AlarmName"] for each in sent[:2]}) == 1
