"""The controller of a circuit breaker: pauses mappings, probes, and starts them again slowly.

wake.py starts its workflow, whose every step calls handler.py and then waits. run.py is such a step: observe,
decide (control.py, pure), act once. mappings.py and probes.py are the world outside.
"""
