"""Entry of the command `selfheal`, also where only the components were installed."""

import sys


def run() -> None:
    """Run the command line and exit; says what to install if a package of the command is missing."""
    try:
        from selfheal.cli.main import run as command  # noqa: PLC0415 - its packages may be missing
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("selfheal"):
            raise
        sys.exit(
            f"selfheal: the command needs the package {error.name}, which is not installed; the components "
            'work without it. Install what the command needs with: pip install "selfheal[cli]"'
        )
    command()


if __name__ == "__main__":
    run()
