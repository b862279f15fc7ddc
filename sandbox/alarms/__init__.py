"""Evaluates CloudWatch alarms as AWS documents it, because the emulator does not."""

from selfheal.sandbox.alarms.evaluator import AlarmEvaluator

__all__ = ["AlarmEvaluator"]
