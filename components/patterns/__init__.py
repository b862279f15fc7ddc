"""Patterns of a resilient serverless system, each a component that works alone."""
