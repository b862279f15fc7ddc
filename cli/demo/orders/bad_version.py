"""Deploy a version of a function that fails on every message, as a person might by hand."""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

from selfheal.sandbox.clients import DIRECT

BUG = '''

_without_currency = _take


def _take(record):
    """Take a request, which needs a currency from now on. No order has one."""
    import json

    json.loads(record["body"])["currency"]
    _without_currency(record)
'''
"""What is added to the module that Lambda calls: a plain mistake, which raises KeyError for each order."""


@dataclass(frozen=True)
class BadVersion:
    """What was deployed."""

    function: str
    alias: str
    before: str
    """Version that the alias pointed to."""
    version: str
    """Version that fails."""


def deploy_bad_version(lambda_: Any, function: str, alias: str) -> BadVersion:
    """Publish a version of a function with the bug in it, and point its alias there.

    Raises:
        botocore.exceptions.ClientError: when AWS refuses.

    """
    before = lambda_.get_alias(FunctionName=function, Name=alias)["FunctionVersion"]
    live = lambda_.get_function(FunctionName=function, Qualifier=before)
    with DIRECT.open(live["Code"]["Location"], timeout=30) as answer:
        archive: bytes = answer.read()
    module = live["Configuration"]["Handler"].rpartition(".")[0].replace(".", "/") + ".py"
    published = lambda_.update_function_code(
        FunctionName=function, ZipFile=with_bug(archive, module), Publish=True
    )
    lambda_.get_waiter("function_updated_v2").wait(
        FunctionName=function, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    version = published["Version"]
    lambda_.update_alias(FunctionName=function, Name=alias, FunctionVersion=version)
    return BadVersion(function, alias, before, version)


def with_bug(archive: bytes, module: str) -> bytes:
    """Return a function's archive with the bug at the end of a module.

    Raises:
        KeyError: when it has no such module.

    """
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        old.getinfo(module)
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry, content + BUG.encode() if entry.filename == module else content)
    return made.getvalue()
