"""Pulumi.yaml and the stack files: what is read, and what is refused, by its key."""

from pathlib import Path

import pytest

from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig
from sandbox.errors import ConfigError, ProjectError

SCHEMA = """
name: demo
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
options: {refresh: always}
config:
  rate: {type: string, description: from 0 to 1}
  mode: {type: string, default: observe}
  days: {type: integer, default: 14}
  flag: {type: boolean, default: false}
  emails: {type: array, items: {type: string}, default: []}
  extra: {type: object, default: {a: 1}}
  aws:region: {value: eu-west-1}
"""


def write(folder: Path, *, project: str = SCHEMA, stack: str = "config: {demo:rate: 0.3}") -> Path:
    (folder / "Pulumi.yaml").write_text(project)
    (folder / "Pulumi.dev.yaml").write_text(stack)
    (folder / "__main__.py").touch()
    return folder


def test_values_reach_the_program_as_the_cli_passes_them(tmp_path: Path) -> None:
    stack = """
    config:
      demo:rate: 0.30
      demo:days: 7
      flag: true
      demo:emails: [a@b.c, yes]
      demo:undeclared: 1
      aws:region: us-east-1
      other:thing: {deep: [1, 2]}
    """
    loaded = StackConfig.load(write(tmp_path, stack=stack), "dev", {"mode": "act", "demo:days": "9"})

    assert loaded.values == {
        "demo:rate": "0.3",
        "demo:mode": "act",
        "demo:days": "9",
        "demo:flag": "true",
        "demo:emails": '["a@b.c","yes"]',
        "demo:extra": '{"a":1}',
        "demo:undeclared": "1",
        "aws:region": "us-east-1",
        "other:thing": '{"deep":[1,2]}',
    }


def test_defaults_and_project_wide_values(tmp_path: Path) -> None:
    loaded = StackConfig.load(write(tmp_path), "dev")

    assert loaded.values["aws:region"] == "eu-west-1"
    assert loaded.values["demo:flag"] == "false"
    assert loaded.values["demo:emails"] == "[]"


@pytest.mark.parametrize(
    ("written", "text"), [("0", "0"), ("1.0", "1"), ("1e-06", "1e-06"), (".nan", ".nan"), ("'yes'", "yes")]
)
def test_a_number_reaches_a_string_key_as_its_text(tmp_path: Path, written: str, text: str) -> None:
    folder = write(tmp_path, stack=f"config: {{demo:rate: {written}}}")

    assert StackConfig.load(folder, "dev").values["demo:rate"] == text


@pytest.mark.parametrize(
    ("stack", "problem"),
    [
        ("config: {}", "no value for demo:rate, which is required (string: from 0 to 1)"),
        ("config: {demo:rate: [1]}", "demo:rate must be a string, and is [1]"),
        ("config: {demo:rate: 1, demo:days: 1.5}", "demo:days must be an integer, and is 1.5"),
        ("config: {demo:rate: 1, demo:days: true}", "demo:days must be an integer, and is True"),
        ("config: {demo:rate: 1, demo:flag: 1}", "demo:flag must be a boolean (true or false), and is 1"),
        (
            "config: {demo:rate: 1, demo:flag: yes}",
            "demo:flag must be a boolean (true or false), and is 'yes'",
        ),
        ("config: {demo:rate: 1, demo:emails: x}", "demo:emails must be an array of string, and is 'x'"),
        ("config: {demo:rate: 1, demo:emails: [1]}", "demo:emails must be an array of string, and is [1]"),
        ("config: {demo:rate: 1, demo:extra: 2}", "demo:extra must be an object (a mapping), and is 2"),
        ("config: {demo:rate: {secure: abc}}", "demo:rate holds a `secure:` value"),
    ],
)
def test_a_value_against_the_schema_is_refused(tmp_path: Path, stack: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        StackConfig.load(write(tmp_path, stack=stack), "dev")

    assert problem in str(refused.value)


def test_an_unknown_stack_lists_those_there_are(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "Pulumi.prod.yaml").write_text("")

    with pytest.raises(ProjectError, match=r"no stack 'live'\. There are: dev, prod"):
        StackConfig.load(folder, "live")


@pytest.mark.parametrize(
    ("stack", "problem"),
    [
        ("confg: {}", "has confg, which the sandbox does not read"),
        ("config: [1]", "`config` must be a mapping"),
        ("config: {a: 1, a: 2}", "the key 'a' is there twice"),
        ("config: {a", "is not valid YAML"),
    ],
)
def test_a_malformed_stack_file_is_refused(tmp_path: Path, stack: str, problem: str) -> None:
    with pytest.raises(ProjectError) as refused:
        StackConfig.load(write(tmp_path, stack=stack), "dev")

    assert problem in str(refused.value)


def test_the_project_is_read(tmp_path: Path) -> None:
    project = Project.load(write(tmp_path))

    assert (project.name, project.folder, project.refresh_always) == ("demo", tmp_path.resolve(), True)


@pytest.mark.parametrize(
    ("project", "problem"),
    [
        ("runtime: python", "`name` must be"),
        ("name: demo\nruntime: nodejs", "whose `runtime` is python, and this one is 'nodejs'"),
        ("name: demo\nruntime: python\noptions: {refresh: never}", "can only be `always`, and is 'never'"),
        ("name: demo\nruntime: python\nmain: src", "does not exist"),
        ("name: demo\nruntime: python\nconfig: {a: {type: number}}", "has the type 'number'"),
        ("name: demo\nruntime: python\nconfig: {a: {description: x}}", "has no `type`"),
        ("name: demo\nruntime: python\nconfig: {a: {type: array}}", "needs `items:"),
        (
            "name: demo\nruntime: python\nconfig: {a: {type: string, items: {type: string}}}",
            "only an array has",
        ),
        (
            "name: demo\nruntime: python\nconfig: {a: {type: string, default: x, value: y}}",
            "both `default` and",
        ),
        ("name: demo\nruntime: python\nconfig: {a: {type: string, defualt: x}}", "unknown field defualt"),
        ("name: demo\nruntime: python\nconfig: {aws:x: {type: string}}", "of another namespace"),
    ],
)
def test_a_malformed_project_is_refused(tmp_path: Path, project: str, problem: str) -> None:
    with pytest.raises(ProjectError) as refused:
        Project.load(write(tmp_path, project=project))

    assert problem in str(refused.value)


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"There is no Pulumi\.yaml"):
        Project.load(tmp_path)
