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


WATCHFUL = """
def small(args, report):
    if args.resource_type == "fake:index:Thing" and args.props.get("size", 0) > args.get_config()["most"]:
        report(f"{args.name} is {args.props['size']:g} large")

def seen(args, report):
    report(f"saw {args.resource_type} {args.name}")

def complete(args, report):
    for item in args.resources:
        arn = "unknown"
        try:
            arn = item.props.get("arn", "absent")
        except Exception as error:
            if type(error).__name__ != "UnknownValueError":
                raise
        needs = sorted(found.name for found in item.property_dependencies.get("ref", []))
        report(f"{item.name} arn={arn} ref={needs} parent={item.parent and item.parent.name}", item.urn)

def crowded(args, report):
    if len([item for item in args.resources if item.resource_type == "fake:index:Thing"]) > 2:
        report("more than two things")

p.PolicyPack("watchful", [
    resource("thing-small", small, config_schema=p.PolicyConfigSchema({
        "most": {"type": "integer", "minimum": 1, "default": 10},
    })),
    resource("everything-seen", seen, p.EnforcementLevel.ADVISORY),
    stack("stack-complete", complete, p.EnforcementLevel.ADVISORY),
    stack("stack-not-crowded", crowded),
])
"""
"""Two resource policies and two stack policies; `thing-small` has a configuration."""
