"""The sandbox's CloudWatch alarms: metric math, evaluation as AWS documents it, and the thread for it."""

from sandbox.clock.runner import Clock

__all__ = ["Clock"]
