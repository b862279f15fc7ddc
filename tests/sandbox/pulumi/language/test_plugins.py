"""Policy packs and component packages, dependencies, and what is refused."""

import json
import platform
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from tests.sandbox.pulumi.language.engine import Project, refusal, wheel
from tests.support.processes import ended

pytestmark = pytest.mark.slow

Host = language_pb2_grpc.LanguageRuntimeStub


def test_a_plugin_says_its_port_and_the_rest_and_at_last_its_exit_code(host: Host, project: Project) -> None:
    project.write(
        "import json, os, sys\n"
        "print(4711)\n"
        "told = [sys.argv[1:], os.environ['GIVEN'], os.getcwd(), sys.path]\n"
        "json.dump(told, open(__file__ + '.told', 'w'))\n"
        "print('a warning', file=sys.stderr)\n"
        "sys.exit(7)\n"
    )

    answers = list(host.RunPlugin(project.plugin("127.0.0.1:1", "-root=x", env=("GIVEN=a=b",))))

    # Each stream in its order; of the two, either may be read first.
    assert b"".join(answer.stdout for answer in answers) == b"4711\n"
    assert b"".join(answer.stderr for answer in answers) == b"a warning\n"
    assert answers[-1].exitcode == 7
    assert [answer.WhichOneof("output") for answer in answers].count("exitcode") == 1
    args, given, cwd, path = json.loads((project.folder / "__main__.py.told").read_text())
    assert args == ["127.0.0.1:1", "-root=x"]
    assert given == "a=b"
    assert cwd == str(project.folder.parent)
    assert path[0] == str(project.folder)  # a pack stands alone: its folder, and nothing of this project's
    assert str(Path(__file__).parents[4]) not in path


def test_a_cancelled_plugin_ends(host: Host, project: Project) -> None:
    project.write("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n")
    answers = host.RunPlugin(project.plugin())
    pid = int(next(answers).stdout)

    answers.cancel()

    assert ended(pid)


def test_cancel_ends_what_runs(host: Host, project: Project) -> None:
    project.write("import time\nprint(1, flush=True)\ntime.sleep(60)\n")
    answers = host.RunPlugin(project.plugin())
    next(answers)

    host.Cancel(empty_pb2.Empty())

    assert list(answers)[-1].exitcode == -9


def test_a_package_without_main_is_run_by_its_project_s_name(host: Host, project: Project) -> None:
    """`pulumi.run.plugin` imports the installed package; there is none, and it says which it looked for."""
    project.write('[project]\nname = "no-such-package"\n', "pyproject.toml")

    answers = list(host.RunPlugin(project.plugin("127.0.0.1:1")))

    assert "no_such_package" in b"".join(answer.stderr for answer in answers).decode().replace("-", "_")
    assert answers[-1].exitcode


def test_a_folder_with_neither_is_refused(host: Host, project: Project) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        list(host.RunPlugin(project.plugin()))

    assert f"{project.folder} has neither __main__.py nor a pyproject.toml" in refusal(refused.value)[1]


def test_install_makes_the_environment_and_honours_hashes(
    host: Host, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(project.folder))
    right = wheel(project.folder)
    request = language_pb2.InstallDependenciesRequest(info=project.info(virtualenv="venv"))

    project.write(f"tiny-thing==1.0 --hash=sha256:{right}\n", "requirements.txt")
    said = b"".join(answer.stdout for answer in host.InstallDependencies(request)).decode()

    assert "Successfully installed tiny-thing-1.0" in said
    assert list(project.folder.glob("venv/lib/python*/site-packages/tiny_thing.py"))
    listed = host.GetProgramDependencies(
        language_pb2.GetProgramDependenciesRequest(info=project.info(virtualenv="venv"))
    )
    assert ("tiny-thing", "1.0") in [(each.name, each.version) for each in listed.dependencies]

    project.write(f"tiny-thing==1.0 --hash=sha256:{'0' * 64}\n", "requirements.txt")
    (project.folder / "venv" / "marker").touch()
    for path in project.folder.glob("venv/lib/python*/site-packages/tiny_thing*"):
        if path.is_dir():
            (path / "METADATA").unlink()
            (path / "RECORD").unlink()
    with pytest.raises(grpc.RpcError) as refused:
        list(host.InstallDependencies(request))

    assert "-r requirements.txt` failed with exit code 1" in refusal(refused.value)[1]
    assert (project.folder / "venv" / "marker").exists()  # one that is there is not made again


def test_install_never_touches_the_checkout_s_own_environment(host: Host, project: Project) -> None:
    project.write("tiny-thing==1.0\n", "requirements.txt")

    with pytest.raises(grpc.RpcError) as refused:
        list(host.InstallDependencies(language_pb2.InstallDependenciesRequest(info=project.info())))

    assert "has no `virtualenv`" in refusal(refused.value)[1]


def test_about_names_the_python_that_runs_programs(host: Host, project: Project) -> None:
    about = host.About(language_pb2.AboutRequest(info=project.info()))

    assert (about.executable, about.version) == (sys.executable, platform.python_version())


def test_it_asks_for_no_plugins_and_no_options(host: Host, project: Project) -> None:
    required = host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=project.info()))
    prompts = host.RuntimeOptionsPrompts(language_pb2.RuntimeOptionsRequest(info=project.info()))

    assert list(required.packages) == list(prompts.prompts) == []
    assert host.GetPluginInfo(empty_pb2.Empty()).version == ""


def test_generating_code_is_refused_in_words(host: Host) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        host.GenerateProgram(language_pb2.GenerateProgramRequest())

    code, text = refusal(refused.value)
    assert code == grpc.StatusCode.UNIMPLEMENTED
    assert "official Pulumi CLI" in text
