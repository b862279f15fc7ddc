"""README's ten lines heal a function that this repository did not write."""

import ast
import time
from pathlib import Path
from typing import Any

import pytest

from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from tests.e2e.support.foreign_shop import FOREIGN, ROOT, foreign_deployed
from tests.e2e.support.live_threads import Callers, every
from tests.e2e.support.platform import wait_for

SETTLED = 5.0
"""Seconds after the act in which calls that were under way may still fail."""


def test_the_program_holds_the_readmes_snippet() -> None:
    """Every statement of it, the same but for its layout."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    snippet = text.split("### Heal a service of your own")[1].split("```python\n")[1].split("```")[0]
    program = {ast.dump(node) for node in ast.parse((FOREIGN / "__main__.py").read_text("utf-8")).body}
    assert [ast.unparse(node) for node in ast.parse(snippet).body if ast.dump(node) not in program] == []
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 18


def test_the_function_knows_nothing_of_selfheal() -> None:
    for file in (FOREIGN / "shop").rglob("*.py"):
        text = file.read_text("utf-8").lower()
        assert [word for word in ("selfheal", "healer", "_aws", "boto3") if word in text] == []


@pytest.mark.slow
def test_ten_lines_heal_a_function_of_other_people(tmp_path: Path) -> None:
    """Policies are enforced. It ends with the errors: the evidence after a backstop alarm takes minutes."""
    with Emulator.start(tmp_path / "emulator", iam=True) as emulator:
        clients = Clients(emulator.endpoint, emulator.region, emulator.credentials)
        outputs = foreign_deployed(tmp_path / "shop", clients)
        function = outputs["functionName"]
        lambda_, dynamodb = clients.get("lambda"), clients.get("dynamodb")

        def variables() -> dict[str, str]:
            return lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]

        def incident() -> dict[str, Any]:
            key = {"pk": {"S": "target#checkout"}, "sk": {"S": "incident"}}
            answer = dynamodb.get_item(TableName=outputs["ledgerTable"], Key=key, ConsistentRead=True)
            return answer.get("Item", {})

        assert variables() == {"NEW_PRICING": "on", "CURRENCY": "CHF"}
        with AlarmEvaluator(emulator.endpoint, emulator.region, emulator.credentials):
            callers = Callers(lambda_, function)
            with every(0.05, callers.call):
                # One whole period of 60 s after a part of one, its evaluation and the act.
                wait_for("the act", lambda: variables()["NEW_PRICING"] == "off", lambda: str(incident()))
                acted = time.time()
                wait_for(
                    "verifying",
                    lambda: incident().get("status") == {"S": "VERIFYING"},
                    lambda: str(incident()),
                )
                wait_for("calls", lambda: len(callers.since(acted + SETTLED)) >= 100)
        before = [well for at, well in callers.answers if at <= acted]
        assert before.count(False) >= 0.2 * len(before)
        assert all(callers.since(acted + SETTLED))
        assert variables() == {"NEW_PRICING": "off", "CURRENCY": "CHF"}
