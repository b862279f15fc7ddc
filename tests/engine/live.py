"""What the tests of the engine do behind Pulumi's back, and read of what is live."""

from typing import Any

from selfheal.functions.shared.contract import FLEET_KEY
from tests.support.stacks import Stack

BASELINE, REMEDY = "0.3", "0"


def rate(stack: Stack) -> str:
    """Return the live FAILURE_RATE of the fragile service."""
    name = stack.outputs()["functionName"]
    live = stack.account.clients.get("lambda").get_function_configuration(FunctionName=name)
    return live["Environment"]["Variables"]["FAILURE_RATE"]


def override(stack: Stack, value: str = REMEDY) -> None:
    """Set the live FAILURE_RATE as the healer's remedy does."""
    functions, name = stack.account.clients.get("lambda"), stack.outputs()["functionName"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": variables | {"FAILURE_RATE": value}}
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def stand(stack: Stack) -> None:
    """Let the healer's remedy stand: its value live, and its target among the ledger's open ones."""
    override(stack)
    _ledger(stack).put_item(TableName=_table(stack), Item={**FLEET_KEY, "targets": {"SS": ["fragile"]}})


def close(stack: Stack) -> None:
    """Let no remedy stand any more."""
    _ledger(stack).delete_item(TableName=_table(stack), Key=FLEET_KEY)


def tables(stack: Stack) -> list[str]:
    """Return the names of all tables of the account."""
    return _ledger(stack).list_tables()["TableNames"]


def everything(stack: Stack) -> dict[str, list[str]]:
    """Return what an account holds of the kinds that the program deploys: to see whether anything changed."""
    clients = stack.account.clients
    functions = clients.get("lambda").list_functions()["Functions"]
    topics = clients.get("sns").list_topics()["Topics"]
    alarms = clients.get("cloudwatch").describe_alarms()["MetricAlarms"]
    roles = clients.get("iam").list_roles()["Roles"]
    return {
        "functions": sorted(f"{each['FunctionName']} {each['RevisionId']}" for each in functions),
        "tables": sorted(tables(stack)),
        "topics": sorted(each["TopicArn"] for each in topics),
        "alarms": sorted(each["AlarmName"] for each in alarms),
        "roles": sorted(each["RoleName"] for each in roles),
    }


def _ledger(stack: Stack) -> Any:
    return stack.account.clients.get("dynamodb")


def _table(stack: Stack) -> str:
    return f"selfheal-{stack.name}-ledger"
