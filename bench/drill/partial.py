"""One caller in three is refused: the circuit does not flap, and the other two thirds arrive meanwhile."""

import time

from bench.drill.claims import Report
from bench.drill.outage import Scale, feed, nothing_lost, suffer, warm
from bench.drill.world import World
from selfheal.cli.demo.claims import at_least, at_most
from selfheal.functions.downstream.core import Mode
from selfheal.functions.orders.order import State

MOST_OPENINGS = 1
"""How often one caller in three may open the circuit by chance. See ADR 18 for ten hours of simulation."""


def drill(world: World, scale: Scale) -> Report:
    """Run the drill."""
    warm(world, scale)
    before = world.circuit().generation
    feeder = feed(world, scale)
    time.sleep(1)
    began = time.time()
    suffer(world, scale, Mode.PARTIAL_OUTAGE)
    ended = time.time()
    during = [call for call in world.calls() if began <= call.at <= ended]
    served = sum(call.outcome in ("effect", "duplicate") for call in during)
    refused = sum(call.outcome == "unavailable" for call in during)
    changes = world.circuit().generation - before
    feeder.join()
    world.until(world.settled, every=2)
    orders = world.orders().values()
    return Report(
        "partial outage",
        [
            at_most("changes of the circuit's state (an opening makes three)", 3 * MOST_OPENINGS, changes),
            at_least("calls that were refused", 1, refused),
            at_least("calls that were served meanwhile", 1, served),
            *nothing_lost(world),
        ],
        {
            "changes of the circuit's state": changes,
            "calls served during the outage": served,
            "calls refused during the outage": refused,
            "orders dead": sum(order.state is State.DEAD for order in orders),
        },
    )
