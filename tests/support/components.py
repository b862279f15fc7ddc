"""Arguments that tests of components start from."""

from typing import Any

from components.healer import Healer, HealerArgs
from components.remedies import Mode, RemedyArgs, RemedyKind, TargetArgs
from tests.support.pulumi_mocks import Deployment, deploy

REMEDY: RemedyArgs = {"kind": RemedyKind.ENVIRONMENT, "variable": "FAILURE_RATE", "value": "0"}


def target(**changes: Any) -> TargetArgs:
    """Return a target of someone else's function."""
    base: dict[str, Any] = {"name": "orders", "function_name": "orders-fn", "remedies": [REMEDY]}
    return base | changes  # pyright: ignore[reportReturnType]


def healer(preview: bool = False, **changes: Any) -> Deployment:
    """Deploy one Healer named "healer" that may act on one target."""
    base: dict[str, Any] = {"targets": [target()], "ledger_name": "ledger", "mode": Mode.ACT}
    args: HealerArgs = base | changes  # pyright: ignore[reportAssignmentType]

    def program() -> None:
        Healer("healer", args)

    return deploy(program, preview=preview)
