"""Mutations of how the healer runs, and of how a stack is set up."""

from tests.support.policy_mutations import Table
from tests.support.policy_scene import Item, Scene

TABLE = Table()


def healer(scene: Scene) -> Item:
    return scene.find("lambda.Function", "healer")


def limits(scene: Scene) -> Item:
    return scene.find("lambda.FunctionEventInvokeConfig", "healer-events")


@TABLE.refused_by("lambda-healer-concurrency", up=True)
def no_reserved_concurrency(scene: Scene) -> None:
    healer(scene).put("reservedConcurrentExecutions", to=-1)


@TABLE.refused_by("lambda-healer-concurrency")
def nothing_said_of_concurrency(scene: Scene) -> None:
    healer(scene).drop("reservedConcurrentExecutions")


@TABLE.refused_by("lambda-healer-concurrency")
def too_many_at_once(scene: Scene) -> None:
    healer(scene).put("reservedConcurrentExecutions", to=100)


@TABLE.refused_by("lambda-healer-timeout", up=True)
def a_quarter_of_an_hour(scene: Scene) -> None:
    healer(scene).put("timeout", to=900)


@TABLE.refused_by("lambda-healer-retries", up=True)
def two_retries(scene: Scene) -> None:
    limits(scene).put("maximumRetryAttempts", to=2)


@TABLE.refused_by("lambda-healer-retries")
def nothing_said_of_retries(scene: Scene) -> None:
    limits(scene).drop("maximumRetryAttempts")


@TABLE.refused_by("lambda-healer-retries")
def events_of_six_hours_ago(scene: Scene) -> None:
    limits(scene).put("maximumEventAgeInSeconds", to=21600)


@TABLE.refused_by("lambda-function-failure-rate", up=True)
def more_failures_than_requests(scene: Scene) -> None:
    scene.find("lambda.Function", "fragile").put("environment", "variables", "FAILURE_RATE", to="1.5")


@TABLE.refused_by("lambda-function-failure-rate")
def a_failure_rate_that_is_no_number(scene: Scene) -> None:
    scene.find("lambda.Function", "fragile").put("environment", "variables", "FAILURE_RATE", to="some")


@TABLE.refused_by("lambda-function-failure-rate", stack="prod", up=True)
def failures_in_production(scene: Scene) -> None:
    scene.find("lambda.Function", "fragile").put("environment", "variables", "FAILURE_RATE", to="0.3")


@TABLE.refused_by("lambda-healer-production", stack="prod", up=True)
def production_that_acts_without_a_budget(scene: Scene) -> None:
    healer(scene).put("environment", "variables", "MODE", to="act")
