"""A component user's program, deployed in the sandbox, and load on its function through the Invoke API."""

import shutil
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy

ROOT = Path(__file__).parents[3]
FOREIGN = Path(__file__).parent / "foreign"


def foreign_deployed(folder: Path, clients: Clients, program: Path = FOREIGN) -> dict[str, Any]:
    """Deploy a user's dev stack from a copy in `folder`, which must not exist, and return its outputs.

    A program sees its own folder and what is installed. The link stands for the installation, and makes sure
    that it is this repository's components that are tested.
    """
    shutil.copytree(program, folder)
    (folder / "components").symlink_to(ROOT / "components", target_is_directory=True)
    provider = AwsProvider(clients)
    return deploy(folder, provider, stack="dev")


@dataclass
class Load:
    """Synchronous calls, 10 a second, of which AWS/Lambda has metrics; a late call is not made up for."""

    lambda_: Any
    function: str
    rate: float = 10.0
    workers: int = 8
    answers: list[tuple[float, bool]] = field(default_factory=list[tuple[float, bool]])
    """Of every call, when it was sent (time.time) and whether it failed."""
    _ended: threading.Event = field(default_factory=threading.Event)

    def since(self, moment: float) -> tuple[int, int]:
        """Return how many calls were sent after a moment (time.time), and how many of them failed."""
        failed = [bad for sent, bad in list(self.answers) if sent > moment]
        return len(failed), sum(failed)

    @contextmanager
    def running(self) -> Generator["Load"]:
        """Send meanwhile."""
        threads = [threading.Thread(target=self._work, args=(n,), daemon=True) for n in range(self.workers)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _work(self, number: int) -> None:
        pause = self.workers / self.rate
        due = time.time() + pause * number / self.workers
        while not self._ended.wait(max(0.0, due - time.time())):
            sent = time.time()
            try:
                failed = "FunctionError" in self.lambda_.invoke(FunctionName=self.function, Payload=b"{}")
            except (BotoCoreError, ClientError):
                failed = True
            self.answers.append((sent, failed))
            due = max(due + pause, time.time())
