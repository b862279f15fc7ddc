"""What goes wrong is named, stops the run, deletes nothing, and the next run goes on from there."""

import pytest

from sandbox.engine.events import Status
from sandbox.errors import LockedError
from tests.support.engine_project import Lab


def test_a_failed_step_is_named_and_the_next_run_goes_on_from_there(lab: Lab) -> None:
    lab.write('Thing("unneeded")\n')
    assert lab.engine.up().ok
    lab.write("""
        a = Thing("a")
        b = Thing("b", ref=a.arn)
        c = Thing("c", ref=b.arn)
        pulumi.export("arn", c.arn)
    """)
    lab.provider.failing["b"] = "the cloud said no"

    failed = lab.engine.up()

    assert not failed.ok
    assert failed.error == "fake:index:Thing 'b': the cloud said no"
    assert lab.happened("create", Status.FAILED) == ["b"]
    assert failed.changes == {"same": 1, "create": 1}
    assert {item.name for item in lab.state.resources} == {"demo-dev", "unneeded", "a"}
    assert lab.state.pending == []
    assert lab.provider.named("delete") == []
    assert failed.outputs == {}

    lab.provider.failing.clear()
    resumed = lab.engine.up()

    assert resumed.ok, resumed.error
    assert resumed.changes == {"same": 2, "create": 2, "delete": 1}
    assert lab.provider.named("create") == ["unneeded", "a", "b", "b", "c"]
    assert len(lab.provider.cloud) == 3


@pytest.mark.slow
def test_steps_that_run_at_the_same_time_are_ended_and_recorded(lab: Lab) -> None:
    import threading

    failed = threading.Event()
    lab.write('Thing("slow")\nThing("bad")\n')
    lab.provider.failing["bad"] = "no"
    original = lab.provider.create

    def create(type_: str, inputs: dict[str, object], /) -> tuple[str, dict[str, object]]:
        if str(inputs["name"]).startswith("slow"):
            assert failed.wait(10)
            return original(type_, inputs)
        try:
            return original(type_, inputs)
        finally:
            failed.set()

    lab.provider.create = create  # pyright: ignore[reportAttributeAccessIssue]

    result = lab.engine.up()

    assert result.error == "fake:index:Thing 'bad': no"
    assert [item.name for item in lab.state.resources if item.custom] == ["slow"]


@pytest.mark.slow
def test_a_failed_delete_is_named_and_tried_again(lab: Lab) -> None:
    lab.write('a = Thing("a")\nThing("b", ref=a.arn)\n')
    assert lab.engine.up().ok
    lab.provider.failing["b"] = "still in use"

    failed = lab.engine.destroy()

    assert failed.error == "fake:index:Thing 'b': still in use"
    assert len(lab.provider.cloud) == 2, "what it depends on stays"

    lab.provider.failing.clear()
    assert lab.engine.destroy().ok
    assert lab.provider.cloud == {}


def test_an_error_of_the_program_shows_its_own_line(lab: Lab) -> None:
    lab.write("""
        Thing("a")
        def helper():
            raise ValueError("failureRate must be 0..1")
        helper()
    """)

    result = lab.engine.up()

    assert not result.ok
    assert str(result.error).startswith("ValueError: failureRate must be 0..1\n")
    assert "in helper" in str(result.error)
    assert "run_in_stack" not in str(result.error)


@pytest.mark.slow
def test_a_program_that_just_ends_shows_what_it_printed(lab: Lab) -> None:
    lab.write('import os\nprint("last words", flush=True)\nos._exit(3)\n')

    result = lab.engine.up()

    assert result.error == "The program ended with exit code 3, after printing:\nlast words"


def test_a_function_call_that_fails_can_be_caught(lab: Lab) -> None:
    lab.write("""
        try:
            pulumi.runtime.invoke("fake:index:missing", {})
        except Exception as error:
            pulumi.export("error", str(error))
    """)

    result = lab.engine.preview()

    assert result.ok
    assert result.outputs["error"].endswith(
        "invocation of fake:index:missing returned an error: there is no such thing"
    )


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ('Thing("a")\nThing("a")', "Duplicate resource URN 'urn:pulumi:dev::demo::fake:index:Thing::a'"),
        ('Thing("a", "fake:index:Other")', "fake:index:Other 'a': the fake knows fake:index:Thing"),
        ('Thing("a", colour="red")', "fake:index:Thing 'a': unknown property colour"),
    ],
)
def test_duplicates_and_what_the_provider_lacks_are_errors(lab: Lab, program: str, error: str) -> None:
    lab.write(program)

    result = lab.engine.preview()

    assert not result.ok
    assert error in str(result.error)


@pytest.mark.parametrize(
    ("program", "error"),
    [
        (
            'Thing("a", opts=Options(retain_on_delete=True))',
            "'a': It uses the resource option retain_on_delete",
        ),
        ('Thing("a", opts=Options(import_="x"))', "'a': It uses the resource option import_"),
        (
            'Thing("a", opts=Options(transforms=[lambda args: None]))',
            "'a': It uses the resource option transforms",
        ),
        ('Thing("a", opts=Options(replacement_trigger="x"))', "the resource option replacement_trigger"),
        ('t = Thing("t")\nThing("a", opts=Options(deleted_with=t))', "the resource option deleted_with"),
        ('t = Thing("t")\nThing("a", opts=Options(replace_with=[t]))', "the resource option replace_with"),
        (
            'Thing("a", opts=Options(hooks=pulumi.ResourceHookBinding(before_create=[lambda args: None])))',
            "The program registers the resource hook 'fake:index:Thing_a_before_create_0'",
        ),
        ('pulumi.ProviderResource("fake", "mine")', "pulumi:providers:fake 'mine': Explicit providers"),
        ('pulumi.ComponentResource("a:b:C", "far", {}, None, True)', "a:b:C 'far': It is a remote component"),
        (
            "pulumi.runtime.register_resource_transform(lambda a: None)",
            "The program registers a stack transform",
        ),
        ('Thing("a", code=pulumi.FileArchive("nowhere"))', "fake:index:Thing 'a': FileArchive('nowhere')"),
        ('import sys\nsys.exit("enough")', "The program called sys.exit('enough')."),
    ],
)
@pytest.mark.slow
def test_what_is_refused_is_named(lab: Lab, program: str, error: str) -> None:
    lab.write(program)

    result = lab.engine.preview()

    assert not result.ok
    assert error in str(result.error)


def test_with_two_things_wrong_one_is_named(lab: Lab) -> None:
    lab.write('Thing("a", opts=Options(retain_on_delete=True))\nThing("b", colour="red")\n')

    result = lab.engine.preview()

    assert not result.ok
    assert "retain_on_delete" in str(result.error) or "unknown property colour" in str(result.error)


@pytest.mark.slow
def test_an_alias_matters_only_where_the_state_knows_it(lab: Lab) -> None:
    lab.write('Thing("old")\n')
    assert lab.engine.up().ok
    lab.write("""
        Thing("other", opts=Options(aliases=[pulumi.Alias(type_="fake:index:Former")]))
        Thing("new", opts=Options(aliases=[pulumi.Alias(name="old")]))
    """)

    result = lab.engine.up()

    assert "fake:index:Thing 'new': The state knows it as urn:pulumi:dev::demo::fake:index:Thing::old" in str(
        result.error
    )
    assert lab.provider.named("delete") == []


def test_two_runs_do_not_interleave(lab: Lab) -> None:
    lab.write('Thing("a")\n')

    with lab.state_file.lock():
        for operation in (lab.engine.up, lab.engine.refresh, lab.engine.destroy):
            with pytest.raises(LockedError, match=r"Another run \(process"):
                operation()

    assert lab.provider.calls == []
