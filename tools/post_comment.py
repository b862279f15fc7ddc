"""Write a comment on a pull request, or update it where it is: `python tools/post_comment.py NUMBER FILE`.

The file's first line is the marker by which the comment is found again. Anybody may write a marker, so only
a comment by the workflow's own user is updated. It reads GITHUB_API_URL, GITHUB_REPOSITORY and GH_TOKEN.
Standard library only.
"""

import json
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

AUTHOR = "github-actions[bot]"
PAGE = 100
"""Comments that GitHub returns at once, at most."""
SECONDS = 30.0


def post(repository: str, number: int, body: str) -> str:
    """Write the comment, and return its address. Raises urllib.error.HTTPError where GitHub refuses."""
    marker = body.splitlines()[0]
    page = 1
    while True:
        comments = _ask("GET", f"{repository}/issues/{number}/comments?per_page={PAGE}&page={page}")
        for comment in comments:
            if comment["user"]["login"] == AUTHOR and comment["body"].splitlines()[:1] == [marker]:
                path = f"{repository}/issues/comments/{comment['id']}"
                return _ask("PATCH", path, {"body": body})["html_url"]
        if len(comments) < PAGE:
            return _ask("POST", f"{repository}/issues/{number}/comments", {"body": body})["html_url"]
        page += 1


def _ask(method: str, path: str, content: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  (the address is GitHub's, from the runner)
        f"{os.environ['GITHUB_API_URL']}/repos/{path}",
        None if content is None else json.dumps(content).encode(),
        {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['GH_TOKEN']}",
            "Content-Type": "application/json",
        },
        method=method,
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  (the same)
        return json.load(answer)


def main(arguments: Sequence[str]) -> None:
    """Write the comment and print its address."""
    number, file = arguments
    print(post(os.environ["GITHUB_REPOSITORY"], int(number), Path(file).read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
