"""Processor time in which the healer starts, against boto3 with the same clients and nothing else.

    python bench/healer_start.py [rounds]      default: 9

Each round starts a new process of each kind, in turn. Python keeps what it compiles in a folder of the run's
own, which the first round fills and which does not count. The least and the middle time of each are printed
as JSON, and the ratio of the middle ones: at most 1.1 is the aim. Let nothing else run meanwhile.
"""
# ruff: noqa: INP001  (a script, no package)

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CLIENTS = ("dynamodb", "cloudwatch", "lambda", "sns", "lambda")
"""As the healer has them: Lambda's twice, since probes are not retried."""

BARE = f"""
import boto3
from botocore.config import Config
for name in {CLIENTS}:
    boto3.client(name, config=Config(connect_timeout=2))
"""
HEALER = "import selfheal.functions.healer.handler"

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "MODE": "observe",
    "TARGETS": "[]",
    "BUDGET": "12",
    "TOPIC_ARN": "topic",
    "ESCALATION_TOPIC_ARN": "people",
    "LEDGER_TABLE": "ledger",
}


def seconds(code: str, cache: str) -> float:
    """Return the processor time of a new process that runs the code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | ENVIRONMENT | {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=Path(__file__).parents[1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=9, help="processes of each kind")
    rounds: int = parser.parse_args().rounds
    found: dict[str, list[float]] = {"clients": [], "healer": []}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds + 1):
            for name, code in (("clients", BARE), ("healer", HEALER)):
                taken = seconds(code, cache)
                if number:
                    found[name].append(taken)
    middle = {name: statistics.median(each) for name, each in found.items()}
    report: dict[str, object] = {
        name: {"least": round(min(each), 3), "middle": round(middle[name], 3)} for name, each in found.items()
    }
    sys.stdout.write(json.dumps(report | {"ratio": round(middle["healer"] / middle["clients"], 2)}) + "\n")


if __name__ == "__main__":
    main()
