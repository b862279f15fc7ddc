"""docs/your-services.md, as another team reads it: its programs in YAML and Python, deployed and healed."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from selfheal.functions.shared.contract import Mode
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Credentials
from selfheal.sandbox.pulumi.cli import EXECUTABLE
from tests.conftest import ROOT
from tests.e2e.support.live_threads import Callers, every
from tests.e2e.support.platform import wait_for
from tests.support.stacks import FAILED, SECONDS, Account, Stack
from tests.support.wheel import build_wheel

PAGE = ROOT / "docs" / "your-services.md"
PACK = ("--policy-pack", str(ROOT / "policies"))
YAML_HOST = "pulumi-language-yaml"
SANDBOX = {"shop:sandbox": "true"}
"""What the page has people set before they deploy."""
SETTINGS = {"checkout": "NEW_PRICING", "stock": "FAST_COUNT"}


def have_yaml_host() -> bool:
    """Whether the CLI finds its language host of YAML programs: beside it or on PATH."""
    return EXECUTABLE.resolve().with_name(YAML_HOST).exists() or shutil.which(YAML_HOST) is not None


needs_yaml = pytest.mark.skipif(
    not have_yaml_host(), reason=f"this CLI has no {YAML_HOST}; `make setup` says why it built none"
)


def lines(heading: str, language: str = "bash", number: int = 0) -> str:
    """Return the lines of a block of the page below a heading."""
    below = PAGE.read_text().split(f" {heading}\n")[1]
    return re.findall(rf"```{language}\n(.*?)```", below, re.DOTALL)[number]


def project(parent: Path, heading: str) -> Path:
    """Type what the page says to write a project, but for what it installs; returns the project's folder."""
    program = re.sub(r"^(python3 -m venv|.venv/bin/pip) .*", "", lines(heading), flags=re.MULTILINE)
    parent.mkdir()
    subprocess.run(
        ["bash", "-eu", "-c", f"{lines('Set up', number=1)}\n{program}"],
        cwd=parent,
        env={"PATH": "/usr/bin:/bin", "SELFHEAL": str(ROOT)},
        check=True,
    )
    return parent / "shop"


def add(file: Path, after: str, line: str) -> None:
    """Add a line to a program after the only one that begins like this, as deeply indented."""
    pattern = re.compile(rf"^( *){after}.*$", re.MULTILINE)
    text, count = pattern.subn(lambda found: f"{found[0]}\n{found[1]}{line}", file.read_text())
    assert count == 1, text
    file.write_text(text)


@dataclass(frozen=True)
class Deployed:
    """A program of the page, deployed with the pack."""

    stack: Stack
    told: str
    """What `up` printed."""


def deployed(stack: Stack) -> Deployed:
    """Deploy a stack with the pack."""
    return Deployed(stack, stack.run("up", *PACK))


@pytest.fixture(scope="module")
def from_yaml(cloud: Account, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The YAML program, whose healer may change both functions at a time."""
    folder = project(tmp_path_factory.mktemp("yaml") / "team", "From YAML")
    add(folder / "Pulumi.yaml", "mode: act", "budget: 10")
    add(folder / "Pulumi.yaml", "mode: act", "guards: {blastRadius: 1}")
    return deployed(cloud.stack_with("yaml", folder, SANDBOX))


@pytest.fixture(scope="module")
def from_python(cloud: Account, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The Python program, likewise, with the wheel in an environment of its own and folders named as ours."""
    parent = tmp_path_factory.mktemp("python")
    folder = project(parent / "team", "From Python")
    add(folder / "__main__.py", '"mode": Mode.ACT', '"guards": {"blast_radius": 1.0},')
    with (folder / "__main__.py").open("a") as program:
        program.write("\nimport cli, components, selfheal\n\n")
        program.write('pulumi.export("imported", [cli.__file__, components.__file__, selfheal.__file__])\n')
    for name in ("cli", "components"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
    venv.create(folder / ".venv", with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / ".venv")]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", str(build_wheel(parent))], check=True)
    # The wheel's dependencies are those of the checkout: no test needs the internet.
    (site_packages(folder / ".venv") / "dependencies.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    return deployed(cloud.stack_with("python", folder, SANDBOX))


def site_packages(environment: Path) -> Path:
    """Return where a virtual environment has its packages."""
    (site,) = environment.glob("lib/python*/site-packages")
    return site


def test_the_package_says_of_each_component_what_it_needs(cloud: Account) -> None:
    done = subprocess.run(
        [str(EXECUTABLE), "package", "get-schema", str(ROOT / "components" / "plugin")],
        env=dict(cloud.environment),
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    schema = json.loads(done.stdout)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (schema["name"], schema["version"]) == (project["name"], project["version"])
    resources = schema["resources"]
    assert {token: set(each["requiredInputs"]) for token, each in resources.items()} == {
        "selfheal:index:Healer": {"targets", "ledgerName"},
        "selfheal:index:Detection": {"functionName", "actions"},
        "selfheal:index:FragileService": {"failureRate"},
    }
    properties = [each["inputProperties"] for each in resources.values()]
    properties += [each["properties"] for each in schema["types"].values() if "properties" in each]
    undescribed = [key for each in properties for key, value in each.items() if not value.get("description")]
    assert undescribed == []
    assert [each["value"] for each in schema["types"]["selfheal:index:Mode"]["enum"]] == list(Mode)


def test_the_typescript_on_the_page_is_what_the_workflow_type_checks() -> None:
    checked = (ROOT / "tests" / "typescript" / "index.ts").read_text().splitlines()
    shown = [
        line.split("  //")[0].rstrip()
        for line in lines("From TypeScript and others", "typescript").splitlines()
    ]
    assert [line for line in shown if line not in checked] == []


@needs_yaml
def test_a_yaml_program_is_deployed_with_the_pack(from_yaml: Deployed) -> None:
    assert "selfheal@v" in from_yaml.told
    assert "[mandatory]" not in from_yaml.told, from_yaml.told
    stack = from_yaml.stack
    assert stack.outputs()["ledgerTable"] == "shop-yaml-ledger"
    urn = stack.urn("Function", "healer")
    (healer,) = [each for each in stack.resources() if each["urn"] == urn]
    assert healer["outputs"]["environment"]["variables"]["BUDGET"] == "10"
    stack.preview("--expect-no-changes")


@needs_yaml
def test_what_a_component_refuses_reads_in_yaml_as_in_python(from_yaml: Deployed) -> None:
    file = from_yaml.stack.project / "Pulumi.yaml"
    whole = file.read_text()
    file.write_text(whole.replace("budget: 10", "budget: 100"))
    told = from_yaml.stack.preview(code=FAILED)
    file.write_text(whole)
    assert "budget must be a whole number from 1 to 24 (acts in a day), got 100." in told
    assert "Traceback" not in told
    assert ".py" not in told


def test_a_python_program_is_deployed_from_the_wheel_with_the_pack(from_python: Deployed) -> None:
    assert "selfheal@v" in from_python.told
    assert "[mandatory]" not in from_python.told, from_python.told
    outputs = from_python.stack.outputs()
    assert outputs["ledgerTable"] == "shop-python-ledger"
    folder = from_python.stack.project
    *own, installed = map(Path, outputs["imported"])
    assert own == [folder / "cli" / "__init__.py", folder / "components" / "__init__.py"]
    assert installed.parent.parent == site_packages(folder / ".venv")


def test_both_functions_of_each_are_healed(
    request: pytest.FixtureRequest, cloud: Account, from_python: Deployed
) -> None:
    """They share the wait: the alarms of functions that emit nothing evaluate whole minutes."""
    programs = [from_python, *([request.getfixturevalue("from_yaml")] if have_yaml_host() else [])]
    client = cloud.clients.get("lambda")
    outputs = [program.stack.outputs() for program in programs]
    functions = {each[target]: setting for each in outputs for target, setting in SETTINGS.items()}

    def values() -> list[str]:
        live = {name: client.get_function_configuration(FunctionName=name) for name in functions}
        return [live[name]["Environment"]["Variables"][setting] for name, setting in functions.items()]

    assert values() == ["on"] * len(functions)
    key = cloud.environment
    credentials = Credentials(key["AWS_ACCESS_KEY_ID"], key["AWS_SECRET_ACCESS_KEY"])
    with ExitStack() as running:
        running.enter_context(AlarmEvaluator(key["AWS_ENDPOINT_URL"], key["AWS_REGION"], credentials))
        for name in functions:
            running.enter_context(every(1, Callers(client, name).call))
        wait_for("healing", lambda: values() == ["off"] * len(functions), lambda: str(values()))


def test_the_baseline_is_not_put_back_over_the_remedies(
    request: pytest.FixtureRequest, from_python: Deployed
) -> None:
    """The incidents are still open. Python asks before its first resource; from YAML, the Healer does."""
    programs = [from_python, *([request.getfixturevalue("from_yaml")] if have_yaml_host() else [])]
    for program in programs:
        told = program.stack.run("up", code=FAILED)
        assert "an incident is open on checkout, stock" in told, told
        assert "Traceback" not in told
        client, outputs = program.stack.account.clients.get("lambda"), program.stack.outputs()
        for target, setting in SETTINGS.items():
            live = client.get_function_configuration(FunctionName=outputs[target])
            assert live["Environment"]["Variables"][setting] == "off"


@needs_yaml
def test_a_pull_request_from_yaml_is_only_warned(from_yaml: Deployed) -> None:
    add(from_yaml.stack.project / "Pulumi.yaml", "mode: act", "whileOpen: warn")
    assert "while_open is warn: `up` will be refused" in from_yaml.stack.preview()


@needs_yaml
def test_the_yaml_program_is_destroyed(from_yaml: Deployed) -> None:
    from_yaml.stack.run("destroy", "--skip-preview")
    assert from_yaml.stack.resources() == []
