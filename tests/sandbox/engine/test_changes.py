"""Update, replace and delete: what is done, and in which order."""

import pytest

from sandbox.provider.wire import UNKNOWN
from tests.support.engine_project import Lab


def test_replacement_is_made_first_and_the_old_one_goes_last(lab: Lab) -> None:
    program = """
        a = Thing("a", kind="{kind}")
        b = Thing("b", tags={{"of": a.arn}})
        pulumi.export("of", a.arn)
    """
    lab.write(program.format(kind="old"))
    assert lab.engine.up().ok
    first = lab.live("a")["name"]
    lab.provider.calls.clear()
    lab.write(program.format(kind="new"))

    previewed = lab.engine.preview()

    assert previewed.changes == {"same": 1, "replace": 1, "update": 1}
    assert previewed.outputs["of"] == UNKNOWN
    assert [event.changed for event in lab.events if event.op == "replace"] == [("kind",)]

    done = lab.engine.up()

    assert done.ok, done.error
    assert done.changes == previewed.changes
    assert lab.provider.calls == [("create", "a"), ("update", "b"), ("delete", "a")]
    second = lab.live("a")["name"]
    assert second != first, "both exist for a while, so they need two names"
    assert lab.live("b")["tags"] == {"of": f"arn:{second}"}
    assert lab.engine.up().changes == {"same": 3}


@pytest.mark.slow
def test_delete_before_replace_takes_the_dependents_that_must_go_with_it(lab: Lab) -> None:
    program = """
        a = Thing("a", type_="fake:index:Solo", name="a-1", kind="{kind}")
        b = Thing("b", ref=a.arn)
        c = Thing("c", ref=b.arn)
        d = Thing("d", tags={{"of": a.arn}})
    """
    lab.write(program.format(kind="old"))
    assert lab.engine.up().ok
    lab.provider.calls.clear()
    lab.write(program.format(kind="new"))

    done = lab.engine.up()

    assert done.ok, done.error
    assert done.changes["replace"] == 3
    assert lab.provider.calls[:4] == [("delete", "c"), ("delete", "b"), ("delete", "a"), ("create", "a")]
    assert set(lab.provider.calls[4:]) == {("create", "b"), ("create", "c")}
    assert lab.live("a")["kind"] == "new"
    assert lab.engine.up().changes == {"same": 5}


@pytest.mark.slow
def test_what_is_no_longer_registered_goes_dependents_first(lab: Lab) -> None:
    lab.write("""
        box = Box("box")
        a = Thing("a")
        b = Thing("b", ref=a.arn, opts=Options(parent=box))
        c = Thing("c", opts=Options(depends_on=[b]))
        Thing("kept")
    """)
    assert lab.engine.up().ok
    lab.provider.calls.clear()
    lab.write('Thing("kept")\n')

    assert lab.engine.preview().changes == {"same": 2, "delete": 4}
    assert lab.provider.calls == []

    done = lab.engine.up()

    assert done.changes == {"same": 2, "delete": 4}
    assert lab.provider.named("delete") == ["c", "b", "a"]


def test_options_of_a_resource_are_honoured(lab: Lab) -> None:
    program = """
        Thing("ignored", size={n}, tags={{"mine": "{n}", "theirs": "{n}"}},
              opts=Options(ignore_changes=["size", "tags.theirs"]))
        Thing("forced", size={n}, opts=Options(replace_on_changes=["size"]))
        Thing("first", kind="{n}", name="first-1", opts=Options(delete_before_replace=True))
    """
    lab.write(program.format(n=1))
    assert lab.engine.up().ok
    lab.provider.calls.clear()
    lab.write(program.format(n=2))

    done = lab.engine.up()

    assert done.ok, done.error
    assert done.changes == {"same": 1, "update": 1, "replace": 2}
    live = lab.live("ignored")
    assert (live["size"], live["tags"]) == (1, {"mine": "2", "theirs": "1"})
    steps = [call for call in lab.provider.calls if call[1] == "first"]
    assert steps == [("delete", "first"), ("create", "first")]
    assert sorted(lab.provider.named("delete")) == ["first", "forced"]


@pytest.mark.slow
def test_protected_is_neither_deleted_nor_replaced(lab: Lab) -> None:
    lab.write('Thing("a", kind="x", opts=Options(protect=True))\nThing("b")\n')
    assert lab.engine.up().ok

    refused = lab.engine.destroy()

    assert not refused.ok
    assert "fake:index:Thing 'a' cannot be deleted because it is protected" in str(refused.error)
    assert len(lab.provider.cloud) == 2, "one protected resource keeps all"

    lab.write('Thing("b")\n')
    dropped = lab.engine.up()
    assert "fake:index:Thing 'a' cannot be deleted" in str(dropped.error)

    lab.write('Thing("a", kind="y", opts=Options(protect=True))\nThing("b")\n')
    replaced = lab.engine.up()
    assert "fake:index:Thing 'a': It would have to be replaced because of kind" in str(replaced.error)
    assert lab.live("a")["kind"] == "x"

    lab.write('Thing("a", kind="x")\nThing("b")\n')
    assert lab.engine.up().changes == {"same": 3}
    assert lab.engine.destroy().ok


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["text", "file"])
def test_an_archive_is_compared_by_its_content(lab: Lab, changed: str) -> None:
    program = """
        code = {"lib": pulumi.FileArchive("lib"), "m": pulumi.StringAsset("TEXT")}
        Thing("a", code=pulumi.AssetArchive(code))
    """
    lab.write(program)
    (lab.folder / "lib").mkdir()
    (lab.folder / "lib" / "x.py").write_text("1")
    assert lab.engine.up().ok
    assert lab.engine.up().changes == {"same": 2}

    if changed == "text":
        lab.write(program.replace("TEXT", "text"))
    else:
        (lab.folder / "lib" / "x.py").write_text("2")

    assert lab.engine.up().changes == {"same": 1, "update": 1}
