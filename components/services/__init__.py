"""Whole services, made of the patterns."""
