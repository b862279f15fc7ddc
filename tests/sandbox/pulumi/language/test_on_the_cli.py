"""The language host under the real CLI: what a user sees, and that nothing survives."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfheal.sandbox.pulumi.cli import EXECUTABLE
from tests.sandbox.pulumi.language.engine import wheel
from tests.support.processes import descendants, ended, written
from tests.support.stacks import Account, Stack

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def tiny(account: Account) -> Stack:
    if not (EXECUTABLE.resolve().parent / "pulumi-language-python").read_bytes().startswith(b"#!/bin/sh"):
        pytest.skip("this CLI came with the official language host")
    return account.small("tiny")


def write(stack: Stack, name: str, text: str) -> None:
    """Write a file of the project."""
    path = stack.project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


PACK = """\
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy
def check(args, report):
    report(f"saw {len(args.resources)} resource")
PolicyPack(name="tiny", enforcement_level=EnforcementLevel.MANDATORY,
           policies=[StackValidationPolicy(name="seen", description="Sees all.", validate=check)])
"""


def with_pack(tiny: Stack) -> str:
    write(tiny, "../pack/PulumiPolicy.yaml", "runtime: python\nversion: 0.0.1\n")
    write(tiny, "../pack/__main__.py", PACK)
    return "--policy-pack=../pack"


def test_up_with_configuration_and_secret(tiny: Stack) -> None:
    write(
        tiny,
        "__main__.py",
        "import pulumi\n"
        "print('from the program')\n"
        "config = pulumi.Config()\n"
        "pulumi.export('plain', config.get_int('plain'))\n"
        "pulumi.export('hidden', config.get_secret('hidden'))\n",
    )
    tiny.run("config set", "plain", "5")
    tiny.run("config set", "--secret", "hidden", "hush")

    said = tiny.run("up")

    assert "from the program" in said
    assert "hush" not in said
    assert json.loads(tiny.run("stack output", "--json")) == {"hidden": "[secret]", "plain": 5}


def test_an_exception_fails_preview_with_its_traceback_only(tiny: Stack) -> None:
    write(tiny, "__main__.py", "raise ValueError('not so')\n")

    said = tiny.run("preview", code=1)

    assert "error: Program failed with an unhandled exception:" in said
    assert "ValueError: not so" in said
    assert "exited with non-zero exit code" not in said
    assert "sandbox" not in said


def test_a_pack_stops_preview(tiny: Stack) -> None:
    write(tiny, "__main__.py", "")

    said = tiny.run("preview", with_pack(tiny), code=1)

    assert re.search(r"\[mandatory\]\s+seen", said)
    assert "saw 1 resource" in said
    assert "Traceback" not in said


def test_a_component_package_is_started_from_its_folder(tiny: Stack) -> None:
    options = f"{{virtualenv: {Path(sys.executable).parent.parent}}}"
    write(tiny, "../package/PulumiPlugin.yaml", f"runtime: {{name: python, options: {options}}}\n")
    write(
        tiny,
        "../package/thing.py",
        "from typing import Optional, TypedDict\n"
        "import pulumi\n"
        "class ThingArgs(TypedDict):\n"
        "    size: pulumi.Input[int]\n"
        "class Thing(pulumi.ComponentResource):\n"
        "    def __init__(self, name: str, args: ThingArgs, opts: Optional[pulumi.ResourceOptions] = None):\n"
        "        super().__init__('tiny:index:Thing', name, {}, opts)\n"
        "        self.register_outputs({})\n",
    )
    write(
        tiny,
        "../package/__main__.py",
        "from pulumi.provider.experimental import component_provider_host\n"
        "from thing import Thing\n"
        "component_provider_host(name='tiny', components=[Thing])\n",
    )

    schema = json.loads(tiny.run("package get-schema", "../package"))

    assert schema["resources"]["tiny:index:Thing"]["inputProperties"] == {"size": {"type": "integer"}}


def test_pulumi_install_makes_the_environment(tiny: Stack) -> None:
    digest = wheel(tiny.project)
    offline = tiny.within(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tiny.project))
    write(tiny, "Pulumi.yaml", "name: tiny\nruntime: {name: python, options: {virtualenv: their-venv}}\n")
    write(tiny, "requirements.txt", f"tiny-thing==1.0 --hash=sha256:{digest}\n")

    said = offline.run("install")

    assert "Successfully installed tiny-thing-1.0" in said
    assert list(tiny.project.glob("their-venv/lib/python*/site-packages/tiny_thing.py"))


@pytest.fixture
def long_run(tiny: Stack) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """An `up` in the middle of its program, with a pack, and the processes below it."""
    write(
        tiny,
        "__main__.py",
        "import subprocess, time\n"
        "subprocess.Popen(['sleep', '120'])\n"
        "open('running', 'w').write('yes')\n"
        "time.sleep(120)\n",
    )
    process = tiny.start("up", "--skip-preview", with_pack(tiny))
    try:
        written(tiny.project / "running")
        yield process, descendants(process.pid)
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_the_run_without_a_traceback(
    long_run: tuple[subprocess.Popen[str], list[int]],
) -> None:
    process, below = long_run
    assert len(below) == 4  # host, pack, program, and what that started

    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "^C received; cancelling" in said
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said
    assert [pid for pid in below if not ended(pid)] == []


def test_nothing_survives_a_killed_cli(long_run: tuple[subprocess.Popen[str], list[int]]) -> None:
    process, below = long_run
    assert len(below) == 4

    process.kill()

    assert [pid for pid in below if not ended(pid)] == []
