"""What goes on beside a test: callers of the fleet's services, and an ear on what people are told."""

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.sandbox.clients import Clients
from tests.e2e.support.platform import listen, received

BATCH = 10
"""Requests of one call."""


@contextmanager
def every(seconds: float, do: Callable[[], None]) -> Generator[None]:
    """Do something again and again meanwhile, in a thread of its own."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            do()
            ended.wait(seconds)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass
class Callers:
    """Callers of one service. They send one batch at a time; a service may ignore what is in it."""

    lambda_: Any
    function: str
    poison: str = "none"
    """What is in their batches now: none, weak or strong."""
    answers: list[tuple[float, bool]] = field(default_factory=list[tuple[float, bool]])
    """Of every batch, when it was answered (time.time) and whether it went well."""

    def call(self) -> None:
        """Send a batch. One that fails or gets no answer did not go well."""
        event = json.dumps({"requests": BATCH, "poison": self.poison}).encode()
        well = False
        with suppress(BotoCoreError, ClientError):
            answer = self.lambda_.invoke(FunctionName=self.function, Payload=event)
            well = "FunctionError" not in answer and not json.loads(answer["Payload"].read()).get("failed")
        self.answers.append((time.time(), well))

    def since(self, moment: float) -> list[bool]:
        """Return of every batch since a moment (time.time) whether it went well."""
        return [well for at, well in list(self.answers) if at > moment]


class Ear:
    """Hears what healers tell people, and leaves out what alarms say themselves.

    Args:
        clients: Of the account.
        topics: ARNs of the topics to subscribe to.

    """

    def __init__(self, clients: Clients, topics: list[str]) -> None:
        self._clients = clients
        self._queue = listen(clients, topics)
        self.heard: list[tuple[str, str]] = []
        """Subject and text."""

    def hear(self) -> None:
        """Take in what has arrived."""
        for body in received(self._clients, self._queue):
            envelope = json.loads(body)
            if envelope["Subject"].startswith("[selfheal]"):
                # A queue gets the form for programs, which has the text as well.
                self.heard.append((envelope["Subject"], json.loads(envelope["Message"])["text"]))

    def subjects(self, target: str) -> list[str]:
        """Return the subjects of what was told about a target."""
        return [subject for subject, _ in list(self.heard) if f": {target} (" in subject]
