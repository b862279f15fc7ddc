"""The status function as API Gateway calls it, and where it reads from."""

import importlib
import json
from typing import Any

import pytest
from moto import mock_aws

from selfheal.functions.status.sources import Sources

PLACES = {"CIRCUITS": "{}", "QUEUES": "{}", "DEAD_LETTERS": "{}"}


def ask(monkeypatch: pytest.MonkeyPatch, path: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    for name, value in {
        **PLACES,
        "LEDGER_TABLE": "ledger",
        "AWS_DEFAULT_REGION": "us-east-1",
        **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing"),
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        # Loaded anew: it reads its environment and connects when it is loaded.
        module = importlib.reload(importlib.import_module("selfheal.functions.status.handler"))
        answer = module.handle({"pathParameters": path}, None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_now_is_answered_with_a_picture_also_where_nothing_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, body, headers = ask(monkeypatch, {"id": "now"})
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert body["stack"] == {"mode": None, "baseline": None}
    assert [each.split(":")[0] for each in body["problems"]] == [
        "could not read what was deployed",
        "could not read the budget",
        "could not read the mode",
    ]


@pytest.mark.parametrize("path", [{"id": "later"}, {"id": ""}, None])
def test_anything_else_is_404_in_words(monkeypatch: pytest.MonkeyPatch, path: Any) -> None:
    status, body, headers = ask(monkeypatch, path)
    assert (status, headers["Cache-Control"]) == (404, "no-store")
    assert body == {"error": "there is no such status", "allowed": "GET of /status/now"}


def test_sources_are_read_from_the_environment_and_from_outputs() -> None:
    one = Sources("ledger", {"bank": "table"}, {"intake": "https://q"}, {"bus": "s3://b"})
    environment = {
        "LEDGER_TABLE": "ledger",
        "CIRCUITS": '{"bank": "table"}',
        "QUEUES": '{"intake": "https://q"}',
        "DEAD_LETTERS": '{"bus": "s3://b"}',
    }
    outputs = {
        "ledgerTable": "ledger",
        "circuits": {"bank": "table"},
        "queues": {"intake": "https://q"},
        "deadLetters": {"bus": "s3://b"},
        "url": "https://x",
    }
    assert Sources.from_environment(environment) == Sources.from_outputs(outputs) == one
    assert Sources.from_environment({}) == Sources.from_outputs({}) == Sources()


@pytest.mark.parametrize("wrong", ['["bank"]', '{"bank": 1}', "null"])
def test_places_that_are_no_texts_by_name_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="CIRCUITS must be an object of texts by name"):
        Sources.from_environment({"CIRCUITS": wrong})
    with pytest.raises(ValueError, match="the output circuits must be an object"):
        Sources.from_outputs({"circuits": json.loads(wrong)})
