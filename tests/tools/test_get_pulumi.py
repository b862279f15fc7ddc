"""How the CLI is had: which route is taken where, what each leaves, and that none hangs."""

import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.language_host import ended, written
from tests.support.pulumi_machine import MAKE_VENV, Machine

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

    asked = machine.asked_go().splitlines()[-1]
    assert asked.startswith(f"{machine.checkout}/tools/pulumi: go build -mod=readonly -ldflags -s -w -X ")
    assert "sdk/v3/go/common/version.Version=3.274.1" in asked
    assert asked.endswith(" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
    host = machine.cli.with_name(HOST)
    assert host.stat().st_mode & 0o111
    assert "-m sandbox.language --use-executor" in host.read_text()
    assert machine.cli.with_name(f"{HOST}-exec").read_text() == "# the executor"


def test_nothing_at_all_is_no_failure(machine: Machine) -> None:
    code, said = machine.setup()

    assert code == 0
    last = said.splitlines()[-1]
    assert "install Go 1.26.6 (https://go.dev/dl/) or the Pulumi CLI" in last
    assert "`make setup` again" in last
    assert not machine.cli.parent.exists()
    assert not machine.tools.STAMP.exists()


def test_go_that_is_too_old_is_a_sentence(machine: Machine) -> None:
    refusal = "go: go.mod requires go >= 1.26.6 (running go 1.21.0; GOTOOLCHAIN=local)"
    machine.put_go(version=f"echo '{refusal}' >&2; exit 1")

    code, said = machine.setup()

    assert code == 0
    assert f"cannot build for Go 1.26.6, which tools/pulumi/go.mod asks for: {refusal}" in said
    assert not machine.cli.parent.exists()


def test_a_build_that_fails_leaves_nothing(machine: Machine) -> None:
    machine.put_go('  echo half > "$6"', "  echo 'undefined: x' >&2", "  exit 2")

    code, said = machine.setup()

    assert code == 0
    assert "the build failed: undefined: x" in said
    assert not machine.cli.parent.exists()
    assert not machine.tools.STAMP.exists()


def test_a_second_run_does_nothing(machine: Machine) -> None:
    machine.put_go()
    machine.setup()
    before = machine.asked_go(), machine.cli.stat().st_mtime_ns

    code, said = machine.setup()

    assert (code, said) == (0, "")
    assert (machine.asked_go(), machine.cli.stat().st_mtime_ns) == before


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


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A proxy that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield


@pytest.mark.usefixtures("silent")
def test_a_silent_network_is_given_up_in_time(machine: Machine) -> None:
    begun = time.monotonic()

    with pytest.raises(machine.tools.RouteError, match=r"get\.pulumi\.com does not answer"):
        machine.tools.official_bundle(machine.tools.Venv(), connect_seconds=0.5)

    assert time.monotonic() - begun < 5


@pytest.fixture
def answering(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A download server that answers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"#!/bin/sh\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002
            """Keep the tests' output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        script = machine.checkout / "tools" / "get_pulumi.py"
        url = f"http://127.0.0.1:{server.server_port}/install.sh"
        script.write_text(script.read_text().replace("https://get.pulumi.com/install.sh", url))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield
        server.shutdown()


INSTALL = (
    "said = '#!/bin/sh\\necho v3.274.1\\n'; [(path.parent.mkdir(exist_ok=True), path.write_text(said), "
    "path.chmod(0o755)) for path in (root / 'bin' / 'pulumi', root / 'bin' / 'pulumi-language-python')]"
)


@pytest.mark.usefixtures("answering")
def test_the_official_bundle_comes_before_go(machine: Machine) -> None:
    machine.installs(INSTALL)
    machine.put_go()

    code, said = machine.setup()

    assert code == 0
    assert "downloading the official 3.274.1 (100 MB, about a minute, at most 300 s) ..." in said
    assert "downloaded 3.274.1" in said
    assert machine.asked_go() == ""
    assert machine.cli.with_name(HOST).exists()


@pytest.mark.usefixtures("answering")
def test_a_bundle_that_fails_leaves_nothing_and_go_is_next(machine: Machine) -> None:
    machine.installs("(root / 'bin' / 'half').write_text(''); sys.exit('corrupt archive')")
    machine.put_go()

    said = machine.setup()[1]

    assert "the download failed: corrupt archive" in said
    assert "built 3.274.1" in said
    assert not machine.cli.with_name("half").exists()


@pytest.mark.usefixtures("answering")
def test_a_download_that_takes_too_long_is_killed_with_its_children(machine: Machine) -> None:
    machine.installs(
        "import subprocess; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"pathlib.Path({str(machine.folder / 'pids')!r}).write_text(str(child.pid)); child.wait()"
    )
    tools = machine.load()
    venv = tools.Venv()
    venv.set_result(subprocess.run([sys.executable, "-c", MAKE_VENV], cwd=machine.checkout, check=True))
    begun = time.monotonic()

    with pytest.raises(tools.RouteError, match="the download failed within 2 s"):
        tools.official_bundle(venv, seconds=2)

    assert time.monotonic() - begun < 10
    assert ended(int(written(machine.folder / "pids")))
