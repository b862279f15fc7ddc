"""What the deletion of a ledger that nothing protects would lose: said at every preview and `up`."""

from collections.abc import Sequence

import pulumi

from selfheal.components.healing.ledger import UnreadableLedgerError, read_item
from selfheal.functions.shared.contract import FLEET_KEY, MODE_KEY, incident_key


def warn_of_loss(ledger_name: str, targets: Sequence[str], healer: pulumi.ComponentResource) -> None:
    """Warn of what would be lost, by name; silent while the ledger holds nothing that matters.

    `pulumi destroy` runs no program, so this is said before, while people can still change their mind.
    """
    options = pulumi.InvokeOptions(parent=healer)
    try:
        mode = read_item(ledger_name, MODE_KEY, options).get("mode")
        standing = read_item(ledger_name, FLEET_KEY, options).get("standing", {}).get("SS", [])
        incidents = {name: read_item(ledger_name, incident_key(name), options) for name in targets}
    except UnreadableLedgerError as error:
        lost = [f"what it holds, which is not known: {error}"]
    else:
        held = sorted(name for name, item in incidents.items() if "hold" in item)
        known = sorted(name for name, item in incidents.items() if item)
        lost = [
            text
            for text, exists in (
                (f"the mode override {mode['S'] if mode else ''}, so that the baseline applies again", mode),
                (f"the hold on {', '.join(held)}", held),
                (
                    f"the values from before the remedies that stand on {', '.join(sorted(standing))}",
                    standing,
                ),
                (f"the history of incidents of {', '.join(known)}", known),
            )
            if exists
        ]
    if lost:
        pulumi.log.warn(
            f"the ledger {ledger_name} is not protected: `pulumi destroy`, or a deployment with another "
            f"ledger name, deletes {'; '.join(lost)}. To keep it, set protectLedger (protect_ledger of the "
            "Healer) to true.",
            healer,
        )
