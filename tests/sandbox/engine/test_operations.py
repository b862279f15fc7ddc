"""preview, up, refresh and destroy of programs that go well."""

import json
import os
import stat
from pathlib import Path

import pytest

from sandbox.engine.engine import SECRET
from sandbox.engine.events import Severity
from sandbox.provider.wire import UNKNOWN
from tests.support.engine_project import Lab

WHOLE = """
box = Box("box")
inner = Box("inner", Options(parent=box))
a = Thing("a", size=1, tags={"x": "1", "y": None}, opts=Options(parent=inner),
          code=pulumi.AssetArchive({"m.py": pulumi.StringAsset("pass")}))
inner.register_outputs({"arn": a.arn})
b = Thing("b", ref=a.arn, token=pulumi.Output.secret("s3cr3t"), opts=Options(depends_on=[box]))
config = pulumi.Config()
pulumi.export("arn", b.arn)
pulumi.export("known", pulumi.Output.concat("x/", b.name))
pulumi.export("size", a.size)
pulumi.export("token", b.token)
pulumi.export("flag", config.require_bool("flag"))
pulumi.export("list", config.require_object("list"))
pulumi.export("doubled", pulumi.runtime.invoke("fake:index:double", {"value": 21}).value["result"])
pulumi.info("told")
pulumi.log.warn("beware", b)
print("printed")
"""


def test_a_program_from_preview_to_destroy(lab: Lab) -> None:
    lab.write(WHOLE, config="demo:flag: true\ndemo:list: [1, two]\n")

    previewed = lab.engine.preview()

    assert previewed.ok, previewed.error
    assert previewed.changes == {"create": 5}
    assert previewed.outputs["arn"] == UNKNOWN
    assert previewed.outputs["known"].startswith("x/b-")
    assert lab.provider.calls == []
    assert not lab.state_file.path.parent.exists()

    first = lab.engine.up()

    assert first.ok, first.error
    assert first.changes == {"create": 5}
    name = lab.live("b")["name"]
    assert first.outputs == {
        "arn": f"arn:{name}",
        "known": f"x/{name}",
        "size": 1,
        "token": SECRET,
        "flag": True,
        "list": [1, "two"],
        "doubled": 42,
    }
    assert {(item.severity, item.message) for item in first.diagnostics} == {
        (Severity.INFO, "told"),
        (Severity.INFO, "printed"),
        (Severity.WARNING, "beware"),
    }
    urns = [item.urn for item in lab.state.resources]
    assert urns == [
        "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev",
        "urn:pulumi:dev::demo::demo:index:Box::box",
        "urn:pulumi:dev::demo::demo:index:Box$demo:index:Box::inner",
        "urn:pulumi:dev::demo::demo:index:Box$demo:index:Box$fake:index:Thing::a",
        "urn:pulumi:dev::demo::fake:index:Thing::b",
    ]
    a, b = lab.state.resources[3:]
    assert a.inputs["tags"] == {"x": "1"}
    assert b.property_dependencies["ref"] == (a.urn,)
    assert b.dependencies == (a.urn,)
    assert b.secrets == ("token",)
    assert lab.state.resources[2].outputs == {"arn": a.outputs["arn"]}
    assert lab.engine.outputs() == first.outputs

    before = lab.state_file.path.read_bytes()
    again = lab.engine.up()

    assert again.ok
    assert again.changes == {"same": 5}
    assert lab.state_file.path.read_bytes() == before
    assert lab.provider.named("create") == ["a", "b"]
    assert lab.provider.named("update") == []

    gone = lab.engine.destroy()

    assert gone.ok
    assert gone.changes == {"delete": 5}
    assert lab.happened("delete") == ["b", "a", "inner", "box", "demo-dev"]
    assert lab.provider.cloud == {}
    assert lab.state.resources == []
    assert lab.engine.outputs() == {}


def test_the_state_is_for_its_owner_only_and_holds_no_content(lab: Lab) -> None:
    lab.write('Thing("a", code=pulumi.FileAsset("Pulumi.yaml"))\n')

    assert lab.engine.up().ok

    assert stat.S_IMODE(lab.state_file.path.stat().st_mode) == 0o600
    [code] = [item.inputs["code"] for item in lab.state.resources if item.custom]
    assert code.content is None
    assert "runtime" not in lab.state_file.path.read_text()
    assert json.loads(lab.state_file.path.read_text())["format"] == 1
    assert list(lab.state_file.path.with_name("state.json.blobs").iterdir()) == []


def test_drift_stays_without_refresh_and_is_put_back_with_it(lab: Lab) -> None:
    lab.write('Thing("a", size=1)\n')
    assert lab.engine.up().ok
    name = lab.live("a")["name"]
    lab.provider.drift(name, size=9)

    assert lab.engine.up().changes == {"same": 2}
    assert lab.live("a")["size"] == 9

    previewed = lab.engine.preview(refresh=True)
    assert previewed.changes == {"same": 1, "update": 1}
    assert [event.changed for event in lab.events if event.op == "update"] == [("size",)]
    assert lab.live("a")["size"] == 9

    assert lab.engine.up(refresh=True).changes == {"same": 1, "update": 1}
    assert lab.live("a") == {"size": 1, "name": name}


@pytest.mark.slow
def test_refresh_always_is_honoured_by_up_and_can_be_overridden(lab: Lab) -> None:
    lab.write('Thing("a", size=1)\n', settings="options: {refresh: always}\n")
    assert lab.engine.up().ok
    lab.provider.drift(lab.live("a")["name"], size=9)

    assert lab.engine.up(refresh=False).changes == {"same": 2}
    assert lab.engine.up().changes == {"same": 1, "update": 1}

    lab.provider.vanish(lab.live("a")["name"])
    assert lab.engine.preview().changes == {"same": 1, "create": 1}
    destroyed = lab.engine.destroy()
    assert destroyed.changes == {"delete": 1}, "what is gone already is not deleted once more"


@pytest.mark.slow
def test_refresh_records_what_is_live(lab: Lab) -> None:
    lab.write('Thing("a", size=1)\nThing("b")\nThing("c")\n')
    assert lab.engine.up().ok
    lab.provider.drift(lab.live("a")["name"], size=9)
    lab.provider.vanish(lab.live("b")["name"])

    refreshed = lab.engine.refresh()

    assert refreshed.ok
    assert refreshed.changes == {"update": 1, "delete": 1}
    assert {item.name: item.inputs.get("size") for item in lab.state.resources if item.custom} == {
        "a": 9,
        "c": None,
    }


@pytest.mark.slow
def test_a_resource_that_is_looked_up_is_read_and_never_deleted(lab: Lab) -> None:
    lab.provider.create("fake:index:Thing", {"name": "theirs-1", "size": 7})
    lab.write("""
        class Found(pulumi.CustomResource):
            size: pulumi.Output[int]
        found = Found("fake:index:Thing", "theirs", {"size": None}, Options(id="theirs-1"))
        Thing("mine", size=found.size)
        pulumi.export("id", found.id)
    """)

    result = lab.engine.up()

    assert result.ok, result.error
    assert result.outputs == {"id": "theirs-1"}
    assert lab.live("mine")["size"] == 7
    assert lab.engine.destroy().ok
    assert set(lab.provider.cloud) == {"theirs-1"}


def test_the_program_gets_nothing_of_the_users_aws_setup(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("PULUMI_CONFIG", "{}")
    lab.write("""
        import os, sys
        pulumi.export("aws", {k: v for k, v in os.environ.items() if k.startswith("AWS_")})
        pulumi.export("cwd", os.getcwd())
        pulumi.export("path", sys.path[0])
        pulumi.export("ours", "sandbox.engine.engine" in sys.modules)
    """)

    result = lab.engine.up()

    assert result.ok, result.error
    assert result.outputs["aws"] == {
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert Path(result.outputs["cwd"]) == lab.folder
    assert Path(result.outputs["path"]) == lab.folder
    assert result.outputs["ours"] is False
