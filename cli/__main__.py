"""`python -m cli` is `selfheal`."""

from cli.main import run

run()
