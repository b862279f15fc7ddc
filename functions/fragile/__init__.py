"""The fragile service: it fails on purpose, at a configured rate."""
