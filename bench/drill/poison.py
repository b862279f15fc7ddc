"""Some orders can never be done: they are dead with a reason, the others arrive; mended, they arrive too."""

import json
import os
import subprocess
import sys
import time
from typing import Any

from bench.drill.claims import Report
from bench.drill.outage import Scale, nothing_lost
from bench.drill.world import World
from selfheal.cli.demo.claims import Claim, at_least, equal
from selfheal.functions.downstream.core import Setting
from selfheal.functions.orders.order import State

ARTICLE = "unicorn"
"""What nobody has listed."""


def drill(world: World, scale: Scale, poison: int) -> Report:
    """Place orders, of which some are for an article that does not exist; then list it, and redrive them."""
    world.downstream(Setting(rate=scale.rate))
    every = scale.orders // poison
    for number in range(scale.orders):
        world.place(number, ARTICLE if number % every == 0 else "book")
    # An order is dead shortly before its letter comes.
    world.until(lambda: world.settled() and world.letters()["fulfilment"] >= poison, every=1)
    orders = world.orders().values()
    dead = [order for order in orders if order.state is State.DEAD]
    letters = {name: count for name, count in world.letters().items() if count}
    first = [
        equal(
            "orders that arrive beside the poison",
            scale.orders - poison,
            sum(order.state is State.FULFILLED for order in orders),
        ),
        equal("orders dead with the reason", poison, sum(ARTICLE in order.reason for order in dead)),
        equal("consumers that wrote letters", ["fulfilment"], list(letters)),
        # A message that is delivered twice, because its batch was cut off, leaves a second one.
        at_least("letters, one for each poison", poison, letters.get("fulfilment", 0)),
    ]
    list_article(world)
    told = redrive(world, "fulfilment")
    world.until(lambda: not [o for o in world.orders().values() if o.state is not State.FULFILLED])
    arrived = sum(order.state is State.FULFILLED for order in world.orders().values())
    return Report(
        "poison",
        [
            *first,
            at_least("letters redriven, as told", poison, len(told["redriven"])),
            equal("orders that arrive once it is mended", scale.orders, arrived),
            equal("letters left", 0, sum(world.letters().values())),
            *nothing_lost(world),
        ],
        {"orders": scale.orders, "poison": poison},
    )


def list_article(world: World) -> None:
    """Add the article to the list, and wait until the consumers know it."""
    ssm = world.emulator.clients.get("ssm")
    name = world.outputs["catalogue"]
    value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    ssm.put_parameter(Name=name, Value=f"{value},{ARTICLE}", Type="String", Overwrite=True)
    time.sleep(world.catalogue_seconds + 1)


def redrive(world: World, queue: str) -> dict[str, Any]:
    """Run `selfheal dlq redrive` on a dead-letter queue, and return what it tells."""
    command = [sys.executable, "-m", "selfheal.cli", "dlq", "redrive", "--json", "--yes", "--rate", "50"]
    place = ["--queue", world.outputs["deadLetters"][queue], "--endpoint", world.emulator.endpoint]
    keys = world.emulator.credentials
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
    }
    done = subprocess.run([*command, *place], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"redrive ended with {done.returncode}: {done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def replayed(world: World) -> list[Claim]:
    """Replay all events by hand, and claim that nothing changed: no effect, no order."""
    before = (world.effects(), world.counters().get("effect"), world.orders())
    events = world.emulator.clients.get("events")
    bus = world.outputs["buses"]["orders"]
    now = time.time()
    name = f"drill-{int(now)}"
    events.start_replay(
        ReplayName=name,
        EventSourceArn=bus["archive"],
        EventStartTime=now - 86400,
        EventEndTime=now,
        Destination={"Arn": bus["bus"], "FilterArns": list(bus["rules"].values())},
    )
    completed = world.until(
        lambda: events.describe_replay(ReplayName=name)["State"] == "COMPLETED", every=0.2
    )
    world.until(world.idle)
    after = (world.effects(), world.counters().get("effect"), world.orders())
    return [
        Claim("the replay is completed", "yes", "yes" if completed else "no", completed),
        equal("effects that a replay changed", 0, len(set(before[0].items()) ^ set(after[0].items()))),
        equal("effects counted, before and after the replay", before[1], after[1]),
        equal("orders that a replay changed", 0, sum(before[2][key] != after[2][key] for key in before[2])),
    ]
