"""Pulumi components that heal Lambda services: `from selfheal.components import Healer`."""

from selfheal.components.detection import Detection, DetectionArgs
from selfheal.components.errors import ComponentError
from selfheal.components.fragile_service import FragileService, FragileServiceArgs, OverridesArgs, Traffic
from selfheal.components.healer import Healer, HealerArgs
from selfheal.components.limits import GuardArgs
from selfheal.components.patterns.on_call import OnCall
from selfheal.components.refuse_while_open import WhileOpen, refuse_while_open
from selfheal.components.remedies import RemedyArgs
from selfheal.components.targets import TargetArgs
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
