"""The doctor's checks, each on an account where just that is wrong, and the command as typed."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from selfheal.cli.doctor import account, deployment, other_healers, rehearsal, ring
from selfheal.cli.doctor.check import Check, State, tried
from selfheal.cli.doctor.report import document, lines
from selfheal.cli.doctor.stack import Deployed
from selfheal.cli.doctor.statement import missing
from tests.cli.doctor.fakes import ALARM, HEALER_ARN, KEY, PEOPLE, TARGET, Account, answers, deployed, refusal
from tests.cli.support import TABLE, deploy, item_of, later, proposed, run, said, told

NOW = ring.Patience(woken=0, back=0, every=0)
AWS = ("--aws", "--region", "us-east-1", "--ledger", TABLE)


def every_check(found: Account, healer: Deployed) -> list[Check]:
    return [
        *account.check_caller(found),
        *account.check_concurrency(found, healer),
        *account.check_keys(found, TABLE, healer),
        *deployment.check_ledger(found, TABLE),
        *deployment.check_healer(healer),
        *deployment.check_schedule(found, healer),
        *deployment.check_people(found, healer),
        *deployment.check_alarms(found, healer),
        *deployment.check_mutes(found, healer),
        *deployment.check_budget(found, TABLE, healer),
        *deployment.check_timeouts(found, healer),
        *other_healers.check_other_healers(found, healer),
        *rehearsal.check_writes(found, healer),
        *rehearsal.check_rehearsal(found, healer, tell=False),
    ]


def unwell(checks: Iterable[Check]) -> list[tuple[str, str]]:
    return [(each.id, each.state.value) for each in checks if each.state is not State.OK]


def test_an_account_that_is_well_has_nothing_to_do() -> None:
    checks = every_check(Account(), deployed())
    assert unwell(checks) == []
    assert [each.do for each in checks if each.do] == []


def quota(most: int, free: int) -> dict[str, Any]:
    return {"AccountLimit": {"ConcurrentExecutions": most, "UnreservedConcurrentExecutions": free}}


def function_of(name: str, targets: str) -> dict[str, Any]:
    """A function that is a healer, as ListFunctions shows it."""
    variables = {"TARGETS": targets, "LEDGER_TABLE": "others"}
    return {"FunctionName": name, "Environment": {"Variables": variables}}


LIMIT = {"kind": "limit_concurrency", "name": "", "value": "5"}
MUTE = {"AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm-mute-rule:m", "Status": "ACTIVE"}
PENDING = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "a@b.c"}
UNPROTECTED = {"Table": {"TableStatus": "ACTIVE", "DeletionProtectionEnabled": False}}

WRONG = [
    pytest.param(
        "events",
        "describe_rule",
        {"State": "DISABLED"},
        "healer.schedule",
        "fail",
        "healer-schedule is DISABLED",
        id="a schedule that is off",
    ),
    pytest.param(
        "events",
        "list_rule_names_by_target",
        {"RuleNames": []},
        "healer.schedule",
        "fail",
        "no rule invokes it",
        id="no schedule",
    ),
    pytest.param(
        "lambda", "get_account_settings", quota(10, 10), "lambda.quota", "warn", "10", id="a new account"
    ),
    pytest.param(
        "lambda",
        "get_function_concurrency",
        {"ReservedConcurrentExecutions": 0},
        "healer.concurrency",
        "fail",
        "it never runs",
        id="a healer that is throttled",
    ),
    pytest.param(
        "lambda",
        "get_function_configuration",
        {"Timeout": 30},
        "targets.timeout",
        "warn",
        "shop: 30 s, declared 3 s",
        id="a target that runs longer",
    ),
    pytest.param(
        "sns",
        "list_subscriptions_by_topic",
        {"Subscriptions": []},
        "people.subscriptions",
        "warn",
        "nobody",
        id="nobody is told",
    ),
    pytest.param(
        "sns",
        "list_subscriptions_by_topic",
        {"Subscriptions": [PENDING]},
        "people.subscriptions",
        "warn",
        "pending: email a@b.c",
        id="an address that was not confirmed",
    ),
    pytest.param(
        "cloudwatch",
        "describe_alarms",
        {"MetricAlarms": [{**ALARM, "ActionsEnabled": False}]},
        "alarms.actions",
        "fail",
        "actions are off: shop-fast",
        id="an alarm whose actions are off",
    ),
    pytest.param(
        "cloudwatch",
        "describe_alarms",
        {"MetricAlarms": [{**ALARM, "AlarmActions": [PEOPLE]}]},
        "alarms.actions",
        "fail",
        "not to the healer's topic",
        id="an alarm that wakes nobody",
    ),
    pytest.param(
        "cloudwatch",
        "describe_alarms",
        {"MetricAlarms": []},
        "alarms.exist",
        "fail",
        "missing: shop-fast",
        id="an alarm that is gone",
    ),
    pytest.param(
        "cloudwatch",
        "describe_alarms",
        {"MetricAlarms": [{**ALARM, "StateValue": "ALARM"}]},
        "alarms.state",
        "warn",
        "shop-fast ALARM",
        id="an alarm that rings",
    ),
    pytest.param(
        "cloudwatch",
        "list_alarm_mute_rules",
        {"AlarmMuteRuleSummaries": [MUTE]},
        "alarms.mute",
        "warn",
        "alarm-mute-rule:m (ACTIVE)",
        id="an alarm that is muted",
    ),
    pytest.param(
        "dynamodb",
        "describe_table",
        UNPROTECTED,
        "ledger.protected",
        "warn",
        "can delete it",
        id="a ledger that is not protected",
    ),
    pytest.param(
        "lambda",
        "list_functions",
        {"Functions": [function_of("other", json.dumps([TARGET | {"name": "b"}]))]},
        "targets.healers",
        "fail",
        "other has shop-fn too (ledger others)",
        id="a function that another healer has too",
    ),
    pytest.param(
        "lambda",
        "list_functions",
        {"Functions": [function_of("other", '{"of": "another version"}')]},
        "targets.healers",
        "unknown",
        "not readable: other",
        id="another healer whose targets cannot be read",
    ),
    pytest.param(
        "dynamodb",
        "describe_continuous_backups",
        {"ContinuousBackupsDescription": {}},
        "ledger.recovery",
        "warn",
        "not known",
        id="a ledger without backups",
    ),
]


@pytest.mark.parametrize(("service", "call", "answer", "name", "state", "words"), WRONG)
def test_what_is_wrong_is_named_and_what_to_do(  # noqa: PLR0917 - the row of the table
    service: str, call: str, answer: Any, name: str, state: str, words: str
) -> None:
    found = Account()
    found.of[service][call] = answer
    checks = every_check(found, deployed())
    assert unwell(checks) == [(name, state)]
    [check] = [each for each in checks if each.id == name]
    assert words in check.found
    assert check.do


def test_itself_other_functions_and_healers_of_other_functions_are_none_of_its_concern() -> None:
    found, theirs = Account(), json.dumps([TARGET | {"function": "other-fn"}])
    own = function_of("healer", json.dumps([TARGET]))
    found.of["lambda"]["list_functions"] = {
        "Functions": [own, function_of("other", theirs), {"FunctionName": "shop-fn"}]
    }
    [check] = other_healers.check_other_healers(found, deployed())
    assert check.state is State.OK


def test_a_remedy_that_the_quota_would_refuse_is_a_failure() -> None:
    """100 executions must stay unreserved."""
    found = Account()
    found.of["lambda"]["get_account_settings"] = quota(1000, 105)
    assert unwell(account.check_concurrency(found, deployed(LIMIT))) == []
    found.of["lambda"]["get_account_settings"] = quota(1000, 104)
    [check, _] = account.check_concurrency(found, deployed(LIMIT))
    assert (check.state, "limit_concurrency of shop" in check.found) == (State.FAIL, True)


def test_a_key_that_is_disabled_is_a_failure_for_what_it_encrypts() -> None:
    found, healer = Account(), deployed(KMSKeyArn=KEY)
    found.of["sns"]["get_topic_attributes"] = {"Attributes": {"KmsMasterKeyId": KEY}}
    found.of["kms"]["describe_key"] = {"KeyMetadata": {"KeyState": "PendingDeletion"}}
    [check] = account.check_keys(found, TABLE, healer)
    assert check.state is State.FAIL
    assert check.found == (
        f"{KEY} (the healer's environment, the topic healer, the topic people) is PendingDeletion"
    )


def test_a_healer_that_is_not_there_is_a_failure() -> None:
    assert unwell(deployment.check_healer(Deployed({}, "", problem="the ledger does not name a healer"))) == [
        ("ledger.deployment", "fail"),
        ("healer.function", "fail"),
    ]
    gone = Deployed({"mode": {"S": "act"}}, "healer", problem="ResourceNotFoundException: no function")
    assert unwell(deployment.check_healer(gone)) == [("healer.function", "fail")]
    hidden = Deployed({"mode": {"S": "act"}}, "healer", problem="AccessDeniedException: no")
    assert unwell(deployment.check_healer(hidden)) == [("healer.function", "unknown")]
    broken = deployed(State="Failed", StateReason="the image is gone")
    [_, check] = deployment.check_healer(broken)
    assert (check.state, "the image is gone" in check.do) == (State.FAIL, True)


def test_a_budget_that_is_spent_and_an_override_are_told() -> None:
    found = Account()
    acts = {"L": [{"S": later(-minutes)} for minutes in range(12)] + [{"S": later(-2000)}]}
    found.table.items["fleet", "open"] = {"pk": {"S": "fleet"}, "sk": {"S": "open"}, "acts": acts}
    override = {name: {"S": name} for name in ("pk", "sk", "by", "why", "at")}
    found.table.items["mode", "override"] = {**override, "version": {"N": "1"}, "mode": {"S": "observe"}}
    spent, mode = deployment.check_budget(found, TABLE, deployed())
    assert (spent.state, spent.found) == (State.WARN, "12 of 12 remediations used in 24 h")
    assert (mode.state, mode.found.startswith("observe, by by")) == (State.WARN, True)


def test_what_the_caller_may_not_read_is_unknown_and_nothing_else_is() -> None:
    found = Account()
    found.of["kms"]["describe_key"] = refusal("DescribeKey", message="not authorized: kms:DescribeKey")
    checks = tried("kms.keys", "keys", lambda: account.check_keys(found, TABLE, deployed(KMSKeyArn=KEY)))
    assert unwell(checks) == [("kms.keys", "unknown")]
    assert "kms:DescribeKey" in checks[0].found


def test_an_operation_that_an_endpoint_does_not_have_is_no_failure() -> None:
    found = Account()
    found.of["cloudwatch"]["list_alarm_mute_rules"] = refusal("ListAlarmMuteRules", "InvalidAction")
    checks = tried("alarms.mute", "mutes", lambda: deployment.check_mutes(found, deployed()))
    assert unwell(checks) == [("alarms.mute", "warn")]


def test_credentials_that_are_not_taken_are_a_failure_and_not_only_unknown() -> None:
    found = Account()
    found.of["sts"]["get_caller_identity"] = refusal("GetCallerIdentity", "InvalidClientTokenId")
    look = tried("account.caller", "credentials", lambda: account.check_caller(found), State.FAIL)
    assert unwell(look) == [("account.caller", "fail")]


def rehearsed(*calls: dict[str, Any]) -> list[Check]:
    found = Account()
    found.of["lambda"]["invoke"] = {"Payload": answers({"calls": calls})}
    return list(rehearsal.check_rehearsal(found, deployed(), tell=False))


def denied(call: str, on: str, *keys: str, message: str = "no") -> dict[str, Any]:
    failed = {"call": call, "on": on, "keys": keys, "ok": False, "target": "shop"}
    return {**failed, "code": "AccessDeniedException", "said": message}


STATEMENTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        denied("lambda:GetAlias", "function:shop-fn"),
        {
            "Action": ["lambda:GetAlias"],
            "Resource": ["arn:aws:lambda:eu-west-1:123456789012:function:shop-fn"],
        },
    ),
    (
        denied(
            "lambda:GetFunctionConfiguration",
            "function:shop-fn",
            message=f"User: x is not authorized to perform: lambda:G on resource: {HEALER_ARN}:4 because no",
        ),
        {"Action": ["lambda:GetFunctionConfiguration"], "Resource": [f"{HEALER_ARN}:4"]},
    ),
    (
        denied("cloudwatch:DescribeAlarms", "*", message="on resource: arn:aws:cloudwatch:x:1:alarm:*"),
        {"Action": ["cloudwatch:DescribeAlarms"], "Resource": ["*"]},
    ),
    (
        denied("dynamodb:GetItem", "table/ledger", "command#rehearsal"),
        {
            "Action": ["dynamodb:GetItem"],
            "Resource": ["arn:aws:dynamodb:eu-west-1:123456789012:table/ledger"],
        },
    ),
    (
        denied("dynamodb:PutItem", "table/ledger", "target#*"),
        {
            "Action": ["dynamodb:PutItem"],
            "Resource": ["arn:aws:dynamodb:eu-west-1:123456789012:table/ledger"],
            "Condition": {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["target#*"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        },
    ),
    (
        denied("dynamodb:TransactWriteItems", "table/ledger", "mode", "target#*", "fleet"),
        {
            "Action": ["dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            "Resource": ["arn:aws:dynamodb:eu-west-1:123456789012:table/ledger"],
            "Condition": {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["mode", "target#*", "fleet"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        },
    ),
    (
        {**denied("sns:Publish", PEOPLE), "code": "AuthorizationError"},
        {"Action": ["sns:Publish"], "Resource": [PEOPLE]},
    ),
]


@pytest.mark.parametrize(("call", "statement"), STATEMENTS, ids=[call["call"] for call, _ in STATEMENTS])
def test_for_a_call_that_is_denied_the_statement_is_printed(
    call: dict[str, Any], statement: dict[str, Any]
) -> None:
    [check] = rehearsed({"call": "dynamodb:GetItem", "on": "table/ledger", "ok": True}, call)
    assert check.state is State.FAIL
    assert check.statement == {"Effect": "Allow", **statement}
    assert call["call"] in check.found
    printed = "\n".join(text for text, _ in lines(check))
    assert json.loads(printed[printed.index("{") :]) == check.statement


def test_a_statement_is_not_made_up_where_the_resource_is_not_known() -> None:
    assert missing("kms:Decrypt", "key of somebody", (), "no", deployed()) is None


def test_a_call_that_fails_otherwise_is_told_without_a_statement() -> None:
    call = {**denied("kms:Decrypt", "function:shop-fn"), "code": "EnvironmentUnreadable"}
    [check] = rehearsed(call)
    assert (check.state, check.statement) == (State.FAIL, None)
    assert "environment_key_arn" in check.do


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"Payload": answers({"wake": None, "decisions": {}})}, "does not know how to rehearse"),
        ({"Payload": answers({"errorMessage": "no ledger"}), "FunctionError": "Unhandled"}, "no ledger"),
    ],
)
def test_a_healer_that_cannot_rehearse_is_a_failure(answer: dict[str, Any], words: str) -> None:
    found = Account()
    found.of["lambda"]["invoke"] = answer
    [check] = rehearsal.check_rehearsal(found, deployed(), tell=False)
    assert (check.state, words in check.found) == (State.FAIL, True)


@pytest.mark.parametrize(("tell", "event"), [(False, {}), (True, {"tell": True})])
def test_people_are_told_only_with_tell(tell: bool, event: dict[str, bool]) -> None:
    found = Account()
    list(rehearsal.check_rehearsal(found, deployed(), tell=tell))
    [payload] = [json.loads(asked["Payload"]) for name, asked in found.calls if name == "invoke"]
    assert payload == {"wake": "rehearse", **event}
    assert found.patience == [40], "longer than the healer may take, and asked once"


def test_a_change_that_iam_would_deny_is_a_failure_with_its_statement() -> None:
    found = Account()
    found.of["iam"]["simulate_principal_policy"] = {"EvaluationResults": [{"EvalDecision": "implicitDeny"}]}
    [check] = rehearsal.check_writes(found, deployed())
    assert check.state is State.FAIL
    assert check.statement == {
        "Effect": "Allow",
        "Action": ["lambda:UpdateFunctionConfiguration"],
        "Resource": ["arn:aws:lambda:eu-west-1:123456789012:function:shop-fn"],
    }
    assert unwell(rehearsal.check_writes(found, deployed(mode="observe"))) == []


def test_a_simulation_has_the_condition_keys_that_aws_would_set() -> None:
    found = Account()
    found.of["lambda"]["get_function_configuration"] = {
        "Environment": {"Variables": {"BREAKER_TABLE": "circuits"}}
    }
    pause = {"kind": "pause_consumer", "name": "1234", "value": "Disabled"}
    force = {"kind": "force_breaker", "name": "pay", "value": "open"}
    assert unwell(rehearsal.check_writes(found, deployed(pause, force))) == []
    asked = [
        (each["ActionNames"], each["ResourceArns"], each["ContextEntries"])
        for name, each in found.calls
        if name == "simulate_principal_policy"
    ]
    region = "eu-west-1:123456789012"
    function = f"arn:aws:lambda:{region}:function:shop-fn"
    assert asked == [
        (
            ["lambda:UpdateEventSourceMapping"],
            [f"arn:aws:lambda:{region}:event-source-mapping:1234"],
            [
                {
                    "ContextKeyName": "lambda:FunctionArn",
                    "ContextKeyType": "string",
                    "ContextKeyValues": [function],
                }
            ],
        ),
        (
            ["dynamodb:UpdateItem"],
            [f"arn:aws:dynamodb:{region}:table/circuits"],
            [
                {
                    "ContextKeyName": "dynamodb:LeadingKeys",
                    "ContextKeyType": "stringList",
                    "ContextKeyValues": ["breaker#pay"],
                }
            ],
        ),
    ]


def rung(found: Account, then: Callable[[], None] = lambda: None) -> list[Check]:
    found.of["cloudwatch"]["set_alarm_state"] = lambda **_: then()
    return list(ring.check_ring(found, TABLE, deployed(), NOW))


def states_set(found: Account) -> list[str]:
    return [asked["AlarmName"] for name, asked in found.calls if name == "set_alarm_state"]


def test_a_ring_for_nothing_is_answered_by_doing_nothing() -> None:
    found = Account()
    reason = "alarm-not-corroborated-by-metrics"
    checks = rung(found, lambda: found.logs(wake="topic", target="shop", reason=reason))
    assert [(each.id, each.state) for each in checks] == [
        ("ring.woken", State.OK),
        ("ring.ledger", State.OK),
        ("ring.back", State.OK),
    ]
    assert reason in checks[0].found
    [asked] = [asked for name, asked in found.calls if name == "set_alarm_state"]
    assert (asked["AlarmName"], asked["StateValue"]) == ("shop-fast", "ALARM")
    assert "nothing is wrong" in asked["StateReason"]


@pytest.mark.parametrize(
    "line", [{"wake": "schedule", "target": "shop"}, {"wake": "topic", "target": "other"}]
)
def test_a_run_by_the_schedule_or_for_another_target_does_not_count(line: dict[str, str]) -> None:
    found = Account()
    checks = rung(found, lambda: found.logs(reason="healthy", **line))
    assert unwell(checks) == [("ring.woken", "fail")]
    assert "topic's policy" in checks[0].do


def test_a_run_before_the_ring_does_not_count() -> None:
    found = Account()
    found.logs(wake="topic", target="shop", reason="healthy")
    assert unwell(rung(found)) == [("ring.woken", "fail")]


def test_what_the_healer_does_about_a_ring_is_a_failure() -> None:
    found = Account()

    def act() -> None:
        found.logs(wake="topic", target="shop", reason="applied")
        found.table.items["target#shop", "incident"] = item_of(proposed("shop"))

    assert unwell(rung(found, act)) == [("ring.woken", "warn"), ("ring.ledger", "fail")]


def test_an_alarm_that_does_not_go_back_is_told() -> None:
    found = Account()

    def stick() -> None:
        found.logs(wake="topic", target="shop", reason="alarm-not-fresh")
        found.of["cloudwatch"]["describe_alarms"] = {"MetricAlarms": [{**ALARM, "StateValue": "ALARM"}]}

    assert unwell(rung(found, stick)) == [("ring.back", "warn")]


def test_nothing_is_rung_while_an_incident_is_open_or_an_alarm_is_not_ok() -> None:
    busy, ringing = Account(), Account()
    busy.table.items["target#shop", "incident"] = item_of(proposed("shop"))
    ringing.of["cloudwatch"]["describe_alarms"] = {
        "MetricAlarms": [{**ALARM, "StateValue": "INSUFFICIENT_DATA"}]
    }
    for found in (busy, ringing):
        assert unwell(rung(found)) == [("ring.woken", "unknown")]
        assert states_set(found) == []


def test_the_document_says_what_the_text_says() -> None:
    checks = [
        Check("a", "A", State.OK, "well"),
        Check("b", "B", State.FAIL, "bad", "mend it", {"Effect": "Allow"}),
    ]
    found = document(checks, "there")
    assert json.loads(json.dumps(found)) == {
        "schema": 1,
        "where": "there",
        "ok": False,
        "counts": {"ok": 1, "warn": 0, "fail": 1, "unknown": 0},
        "checks": [
            {"id": "a", "what": "A", "state": "ok", "found": "well", "do": "", "statement": None},
            {
                "id": "b",
                "what": "B",
                "state": "fail",
                "found": "bad",
                "do": "mend it",
                "statement": {"Effect": "Allow"},
            },
        ],
    }


@pytest.mark.slow
@pytest.mark.usefixtures("dynamodb")
def test_the_command_ends_with_1_where_no_healer_is_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = told("doctor", *AWS, code=1)
    found = {each["id"]: each["state"] for each in report["checks"]}
    assert (found["account.caller"], found["ledger.table"]) == ("ok", "ok")
    assert (found["ledger.deployment"], found["healer.function"], report["ok"]) == ("fail", "fail", False)
    deploy("act", healer="gone")
    text = said("doctor", *AWS, code=1)
    assert "fail healer.function" in text
    assert "Next: Deploy the stack" in text


@pytest.mark.slow
@pytest.mark.usefixtures("dynamodb")
def test_a_ledger_that_is_not_there_is_told_by_its_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = said("doctor", "--aws", "--region", "us-east-1", "--ledger", "nowhere", "--ring", code=1)
    assert "fail ledger.table" in text
    assert "ring.woken" not in text


def test_wrong_usage_ends_with_2() -> None:
    assert run("doctor", "--aws", "--endpoint", "http://127.0.0.1:1").exit_code == 2


def test_the_help_teaches_what_it_does_and_what_the_words_mean() -> None:
    text = said("doctor", "--help")
    for words in ("rehearses", "Nothing is changed", "`unknown` could not be looked at", "--ring", "--tell"):
        assert words.strip("`") in text.replace("`", "") or words in text
    assert "0 done · 1 failed · 2 wrong usage · 3 nothing failed, but" in text
