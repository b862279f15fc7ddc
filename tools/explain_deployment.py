"""Say why a stack was not deployed, and what to do: `python tools/explain_deployment.py STACK OUTPUT...`.

OUTPUT are the files with what the deployment's commands printed, in their order; a command whose file is
missing was not run. Prints an error that GitHub shows with the run, and appends to the run's summary where
GITHUB_STEP_SUMMARY names it. Standard library only.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

STACKS = ("dev", "staging", "prod")
"""In the order of deploy.yml."""

INCIDENT = re.compile(r"^(?!.*warning: ).*an incident is open on ([\w.-]*\w(?:, [\w.-]*\w)*)", re.MULTILINE)
"""As an error: a preview only warns, and so does a deployment that may go on."""
MANDATORY = re.compile(r"\[mandatory\] (?:\[severity: \w+\])? *(\S+) ")


def reasons(stack: str, outputs: Sequence[str]) -> list[str]:
    """Return why a stack was not deployed, a paragraph each; at least one."""
    told = "\n".join(outputs)
    again = f"deploy again: `gh workflow run deploy.yml -f from={stack}`"
    found: list[str] = []
    if "no stack named" in told:
        found.append(
            f"The backend has no stack {stack}, and this workflow creates none. Create it once "
            f"(`pulumi stack init {stack} --secrets-provider awskms://alias/KEY`, on Pulumi Cloud "
            f"`pulumi stack init ORGANIZATION/{stack}`), commit Pulumi.{stack}.yaml, and {again}."
        )
    if refused := sorted(set(MANDATORY.findall(told))):
        found.append(
            f"The policy pack refused it: {', '.join(refused)}. The output names resources and what to do. "
            "Nothing was changed, unless `up` had begun."
        )
    if targets := INCIDENT.search(told):
        found.append(
            f"An incident is open on {targets[1]} in {stack}, and `up` would undo the healer's remedy. "
            f"Nothing was changed. See `selfheal incidents --aws -s {stack}`. Once it is closed, or "
            f"the remedy taken back with `selfheal rollback`, {again}."
        )
    if "violates plan" in told:
        begun = "Updating (" in told[: told.rindex("violates plan")]
        changed = (
            "Only what the plan contains was changed before it stopped" if begun else "Nothing was changed"
        )
        found.append(
            "What is deployed changed after the plan was made, for example by the healer or by hand, so the "
            f"plan no longer fits (violates plan). {changed}. To make a new plan, which shows that change, "
            f"{again}."
        )
    if "currently locked" in told or "currently in progress" in told:  # of S3, of Pulumi Cloud
        found.append(
            "Another deployment of the stack is running, or was killed. If its process is gone, see "
            f"docs/operations.md, A deployment that was killed. Then {again}."
        )
    return found or ["The step that failed says why. Nothing was changed, unless it was `up`."]


def going_on(stack: str) -> str:
    """Return which stacks were left out, and how to deploy them."""
    later = STACKS[STACKS.index(stack) + 1 :] if stack in STACKS else ()
    if not later:
        return ""
    return (
        f"Left out because of it: {', '.join(later)}. To deploy them without {stack}, decide so and run "
        f"`gh workflow run deploy.yml -f from={later[0]}`."
    )


def main(arguments: Sequence[str]) -> None:
    """Print the error and append it to the summary."""
    stack, *files = arguments
    outputs = [Path(file).read_text(errors="replace") for file in files if Path(file).is_file()]
    told = [*reasons(stack, outputs), going_on(stack)]
    paragraphs = [each for each in told if each]
    escaped = "\n".join(paragraphs).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title={stack} was not deployed::{escaped}")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write("\n\n".join([f"### {stack} was not deployed", *paragraphs, ""]))


if __name__ == "__main__":
    main(sys.argv[1:])
