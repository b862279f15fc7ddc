"""How the CLI is had: which route is taken where, what each leaves, and that none hangs."""

import re
import sys
from pathlib import Path

import pytest

from tests.tools.machine import MAKE_VENV, Machine

pytestmark = pytest.mark.slow

HOST = "pulumi-language-python"


def put_pulumi(machine: Machine, version: str = "3.300.1", host: str = HOST) -> Path:
    """Put a CLI on PATH whose files lie elsewhere, as package managers do."""
    cli = machine.put("pulumi", f"echo v{version}", folder=machine.folder / "cellar")
    machine.put(host, folder=machine.folder / "cellar")
    (machine.path / "pulumi").symlink_to(cli)
    return cli


def test_the_user_s_own_is_linked(machine: Machine) -> None:
    cli = put_pulumi(machine)
    machine.put_go()

    code, said = machine.setup()

    assert code == 0
    assert f"linked {machine.path}/pulumi, version 3.300.1" in said
    assert machine.cli.resolve() == cli
    assert machine.asked_go() == ""
    assert machine.tools.PLUGIN.exists()
    assert (machine.checkout / "policies" / ".venv").readlink() == Path("..", ".venv")
    assert (machine.checkout / "components" / "plugin" / ".venv").readlink() == Path("..", "..", ".venv")


def test_a_language_host_may_be_elsewhere_on_path(machine: Machine) -> None:
    put_pulumi(machine, host="something-else")
    machine.put(HOST)

    assert "linked" in machine.setup()[1]


@pytest.mark.parametrize(
    ("version", "host", "reason"),
    [
        ("3.271.9", HOST, "pulumi is 3.271.9, older than the SDK in requirements.txt (3.272.0)"),
        ("3.300.1", "other", "pulumi has no Python language host (pulumi-language-python) beside it"),
        ("abc", HOST, "pulumi says 'vabc' where its version is expected"),
    ],
)
def test_one_that_does_not_fit_is_passed_over_with_the_reason(
    machine: Machine, version: str, host: str, reason: str
) -> None:
    put_pulumi(machine, version, host)
    machine.put_go()

    code, said = machine.setup()

    assert code == 0
    assert reason in said
    assert f"built {machine.tools.CLI}" in said


def test_routes_are_tried_in_order_and_each_says_what_it_does(machine: Machine) -> None:
    machine.put_go()

    said = machine.setup()[1].splitlines()

    begins = [
        "Pulumi CLI: none on PATH.",
        "Pulumi CLI: asking get.pulumi.com for the official one (at most 20 s) ...",
        "Pulumi CLI: get.pulumi.com does not answer: ",
        f"Pulumi CLI: building 3.274.1 with {machine.path}/go (3 to 6 minutes, once; ",
        "Pulumi CLI: built 3.274.1 (",
    ]
    assert len(said) == len(begins)
    assert said[3].endswith("; Go's shared caches grow by 4 GB: /caches/mod and /caches/build) ...")
    assert [line.startswith(begin) for line, begin in zip(said, begins, strict=True)] == [True] * len(begins)


def test_go_builds_the_pinned_module_and_our_language_host_is_put_beside(machine: Machine) -> None:
    machine.put_go()

    machine.setup()

    asked = machine.asked_go().splitlines()[-2]
    assert asked.startswith(f"{machine.checkout}/tools/pulumi: go build -mod=readonly -ldflags -s -w -X ")
    assert "sdk/v3/go/common/version.Version=3.274.1" in asked
    assert asked.endswith(" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
    host = machine.cli.with_name(HOST)
    assert host.stat().st_mode & 0o111
    assert "from selfheal.sandbox.pulumi.language.__main__ import main" in host.read_text()
    assert machine.cli.with_name(f"{HOST}-exec").read_text() == "# the executor"


def test_the_host_of_yaml_programs_is_built_beside_it(machine: Machine) -> None:
    machine.put_go()

    machine.setup()

    asked = machine.asked_go().splitlines()[-1]
    assert "pulumi-yaml/pkg/version.Version=1.25.0" in asked
    assert asked.endswith(" github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml")
    assert machine.cli.with_name("pulumi-language-yaml").exists()


def test_without_the_host_of_yaml_programs_the_cli_is_there(machine: Machine) -> None:
    machine.put_go('case "$*" in *cmd/pulumi-language-yaml) echo "no such module" >&2; exit 1;; esac')

    code, said = machine.setup()

    assert code == 0
    assert (
        "programs in YAML are left out, there is no pulumi-language-yaml: the build failed: no such module."
        in said
    )
    assert "built 3.274.1" in said
    assert machine.cli.exists()


def test_nothing_at_all_is_no_failure(machine: Machine) -> None:
    code, said = machine.setup()

    assert code == 0
    last = said.splitlines()[-1]
    assert "install Go 1.26.6 (https://go.dev/dl/) or the Pulumi CLI" in last
    assert "`make setup` again" in last
    assert not machine.cli.parent.exists()
    assert not machine.tools.STAMP.exists()


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("go: go.mod requires go >= 1.26.6 (running go 1.21.0; GOTOOLCHAIN=local)",) * 2,
        ("go: download go1.26.6: 403\n\tserver says: no", "go: download go1.26.6: 403 server says: no"),
    ],
)
def test_go_that_is_too_old_is_a_sentence(machine: Machine, printed: str, said: str) -> None:
    """Go refuses at once, or asks its proxy for the newer one first and does not get it."""
    (machine.folder / "refusal").write_text(f"{printed}\n")
    machine.put_go(
        here=f'while IFS= read -r line; do echo "$line"; done < {machine.folder}/refusal >&2; exit 1'
    )

    code, everything = machine.setup()

    assert code == 0
    assert f"cannot build for Go 1.26.6, which tools/pulumi/go.mod asks for: {said}" in everything
    assert not machine.cli.parent.exists()


def test_a_build_that_fails_leaves_nothing(machine: Machine) -> None:
    machine.put_go('  echo half > "$6"', "  echo 'undefined: x' >&2", "  exit 2")

    code, said = machine.setup()

    assert code == 0
    assert "the build failed: undefined: x" in said
    assert not machine.cli.parent.exists()
    assert not machine.tools.STAMP.exists()


def test_an_interrupted_build_leaves_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = machine.tools

    def interrupted(_: object) -> str:
        machine.cli.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(tools, "built_with_go", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tools.find(tools.Venv())

    assert not machine.cli.parent.exists()
    assert not tools.STAMP.exists()


def test_a_second_run_does_nothing(machine: Machine) -> None:
    machine.put_go()
    machine.setup()
    before = machine.asked_go(), machine.cli.stat().st_mtime_ns

    code, said = machine.setup()

    assert (code, said) == (0, "")
    assert (machine.asked_go(), machine.cli.stat().st_mtime_ns) == before


def test_a_language_host_of_an_earlier_checkout_is_written_anew(machine: Machine) -> None:
    machine.put_go()
    machine.setup()
    host = machine.cli.with_name(HOST)
    host.write_text("# of an earlier checkout")

    assert machine.setup() == (0, "")
    assert "from selfheal.sandbox.pulumi.language" in host.read_text()


def test_a_link_to_what_is_gone_makes_it_run_again(machine: Machine) -> None:
    cli = put_pulumi(machine)
    machine.setup()
    cli.unlink()
    machine.put_go()

    assert "built 3.274.1" in machine.setup()[1]
    assert machine.cli.exists()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tools/pulumi/go.mod", "pkg/v3 v3.274.1", "pkg/v3 v3.290.0"),
        ("requirements.txt", "pulumi==3.272.0", "pulumi==3.280.0"),
    ],
)
def test_other_pins_make_it_run_again(machine: Machine, name: str, old: str, new: str) -> None:
    put_pulumi(machine)
    machine.setup()
    pins = machine.checkout / name
    pins.write_text(pins.read_text().replace(old, new))

    assert "linked" in machine.setup()[1]
    assert machine.setup()[1] == ""


def test_a_provider_that_is_not_there_is_installed_again(machine: Machine) -> None:
    put_pulumi(machine)
    machine.setup()
    machine.tools.PLUGIN.unlink()
    machine.tools.PLUGIN.parent.rmdir()

    assert machine.setup() == (0, "")
    assert machine.tools.PLUGIN.exists()


def test_what_yaml_programs_remember_of_the_provider_is_forgotten(machine: Machine) -> None:
    put_pulumi(machine)
    machine.setup()
    remembered = [
        machine.tools.HOME / name for name in ("plugins/schema-aws-7.51.1-.json", "schemas/aws.json")
    ]
    for file in remembered:
        file.parent.mkdir(exist_ok=True)
        file.touch()

    assert machine.setup() == (0, "")
    assert [file for file in remembered if file.exists()] == []
    assert machine.tools.PLUGIN.exists()


def test_a_pack_s_own_environment_is_left_alone(machine: Machine) -> None:
    put_pulumi(machine)
    (machine.checkout / "policies" / ".venv").mkdir()

    machine.setup()

    assert not (machine.checkout / "policies" / ".venv").is_symlink()


def test_without_the_environment_it_fails_as_that_did(machine: Machine) -> None:
    put_pulumi(machine)

    code, _ = machine.setup([sys.executable, "-c", "raise SystemExit(3)"])

    assert code == 3


def test_environment_and_build_run_side_by_side(machine: Machine) -> None:
    """Each waits for the other to have begun: one after the other, it would never end well."""
    begun = machine.folder / "begun"
    machine.put_go(f"  echo yes > {begun}")
    wait = f"import os, time\nfor _ in range(200):\n  os.path.exists({str(begun)!r}) or time.sleep(0.05)\n"
    code, said = machine.setup(
        [sys.executable, "-c", f"{wait}assert os.path.exists({str(begun)!r})\n{MAKE_VENV}"]
    )

    assert code == 0
    assert "built" in said


def test_the_workflows_have_the_pinned_version(machine: Machine) -> None:
    """Each that installs a CLI of its own says which."""
    workflows = [
        path.read_text() for path in (Path(__file__).parents[2] / ".github" / "workflows").glob("*.yml")
    ]
    installs = [text for text in workflows if "pulumi/actions@" in text]

    assert len(installs) >= 3
    for text in installs:
        assert re.findall(r"pulumi-version: (\S+)}", text) == [machine.tools.CLI] * text.count(
            "pulumi/actions@"
        )
