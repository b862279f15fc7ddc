"""Pulumi components that heal Lambda services: `from selfheal.components import Healer`."""

from selfheal.components.errors import ComponentError
from selfheal.components.healing.detection import Detection, DetectionArgs
from selfheal.components.healing.healer import Healer, HealerArgs
from selfheal.components.healing.limits import GuardArgs
from selfheal.components.healing.refuse_while_open import WhileOpen, refuse_while_open
from selfheal.components.healing.remedies import RemedyArgs
from selfheal.components.healing.targets import TargetArgs
from selfheal.components.patterns.on_call import OnCall
from selfheal.components.services.fragile_service import (
    FragileService,
    FragileServiceArgs,
    OverridesArgs,
    Traffic,
)
from selfheal.functions.shared.contract import FaultMode, Invocation, Mode, RemedyKind

__all__ = [
    "ComponentError",
    "Detection",
    "DetectionArgs",
    "FaultMode",
    "FragileService",
    "FragileServiceArgs",
    "GuardArgs",
    "Healer",
    "HealerArgs",
    "Invocation",
    "Mode",
    "OnCall",
    "OverridesArgs",
    "RemedyArgs",
    "RemedyKind",
    "TargetArgs",
    "Traffic",
    "WhileOpen",
    "refuse_while_open",
]
