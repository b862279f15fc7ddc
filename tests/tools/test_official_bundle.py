"""The official download: given up in time, killed with its children, and nothing left of a half one."""

import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.processes import ended, written
from tests.tools.machine import MAKE_VENV, Machine

HOST = "pulumi-language-python"


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

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
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


@pytest.mark.slow
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
