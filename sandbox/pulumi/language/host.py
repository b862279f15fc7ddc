"""Implements Pulumi's language host protocol."""

import json
import os
import platform
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2

from selfheal.sandbox.pulumi.language.children import Children
from selfheal.sandbox.pulumi.language.interpreter import Interpreter, OptionsError, interpreter
from selfheal.sandbox.pulumi.protocol import language_pb2, language_pb2_grpc, plugin_pb2

_SHOWN_ALREADY = 32
"""Exit code of the executor if it has reported the error to the engine."""

_START = str(Path(__file__).with_name("start.py"))
"""Runs a file or folder in the program's Python."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Behaves like the official host, for pip and virtual environments.

    Args:
        executor: Pulumi's own `pulumi-language-python-exec`, which runs programs.
        engine: Address of the engine.
        children: Starts and ends the processes.

    """

    def __init__(self, executor: Path, engine: str, children: Children) -> None:
        self._executor = executor
        self._engine = engine
        self._children = children

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802  (the protocol's names)
        """Run a program to its end."""
        if request.attach_debugger:
            _abort(context, "--attach-debugger is not known to this language host")
        python = _interpreter(request.info, context)
        arguments = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "root_directory": request.info.root_directory,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "organization": request.organization,
        }
        command = [python.executable, _START, str(self._executor)]
        for key, value in arguments.items():
            if value:
                command += [f"--{key}", value]
        command += [request.info.entry_point or ".", *request.args]
        environment = {
            **python.environment(os.environ),
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        if python.option and not python.made:
            note = f"virtualenv {python.folder} is not made yet: running with {python.executable}\n"
            sys.stderr.write(note)  # the engine shows it as information
            sys.stderr.flush()
        code = self._children.run(context, command, Path(request.info.program_directory), environment)
        if code == 0:
            return language_pb2.RunResponse()
        if code == _SHOWN_ALREADY:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {max(code, -1)}")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Run a policy pack or a component package until the engine cancels the call."""
        folder = Path(request.info.program_directory)
        python = _interpreter(request.info, context, plugin=True)
        environment = {
            **python.environment(os.environ),
            **dict(item.partition("=")[::2] for item in request.env),
        }
        target = [_START, str(folder)]
        if not (folder / "__main__.py").is_file():
            target = ["-m", "pulumi.run.plugin", _package_name(folder, context)]
        lines = self._children.stream(
            context, [python.executable, *target, *request.args], Path(request.pwd), environment
        )
        code = yield from _answers(lines, language_pb2.RunPluginResponse)
        yield language_pb2.RunPluginResponse(exitcode=code)

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Create the virtual environment if it does not exist, and install requirements.txt into it."""
        folder = Path(request.info.program_directory)
        python = _interpreter(request.info, context, plugin=request.is_plugin)
        if python.folder is None:
            if (folder / "requirements.txt").is_file():
                _abort(context, "runtime.options has no `virtualenv`: name the folder to install into")
            return
        steps: list[list[str]] = []
        if not python.made:
            steps.append([sys.executable, "-m", "venv", str(python.folder)])
        if (folder / "requirements.txt").is_file():
            pip = [str(python.folder / "bin" / "python"), "-m", "pip", "install"]
            steps.append([*pip, "--disable-pip-version-check", "-r", "requirements.txt"])
        for step in steps:
            text = " ".join(step)
            yield language_pb2.InstallDependenciesResponse(stdout=f"{text}\n".encode())
            lines = self._children.stream(context, step, folder, python.environment(os.environ))
            code = yield from _answers(lines, language_pb2.InstallDependenciesResponse)
            if code:
                _abort(context, f"`{text}` failed with exit code {code}")

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Return the Python that runs programs, and its version."""
        python = _interpreter(request.info, context)
        if Path(python.executable).samefile(sys.executable):  # asked at every preview and `up`
            version = platform.python_version()
        else:
            version = _output(python, "-c", "import platform; print(platform.python_version())").strip()
        return language_pb2.AboutResponse(executable=python.executable, version=version)

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        """List the packages of the program's environment."""
        python = _interpreter(request.info, context)
        chosen = [] if request.transitiveDependencies else ["--not-required"]
        packages = json.loads(_output(python, "-m", "pip", "list", "--format", "json", *chosen))
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=package["name"], version=package["version"])
                for package in packages
            ]
        )

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Return no version."""
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Return no plugins: the program's registrations name theirs, with version."""
        return language_pb2.GetRequiredPackagesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Return no prompts for `pulumi new`."""
        return language_pb2.RuntimeOptionsResponse()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """End all processes."""
        self._children.end()
        return empty_pb2.Empty()

    def _only_official(self, request: Any, context: Any) -> NoReturn:  # noqa: ARG002
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "Python code is generated, linked and packed by the official Pulumi CLI only "
            "(https://www.pulumi.com/docs/install/): this language host runs programs, policy packs and "
            "component packages.",
        )
        raise AssertionError  # abort raises

    GenerateProgram = GenerateProject = GeneratePackage = Pack = Link = _only_official


def _interpreter(info: Any, context: Any, *, plugin: bool = False) -> Interpreter:
    try:
        return interpreter(info, plugin=plugin)
    except OptionsError as error:
        _abort(context, str(error))


def _package_name(folder: Path, context: Any) -> str:
    try:
        return str(tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        _abort(context, f"{folder} has neither __main__.py nor a pyproject.toml that names a project")


def _answers(lines: Any, answer: Any) -> Any:
    while True:
        try:
            name, line = next(lines)
        except StopIteration as end:
            return end.value
        yield answer(**{name: line})


def _output(python: Interpreter, *arguments: str) -> str:
    return subprocess.run(
        [python.executable, *arguments],
        env=python.environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _abort(context: Any, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, message)
    raise AssertionError  # abort raises
