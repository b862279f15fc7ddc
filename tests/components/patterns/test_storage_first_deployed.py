"""A storage-first API in the emulator, where the roles of functions and integrations are enforced."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from tests.support.emulator_users import administrator

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "support" / "door"
ALICE, BOB = "a" * 32, "b" * 31 + "!"
ORDER = {"id": "o-1", "amount": 2}


@dataclass
class Door:
    clients: Clients
    outputs: dict[str, Any]

    def ask(
        self,
        method: str,
        id_: str,
        body: Any = None,
        *,
        token: str | None = ALICE,
        api: str = "orders",
        path: str = "orders",
        content_type: str | None = "application/json",
    ) -> tuple[int, Any, Any]:
        """Send a request and return status, document and headers of the answer."""
        headers = {"Content-Type": content_type} if content_type else {}
        if token is not None:
            headers["Authorization"] = token if " " in token else f"Bearer {token}"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.outputs[f'{api}-url']}/{path}/{id_}",
            None if method == "GET" else data,
            headers,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers

    def stored(self, api: str = "orders") -> list[dict[str, Any]]:
        """Take everything out of a queue."""
        sqs, queue, found = self.clients.get("sqs"), self.outputs[f"{api}-queue"], list[Any]()
        while messages := sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found += messages
        return found


def attributes(message: dict[str, Any]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with Emulator.start(tmp_path_factory.mktemp("emulator"), iam=True) as emulator:
        clients = administrator(emulator)
        yield Door(clients, deploy(PROGRAM, AwsProvider(clients), stack="dev"))


def test_202_means_that_the_queue_has_it_with_who_sent_it(door: Door) -> None:
    body = json.dumps(ORDER | {"note": "é 😀 100% a+b=c&d"}, ensure_ascii=False).encode()
    status, answer, headers = door.ask("PUT", "o-1", body, token=BOB)
    assert (status, answer["id"], answer["state"]) == (202, "o-1", "stored")
    assert headers["Location"] == "/v1/orders/o-1"
    [message] = door.stored()
    assert message["Body"] == body.decode()
    assert attributes(message) == {"id": "o-1", "caller": "bob", "requestId": answer["requestId"]}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"id": "o-1"}, '[object has missing required properties (["amount"])]'),
        (ORDER | {"note": "x" * 201}, "is too long (length: 201, maximum allowed: 200)"),
        (b"amount=2", "Invalid request body"),
    ],
)
def test_a_wrong_body_is_refused_with_the_reason_and_not_stored(door: Door, body: Any, why: str) -> None:
    status, answer, _ = door.ask("PUT", "o-1", body)
    assert status == 400
    assert why in answer["error"]
    assert "bytes at most" in answer["allowed"]
    assert door.stored() == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", ORDER, 415),
        ("application/x-www-form-urlencoded", ORDER, 415),
        ("text/plain", b"x", 400),  # by the model for `$default`
        ("application/json; charset=utf-8", {"id": "o-1"}, 400),
        ("application/json; charset=utf-8", ORDER, 202),
    ],
)
def test_only_json_of_the_schema_gets_in(door: Door, content_type: str, body: Any, status: int) -> None:
    given, answer, _ = door.ask("PUT", "o-1", body, content_type=content_type)
    assert given == status, answer
    if status == 415:
        assert answer["allowed"] == "Content-Type: application/json"
    assert len(door.stored()) == (status == 202)


@pytest.mark.parametrize("id_", ["a%26DelaySeconds%3D900", "a%22%27%20%23%24util", "%C3%A9", "a%20b%3Fc"])
def test_an_id_adds_nothing_to_the_call(door: Door, id_: str) -> None:
    status, answer, _ = door.ask("PUT", id_, ORDER)
    assert status == 202
    [message] = door.stored()
    assert set(attributes(message)) == {"id", "caller", "requestId"}
    assert attributes(message)["id"] == urllib.parse.unquote(id_)
    assert urllib.parse.unquote_plus(answer["id"]) == attributes(message)["id"]


def test_a_body_adds_nothing_to_the_call(door: Door) -> None:
    body = ORDER | {"note": "x&DelaySeconds=900&MessageAttribute.2.Value.StringValue=bob"}
    assert door.ask("PUT", "o-1", body)[0] == 202
    [message] = door.stored()  # at once: it was not delayed
    assert json.loads(message["Body"]) == body
    assert attributes(message)["caller"] == "alice"


@pytest.mark.parametrize("method", ["PUT", "GET"])
@pytest.mark.parametrize(
    ("token", "status"),
    [
        (None, 401),
        ("Basic YWxpY2U6YWxpY2U=", 401),
        ("Bearer short", 401),
        ("c" * 32, 403),
        ("a" * 31 + "b", 403),
        ("a" * 33, 403),
    ],
)
def test_strangers_are_refused_in_words(door: Door, method: str, token: str | None, status: int) -> None:
    given, answer, headers = door.ask(method, "o-1", ORDER, token=token)
    assert given == status
    assert "Authorization: Bearer" in answer["allowed"]
    assert (headers["WWW-Authenticate"] == "Bearer") == (status == 401)
    assert door.stored() == []


def test_without_callers_nobody_gets_in(door: Door) -> None:
    assert door.ask("PUT", "o-1", ORDER, api="closed")[0] == 403


def test_the_reader_is_told_who_asks_although_the_answer_was_cached_for_put(door: Door) -> None:
    door.ask("PUT", "o-1", ORDER)
    door.stored()
    assert door.ask("GET", "o-2")[:2] == (200, {"id": "o-2", "caller": "alice"})
    assert door.ask("GET", "o-2", token=BOB)[1]["caller"] == "bob"


def test_a_further_path_is_for_the_same_callers_and_read_only(door: Door) -> None:
    assert door.ask("GET", "now", path="status", token=None)[0] == 401
    assert door.ask("GET", "now", path="status", token="c" * 32)[0] == 403
    assert door.ask("GET", "now", path="status")[:2] == (200, {"id": "now", "caller": "alice"})
    assert door.ask("PUT", "now", ORDER, path="status")[0] == 404
    assert door.ask("GET", "now", path="status", api="open", token=None)[0] == 404
    assert door.stored() == []


def test_a_path_that_there_is_not_is_404(door: Door) -> None:
    status, _, headers = door.ask("DELETE", "o-1", token=None)
    assert (status, headers["Cache-Control"]) == (404, "no-store")


def test_a_public_api_asks_nobody_and_is_throttled(door: Door) -> None:
    assert door.ask("PUT", "o-1", ORDER, token=None, api="open")[0] == 202
    [message] = door.stored("open")
    assert attributes(message)["caller"] == "anonymous"
    assert door.ask("GET", "o-1", token=None, api="open")[1] == {"id": "o-1", "caller": None}
    answers = [door.ask("PUT", "o-1", ORDER, token=None, api="open") for _ in range(12)]
    assert {status for status, _, _ in answers} == {202, 429}
    [refused, *_] = [(answer, headers) for status, answer, headers in answers if status == 429]
    assert refused[0]["allowed"] == "1 requests a second of all callers together"
    assert refused[1]["Retry-After"] == "1"
    assert len(door.stored("open")) == sum(status == 202 for status, _, _ in answers)


def test_what_the_queue_did_not_take_is_never_202(door: Door) -> None:
    """Last: it takes the role's permission, and then the queue, away."""
    iam, sqs = door.clients.get("iam"), door.clients.get("sqs")
    [role] = [r["RoleName"] for r in iam.list_roles()["Roles"] if r["RoleName"].startswith("orders-put-role")]
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    elsewhere = json.dumps(document).replace("orders-queue", "other-queue")
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=elsewhere)
    status, answer, headers = door.ask("PUT", "o-1", ORDER)
    assert (status, headers["Location"]) == (502, None)
    assert answer["error"] == "not stored: the queue did not take it"
    assert "same id" in answer["do"]
    assert door.stored() == []
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust.replace("apigateway", "lambda"))
    assert door.ask("PUT", "o-1", ORDER)[0] == 502
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
    assert door.ask("PUT", "o-1", ORDER)[0] == 202
    sqs.delete_queue(QueueUrl=door.outputs["orders-queue"])
    assert door.ask("PUT", "o-1", ORDER)[0] == 502
