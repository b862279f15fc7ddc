"""Running a program: what it is given, what it says, and how it ends."""

import os
import sys
import time
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import language_pb2_grpc

from tests.sandbox.pulumi.language.engine import SECRET, Engine, Project, refusal
from tests.support.processes import ended, written

Host = language_pb2_grpc.LanguageRuntimeStub

pytestmark = pytest.mark.engine  # Pulumi's executor of programs comes with the CLI


def test_a_program_has_its_configuration_and_secrets(host: Host, engine: Engine, project: Project) -> None:
    project.write(
        "import pulumi\n"
        "config = pulumi.Config()\n"
        "pulumi.export('plain', config.require('plain'))\n"
        "pulumi.export('hidden', config.require_secret('hidden'))\n"
        "pulumi.export('map', config.get_object('map'))\n"
        "secrets = [key for key in ('p:plain', 'p:hidden') if pulumi.runtime.is_config_secret(key)]\n"
        "pulumi.export('secrets', secrets)\n"
    )
    request = project.run({"p:plain": "1", "p:hidden": "x", "p:map": '{"a": [1]}'}, ("p:hidden",))

    answer = host.Run(request)

    assert (answer.error, answer.bail) == ("", False)
    assert engine.outputs["plain"] == "1"
    assert engine.outputs["map"] == {"a": [1]}
    assert engine.outputs["secrets"] == ["p:hidden"]
    assert SECRET in engine.outputs["hidden"]
    assert engine.outputs["hidden"]["value"] == "x"


def test_a_program_is_at_home_in_its_folder(
    host: Host, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "theirs")
    project.write("import json; json.dump('helped', open('told', 'w'))", "helper.py")
    project.write(
        "import gc, json, os, sys, pulumi\n"
        "import helper\n"
        "json.dump({'path': sys.path, 'cwd': os.getcwd(), 'profile': os.environ['AWS_PROFILE'],\n"
        "           'threshold': gc.get_threshold()[0],\n"
        "           'stack': [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()],\n"
        "           'root': pulumi.runtime.get_root_directory(), 'dry': pulumi.runtime.is_dry_run()},\n"
        "          open('told', 'w'))\n"
    )
    request = project.run()
    request.dryRun = True

    assert host.Run(request).error == ""

    told = project.told()
    assert told["cwd"] == told["root"] == str(project.folder)
    assert Path(project.folder, told["path"][0]) == project.folder
    checkout = Path(__file__).parents[4]
    assert checkout not in [Path(project.folder, entry) for entry in told["path"]]
    assert told["stack"] == ["p", "dev", "organization"]
    assert told["profile"] == "theirs"
    assert told["dry"] is True
    assert told["threshold"] == 20_000  # it is short: looking for garbage more often only takes time


def test_an_exception_is_told_from_the_program_s_first_line_on(
    host: Host, engine: Engine, project: Project
) -> None:
    project.write("def go():\n    {}['x']\n", "helper.py")
    project.write("import helper\nhelper.go()\n")

    answer = host.Run(project.run())

    assert answer.bail  # it was told; nothing is to be added
    assert answer.error == ""
    lines = engine.errors.splitlines()
    assert lines[0] == "Program failed with an unhandled exception:"
    assert lines[1] == "Traceback (most recent call last):"
    assert f'File "{project.folder}/__main__.py", line 2' in lines[2]
    assert lines[-1] == "KeyError: 'x'"
    assert "runpy" not in engine.errors


def test_a_run_error_is_told_without_a_traceback(host: Host, engine: Engine, project: Project) -> None:
    project.write("import pulumi\nraise pulumi.RunError('not like this')\n")

    answer = host.Run(project.run())

    assert engine.errors == "not like this"
    assert answer.error == "program exited with non-zero exit code: 1"


@pytest.mark.parametrize(
    ("end", "code"), [("import sys; sys.exit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -1)]
)
def test_another_end_is_told_by_its_exit_code(host: Host, project: Project, end: str, code: int) -> None:
    project.write(end)

    answer = host.Run(project.run())

    assert answer.error == f"program exited with non-zero exit code: {code}"
    assert not answer.bail


def test_a_missing_program_is_told_in_words(host: Host, engine: Engine, project: Project) -> None:
    answer = host.Run(project.run())

    assert answer.bail
    assert engine.errors == f"unable to find main python program `__main__.py` in `{project.folder}`"


def test_output_is_seen_while_the_program_runs(
    host: Host, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    project.write(
        "import os, sys, time\n"
        "print('begun')\n"
        "print('to stderr', file=sys.stderr)\n"
        "while not os.path.exists('go'):\n"
        "    time.sleep(0.02)\n"
    )
    running = host.Run.future(project.run())
    seen, errors = "", ""
    deadline = time.monotonic() + 20
    while "begun" not in seen or "to stderr" not in errors:
        assert time.monotonic() < deadline, "nothing was seen while it ran"
        time.sleep(0.05)
        out, err = capfd.readouterr()
        seen, errors = seen + out, errors + err
    assert not running.done()

    project.write("", "go")

    assert running.result(timeout=20).error == ""


def test_a_cancelled_call_ends_its_program(host: Host, project: Project) -> None:
    project.write("import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    running = host.Run.future(project.run())
    pid = int(written(project.folder / "pid"))

    running.cancel()

    assert ended(pid)


def test_the_virtual_environment_of_the_project_is_used(host: Host, project: Project) -> None:
    python = project.folder / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nBY=venv exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    project.write(
        "import json, os\n"
        "json.dump([os.environ.get(key) for key in ('BY', 'VIRTUAL_ENV', 'PATH')], open('told', 'w'))\n"
    )

    host.Run(project.run(options={"virtualenv": "venv"}))

    by, virtualenv, path = project.told()
    assert by == "venv"
    assert virtualenv == str(project.folder / "venv")
    assert path.split(os.pathsep)[0] == str(python.parent)


def test_without_the_named_virtual_environment_the_checkout_s_python_runs_it(
    host: Host, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    project.write("import json, sys; json.dump(sys.executable, open('told', 'w'))")

    assert host.Run(project.run(options={"virtualenv": "venv"})).error == ""

    assert project.told() == sys.executable
    assert f"virtualenv {project.folder}/venv is not made yet" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"), [("toolchain", "uv"), ("toolchain", "poetry"), ("typechecker", "mypy")]
)
def test_options_that_it_does_not_know_are_refused_by_name(
    host: Host, project: Project, option: str, value: str
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        host.Run(project.run(options={option: value}))

    code, text = refusal(refused.value)
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert f"`{option}: {value}`" in text
