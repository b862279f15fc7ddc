"""`python -m selfheal.cli` is `selfheal`."""

from selfheal.cli.main import run

run()
