"""One comment a stack: it is updated where it is there, and only where it is our own."""

import json
import threading
import urllib.error
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tools.post_comment import AUTHOR, post

MARKER = "<!-- selfheal preview of dev -->"
COMMENTS = "/repos/octo/shop/issues/7/comments"


@dataclass
class GitHub:
    """The part of GitHub's interface that is used."""

    comments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    tokens: set[str | None] = field(default_factory=set[str | None])

    def add(self, body: str, author: str = AUTHOR) -> int:
        self.comments.append({"id": len(self.comments) + 100, "body": body, "user": {"login": author}})
        return self.comments[-1]["id"]


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Generator[GitHub]:
    state = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, code: int, content: Any) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def note(self) -> Any:
            state.asked.append((self.command, self.path))
            state.tokens.add(self.headers["Authorization"])
            length = int(self.headers.get("Content-Length") or 0)
            return json.loads(self.rfile.read(length)) if length else None

        def do_GET(self) -> None:
            self.note()
            url = urlsplit(self.path)
            assert url.path == COMMENTS
            query = parse_qs(url.query)
            size, page = int(query["per_page"][0]), int(query["page"][0])
            self.answer(200, state.comments[(page - 1) * size : page * size])

        def do_POST(self) -> None:
            body = self.note()["body"]
            if len(body) > 65_536:
                self.answer(422, {"message": "body is too long"})
                return
            self.answer(201, {"html_url": f"https://github.com/c/{state.add(body)}"})

        def do_PATCH(self) -> None:
            body = self.note()["body"]
            [comment] = [
                each for each in state.comments if self.path.endswith(f"/issues/comments/{each['id']}")
            ]
            comment["body"] = body
            self.answer(200, {"html_url": f"https://github.com/c/{comment['id']}"})

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GH_TOKEN", "of-this-run")
    yield state
    server.shutdown()
    server.server_close()


def test_the_first_preview_writes_a_comment(github: GitHub) -> None:
    github.add("Nice.", "alice")
    assert post("octo/shop", 7, f"{MARKER}\nfirst") == "https://github.com/c/101"
    assert github.comments[1]["body"] == f"{MARKER}\nfirst"
    assert github.tokens == {"Bearer of-this-run"}


def test_the_second_updates_it(github: GitHub) -> None:
    post("octo/shop", 7, f"{MARKER}\nfirst")
    post("octo/shop", 7, f"{MARKER}\nsecond")
    assert [each["body"] for each in github.comments] == [f"{MARKER}\nsecond"]


def test_it_is_found_behind_a_hundred_others(github: GitHub) -> None:
    for number in range(230):
        github.add(f"remark {number}", "alice")
    own = github.add(f"{MARKER}\nfirst")
    assert post("octo/shop", 7, f"{MARKER}\nsecond") == f"https://github.com/c/{own}"
    assert len(github.comments) == 231
    assert [method for method, _ in github.asked] == ["GET", "GET", "GET", "PATCH"]


def test_each_stack_has_its_own(github: GitHub) -> None:
    github.add("<!-- selfheal preview of prod -->\nprod")
    post("octo/shop", 7, f"{MARKER}\ndev")
    assert [each["body"].splitlines()[1] for each in github.comments] == ["prod", "dev"]


@pytest.mark.parametrize(
    ("body", "author"),
    [
        (f"{MARKER}\nforged", "mallory"),
        (f"> {MARKER}\nquoted", AUTHOR),
        (f"see below\n{MARKER}", AUTHOR),
        ("", AUTHOR),
    ],
)
def test_what_is_not_ours_is_left_alone(github: GitHub, body: str, author: str) -> None:
    github.add(body, author)
    post("octo/shop", 7, f"{MARKER}\nours")
    assert [each["body"] for each in github.comments] == [body, f"{MARKER}\nours"]


def test_a_refusal_of_github_s_is_an_error(github: GitHub) -> None:
    with pytest.raises(urllib.error.HTTPError, match="422"):
        post("octo/shop", 7, f"{MARKER}\n{'x' * 66_000}")
    assert github.comments == []
