"""The orders stack on the real engine: judged, deployed, unchanged by a second look, taken down."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

from tests.conftest import ROOT
from tests.support.stacks import Account

TOKEN = "token-of-ann-" + "x" * 32


def order(url: str, method: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """Call the API about order o1."""
    request = urllib.request.Request(
        f"{url}/orders/o1",
        data=json.dumps(body).encode() if body else None,
        headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_it_is_deployed_as_the_pack_demands_and_carries_an_order(cloud: Account) -> None:
    own = {"ledgerName": "orders-ledger", "protectLedger": False, "callers": {"ann": TOKEN}}
    stack = cloud.stack_with("orders", ROOT, {f"selfheal:{key}": value for key, value in own.items()})
    assert "[advisory]" not in stack.run("preview", "--policy-pack", "policies")
    stack.up()
    url = stack.outputs()["url"]
    wanted = {"id": "o1", "article": "book", "quantity": 1, "cents": 5}
    assert order(url, "PUT", wanted)[0] == 202
    end = time.monotonic() + 60
    while (found := order(url, "GET"))[1].get("state") != "fulfilled" and time.monotonic() < end:
        time.sleep(0.5)
    assert found[1]["state"] == "fulfilled"
    stack.preview("--expect-no-changes")
    stack.run("destroy", "--skip-preview", "--refresh=false")  # looked at just now
    assert stack.resources() == []
