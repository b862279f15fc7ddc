"""The AWS emulator: ministack in a process of its own, corrected where AWS behaves otherwise."""

from selfheal.sandbox.emulator.process import READY_SECONDS, REGION, ROOT, Emulator, EmulatorError

__all__ = ["READY_SECONDS", "REGION", "ROOT", "Emulator", "EmulatorError"]
