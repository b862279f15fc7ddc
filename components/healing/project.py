"""What the Pulumi.yaml of a program with a Healer must say."""

from pathlib import Path
from typing import Any

import pulumi
import yaml

FILES = ("Pulumi.yaml", "Pulumi.yml")


def warn_without_refresh(healer: pulumi.ComponentResource) -> None:
    """Warn unless the project's options say `refresh: always`.

    Only a warning: the program is not told whether `--refresh` is on the command line. A component that is
    used from another language is not told where the project is.
    """
    root = pulumi.get_root_directory()
    if not root:
        return
    try:
        file = next(file for name in FILES if (file := Path(root) / name).is_file())
        project: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        refresh = project.get("options", {}).get("refresh")
    except (StopIteration, OSError, AttributeError, yaml.YAMLError):
        return  # the CLI has read the file, and says what is wrong with it
    if refresh != "always":
        pulumi.log.warn(
            "Pulumi.yaml must have `options: {refresh: always}`, got "
            f"{'no refresh' if refresh is None else f'refresh: {refresh}'}. Without it `up` compares with "
            "its own state: it does not see what the healer changed, and does not restore the baseline after "
            "an incident. Add it, or run every `pulumi preview` and `pulumi up` with --refresh.",
            healer,
        )
