"""The third party that fails on command, and writes down what it was asked and what it did."""
