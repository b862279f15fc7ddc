"""Arguments that tests of components start from."""

from typing import Any

from selfheal.components.healing.healer import Healer, HealerArgs
from selfheal.components.healing.remedies import RemedyArgs
from selfheal.components.healing.targets import TargetArgs
from selfheal.functions.shared.contract import Mode, RemedyKind
from tests.support.pulumi_mocks import Deployment, deploy

REMEDY: RemedyArgs = {"kind": RemedyKind.ENVIRONMENT, "variable": "FAILURE_RATE", "value": "0"}

MAPPING = "11111111-2222-3333-4444-555555555555"

REMEDIES: dict[RemedyKind, RemedyArgs] = {
    RemedyKind.ENVIRONMENT: REMEDY,
    RemedyKind.OVERRIDE: {"kind": RemedyKind.OVERRIDE, "variable": "FAILURE_RATE", "value": "0"},
    RemedyKind.ROLLBACK_ALIAS: {"kind": RemedyKind.ROLLBACK_ALIAS},
    RemedyKind.LIMIT_CONCURRENCY: {"kind": RemedyKind.LIMIT_CONCURRENCY, "limit": 2},
    RemedyKind.PAUSE_CONSUMER: {"kind": RemedyKind.PAUSE_CONSUMER, "mapping": MAPPING},
    RemedyKind.FORCE_BREAKER: {
        "kind": RemedyKind.FORCE_BREAKER,
        "circuit": "payments",
        "circuit_table": "circuits",
    },
}
"""One remedy of every kind, with what it needs and no more."""


def target_for(kind: RemedyKind, **changes: Any) -> TargetArgs:
    """Return a target with one remedy, on traffic on which that can work."""
    aliased = {"alias": "live"} if kind is RemedyKind.ROLLBACK_ALIAS else {}
    return target(remedies=[REMEDIES[kind]], **aliased, **changes)


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
