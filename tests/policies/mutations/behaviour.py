"""Mutations of how the healer runs, and of how a stack is set up."""

from tests.policies.mutations.table import refused_by
from tests.policies.support.changes import drop, put, variables

CONCURRENCY = "reservedConcurrentExecutions"

TABLE = [
    *refused_by(
        "lambda-healer-concurrency",
        ("a healer that never runs", put("healer", **{CONCURRENCY: 0})),
        ("too many at once", put("healer", **{CONCURRENCY: 100}), "up"),
    ),
    *refused_by("lambda-healer-timeout", ("a quarter of an hour", put("healer", timeout=900), "up")),
    *refused_by(
        "lambda-healer-retries",
        ("two retries", put("healer-events", maximumRetryAttempts=2), "up"),
        ("nothing said of retries", drop("healer-events", "maximumRetryAttempts")),
        ("events of six hours ago", put("healer-events", maximumEventAgeInSeconds=21600)),
    ),
    *refused_by(
        "lambda-function-failure-rate",
        ("more failures than requests", variables("fragile", FAILURE_RATE="1.5"), "up"),
        ("a failure rate that is no number", variables("fragile", FAILURE_RATE="some")),
        ("failures in production", variables("fragile", FAILURE_RATE="0.3"), "prod", "up"),
    ),
    *refused_by(
        "lambda-healer-production",
        ("production that acts without a budget", variables("healer", MODE="act"), "prod", "up"),
    ),
]
