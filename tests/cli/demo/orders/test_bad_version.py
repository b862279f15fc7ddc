"""The bad version: the publisher's own archive, with a mistake that fails each order."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from selfheal.cli.demo.orders.bad_version import with_bug

MODULE = "selfheal/functions/orders/publisher.py"
ROOT = Path(__file__).parents[4]


def archive(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return made.getvalue()


def test_only_the_module_that_lambda_calls_is_changed() -> None:
    other = "selfheal/functions/orders/intake.py"
    bad = with_bug(archive(**{MODULE: "x = 1\n", other: "y = 2\n"}), MODULE)
    with zipfile.ZipFile(io.BytesIO(bad)) as made:
        assert made.namelist() == [MODULE, other]
        assert made.read(other) == b"y = 2\n"
        assert made.read(MODULE).startswith(b"x = 1\n")


def test_an_archive_without_that_module_is_refused() -> None:
    with pytest.raises(KeyError):
        with_bug(archive(other="x"), MODULE)


def test_it_fails_for_every_order_by_a_name_that_the_publisher_has() -> None:
    """Not by a syntax error: it starts, takes messages, and fails at each of them."""
    source = (ROOT / "functions" / "orders" / "publisher.py").read_text()
    assert "\ndef _take(record: Record)" in source
    with zipfile.ZipFile(io.BytesIO(with_bug(archive(**{MODULE: "_take = print\n"}), MODULE))) as made:
        code = made.read(MODULE).decode()
    names: dict[str, Any] = {}
    exec(compile(code, MODULE, "exec"), names)
    with pytest.raises(KeyError, match="currency"):
        names["_take"]({"body": json.dumps({"id": "A-1", "article": "book", "quantity": 1, "cents": 1})})
