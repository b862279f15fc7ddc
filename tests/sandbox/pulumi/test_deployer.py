"""The in-process deployer, on a provider that answers from the table without any account."""

import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from selfheal.sandbox.errors import ProgramError, ProjectError, SandboxError
from selfheal.sandbox.pulumi.deployer import deploy, make_urn
from tests.policies.support.recording import EmptyAccount

HEAD = "import json\nimport pulumi\nimport pulumi_aws as aws\nfrom pulumi import ResourceOptions as Options\n"


def project(folder: Path, body: str, config: str = "", stack: str = "config: {}") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.yaml").write_text(f"name: small\nruntime: python\n{textwrap.dedent(config)}")
    (folder / "Pulumi.dev.yaml").write_text(textwrap.dedent(stack))
    (folder / "__main__.py").write_text(HEAD + textwrap.dedent(body))
    return folder


def deployed(folder: Path, **overrides: Any) -> dict[str, Any]:
    return deploy(folder, EmptyAccount(), stack="dev", overrides=overrides)


def test_it_creates_in_the_order_of_dependencies_and_returns_the_outputs(tmp_path: Path) -> None:
    body = """
    topic = aws.sns.Topic("news", opts=Options(protect=True, ignore_changes=["displayName"]))
    class Box(pulumi.ComponentResource):
        def __init__(self, name):
            super().__init__("small:index:Box", name)
            self.queue = aws.sqs.Queue("jobs", opts=Options(parent=self, depends_on=[topic]))
            self.register_outputs({})
    pulumi.export("arn", topic.arn)
    pulumi.export("urn", Box("box").queue.urn)
    pulumi.export("secret", pulumi.Output.secret({"whole": 1, "fraction": 0.5}))
    """
    outputs = deployed(project(tmp_path, body))
    assert outputs["arn"].startswith("arn:aws:sns:us-east-1:000000000000:news-")
    assert outputs["urn"] == "urn:pulumi:dev::small::small:index:Box$aws:sqs/queue:Queue::jobs"
    assert outputs["secret"] == {"whole": 1, "fraction": 0.5}


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ("", "urn:pulumi:s::p::a:b:C::n"),
        ("urn:pulumi:s::p::pulumi:pulumi:Stack::p-s", "urn:pulumi:s::p::a:b:C::n"),
        ("urn:pulumi:s::p::x:y:Z::box", "urn:pulumi:s::p::x:y:Z$a:b:C::n"),
        ("urn:pulumi:s::p::x:y:Z$q:r:S::box::x", "urn:pulumi:s::p::x:y:Z$q:r:S$a:b:C::n"),
    ],
)
def test_urns_chain_the_types_of_all_parents_but_the_stack(parent: str, expected: str) -> None:
    assert make_urn("s", "p", parent, "a:b:C", "n") == expected


CONFIG = """
config:
  text: {type: string, default: 0.30}
  list: {type: array, items: {type: integer}, default: [1, 2]}
  flag: {type: boolean, default: true}
  required: {type: string}
  empty: {type: string, default: ""}
  aws:region: {value: eu-west-1}
"""
PRINT = """
own = pulumi.Config()
names = ["text", "list", "flag", "required", "empty", "more"]
pulumi.export("config", {name: own.get(name) for name in names})
pulumi.export("region", pulumi.Config("aws").get("region"))
"""


def test_configuration_is_the_texts_of_schema_stack_file_and_overrides(tmp_path: Path) -> None:
    stack = "config: {small:required: yes, small:flag: null, small:more: {a: [1, x]}}"
    outputs = deployed(project(tmp_path, PRINT, CONFIG, stack), list=[3], **{"aws:region": "eu-west-3"})
    assert outputs["config"] == {
        "text": "0.30",
        "list": "[3]",
        "required": "yes",
        "empty": "",
        "more": '{"a":[1,"x"]}',
    }
    assert outputs["region"] == "eu-west-3"
    (tmp_path / "Pulumi.dev.yaml").unlink()
    assert deployed(tmp_path)["config"] == {"text": "0.30", "list": "[1,2]", "flag": "true", "empty": ""}


def test_what_a_stack_file_encrypts_must_be_overridden(tmp_path: Path) -> None:
    folder = project(tmp_path, PRINT, CONFIG, "config: {small:required: {secure: v1:abc}}")
    with pytest.raises(ProjectError, match="small:required holds a `secure:` value"):
        deployed(folder)
    assert deployed(folder, required="made up")["config"]["required"] == "made up"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("aws.sns.Topic('t', name='bad')", "aws:sns/topic:Topic 't': creating: no such luck"),
        ("aws.efs.FileSystem('k')", r"aws:efs/fileSystem:FileSystem 'k': .*no resource type"),
        ("aws.sns.Topic('t'); aws.sns.Topic('t')", "aws:sns/topic:Topic 't': Duplicate resource URN"),
        ("raise ValueError('no good')", "failed: ValueError: no good"),
        ("pulumi.Config().require('missing')", "small:missing"),
        ("raise pulumi.RunError('by the program')", r"failed: by the program$"),
        ("import sys; sys.exit(3)", "failed: SystemExit: 3"),
        ("aws.sns.Topic('t', opts=Options(import_='arn'))", "'t': the resource option import_ needs"),
        ("aws.sns.Topic('t', opts=Options(deleted_with=aws.sqs.Queue('q')))", "option deleted_with needs"),
        ("aws.Provider('p', region='us-west-2')", "'p': an explicit provider needs the Pulumi CLI"),
        ("pulumi.runtime.register_resource_transform(lambda args: None)", "registers a stack transform"),
        ("pulumi.ResourceHook('h', lambda args: None)", "registers a resource hook"),
    ],
)
def test_a_failure_names_the_resource_and_the_reason(tmp_path: Path, body: str, told: str) -> None:
    class Refusing(EmptyAccount):
        def create(self, type_: str, inputs: Any, /) -> Any:
            if inputs.get("name") == "bad":
                raise SandboxError("creating: no such luck")
            return super().create(type_, inputs)

    folder = project(tmp_path, f"aws.sqs.Queue('others')\n{body}")
    with pytest.raises(SandboxError, match=told):
        deploy(folder, Refusing(), stack="dev")


def test_what_depends_on_a_failure_is_not_created(tmp_path: Path) -> None:
    created: list[str] = []

    class Refusing(EmptyAccount):
        def create(self, type_: str, inputs: Any, /) -> Any:
            created.append(inputs["name"])
            if inputs["name"] == "bad":
                raise SandboxError("no")
            return super().create(type_, inputs)

    body = """
    first = aws.sns.Topic("t", name="bad")
    aws.sqs.Queue("q", name="after", opts=Options(depends_on=first))
    """
    with pytest.raises(ProgramError):
        deploy(project(tmp_path, body), Refusing(), stack="dev")
    assert created == ["bad"]


@pytest.mark.slow
def test_a_program_may_catch_what_a_function_refuses_and_look_up_what_is_there(tmp_path: Path) -> None:
    class Reading(EmptyAccount):
        def read(self, _type: str, id_: str, _inputs: Any, /) -> Any:
            return ({}, {"arn": id_, "name": "old"}) if id_ == "arn:old" else None

    body = """
    try:
        aws.dynamodb.get_table_item(table_name="t", key="{}")
    except Exception as error:
        pulumi.export("told", str(error))
    pulumi.export("name", aws.sns.Topic.get("old", pulumi.Config().require("id")).name)
    """
    folder = project(tmp_path, body)
    outputs = deploy(folder, Reading(), stack="dev", overrides={"id": "arn:old"})
    assert "getTableItem returned an error: reading" in outputs["told"]
    assert outputs["name"] == "old"
    with pytest.raises(ProgramError, match="'old': There is none with the id 'arn:new'"):
        deploy(folder, Reading(), stack="dev", overrides={"id": "arn:new"})


def test_programs_see_their_own_modules_files_and_settings_from_any_thread(tmp_path: Path) -> None:
    import settings as ours

    body = """
    import settings
    from lib.inner import TEXT
    pulumi.export("seen", [settings.NAME, TEXT, open("text").read(), pulumi.Config().require("key")])
    """
    folders = [project(tmp_path / name, body) for name in ("one", "two")]
    for folder in folders:
        (folder / "settings.py").write_text(f"NAME = {folder.name!r}")
        (folder / "lib").mkdir()
        (folder / "lib" / "inner.py").write_text("import settings\nTEXT = settings.NAME * 2")
        (folder / "text").write_text(f"file of {folder.name}")
    path, modules = [*sys.path], set(sys.modules)
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(deployed, folder, key=folder.name) for folder in folders for _ in range(2)]
    for folder, found in zip([*folders[:1] * 2, *folders[1:] * 2], both, strict=True):
        name = folder.name
        assert found.result()["seen"] == [name, name * 2, f"file of {name}", name]
    assert sys.modules["settings"] is ours
    assert sys.path == path
    assert {
        name for name in set(sys.modules) - modules if name.partition(".")[0] in {"lib", "settings"}
    } == set()
    assert [*tmp_path.rglob("__pycache__")] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        ("runtime: python", "no `name`"),
        ("name: x\nruntime: nodejs", "'nodejs'"),
        ("name: x\nruntime: python\nmain: src", "no program"),
        ("name: x\nruntime: python\nconfig: [a]", "`config` must be a mapping"),
        ("- a", "must hold a mapping"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_project_that_cannot_be_used_says_why(tmp_path: Path, text: str | None, told: str) -> None:
    folder = project(tmp_path, "")
    (folder / "Pulumi.yaml").unlink()
    if text is not None:
        (folder / "Pulumi.yaml").write_text(text)
    with pytest.raises(ProjectError, match=told):
        deployed(folder)
