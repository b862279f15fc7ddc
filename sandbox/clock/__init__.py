"""The sandbox's CloudWatch alarms: metric math, evaluation as AWS documents it, and the thread for it."""

from selfheal.sandbox.clock.runner import Clock

__all__ = ["Clock"]
