"""What took part in a run, by name and version."""

import platform
from importlib import metadata

PACKAGES = ("selfheal", "pulumi", "pulumi-aws", "ministack", "boto3")


def versions() -> dict[str, str]:
    """Return the versions of what the run was made with; "not installed" for what is missing."""
    return {name: _version(name) for name in PACKAGES} | {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
