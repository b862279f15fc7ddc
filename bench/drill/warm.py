"""Starts the workers of the functions that handle orders, before orders come.

On a machine with other work a first order would wait for the start of each function on its way, and time-outs
would end, and start again, what has only just begun.
"""

import json
from concurrent.futures import ThreadPoolExecutor

from selfheal.sandbox.clients import Clients

FUNCTIONS = ("orders-downstream", "orders-fulfilment", "orders-billing", "orders-intake")
"""How the names of functions begin that handle orders."""

WORKERS = 2
"""Started of each."""


def start_workers(clients: Clients) -> None:
    """Start two workers of each function, two at a time."""
    pages = clients.get("lambda").get_paginator("list_functions").paginate()
    names = [each["FunctionName"] for page in pages for each in page["Functions"]]

    def start(name: str) -> None:
        # Asks for nothing, whichever function gets it.
        event = {"Records": [], "health": True, "caller": "warm"}
        clients.get("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(start, [name for name in names if name.startswith(FUNCTIONS) for _ in range(WORKERS)]))
