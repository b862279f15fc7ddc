"""Small policy packs, written to a folder and run for real."""

import textwrap
from pathlib import Path

PRELUDE = """
import pulumi_policy as p

def resource(name, check, level=p.EnforcementLevel.MANDATORY, **more):
    return p.ResourceValidationPolicy(name, f"About {name}.", check, level, **more)

def stack(name, check, level=p.EnforcementLevel.MANDATORY, **more):
    return p.StackValidationPolicy(name, f"About {name}.", check, level, **more)
"""


def write_pack(folder: Path, body: str, *, prelude: str = PRELUDE) -> Path:
    """Write a pack whose `__main__.py` is the prelude and `body`; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.0.1\n")
    (folder / "__main__.py").write_text(prelude + textwrap.dedent(body))
    return folder
