"""Configuration: what is read, and what is refused with which words."""

import json
import re
from dataclasses import fields, replace

import pulumi
import pytest
import yaml

from selfheal.components.services.fragile_service import Traffic
from selfheal.functions.shared.contract import FaultMode, Mode, RemedyKind
from settings import OrdersSettings, Resilience, Service, Settings, SettingsError
from tests.conftest import ROOT
from tests.support.pulumi_mocks import deploy


def load(**values: str) -> Settings:
    found: list[Settings] = []
    config = {f"selfheal:{key}": value for key, value in {"failureRate": "0.3", **values}.items()}
    deploy(lambda: found.append(Settings.load()), config=config)
    return found[0]


def schema() -> dict[str, dict[str, object]]:
    return yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]


def test_the_defaults() -> None:
    found = load()
    assert found == Settings(
        service=Service.FRAGILE,
        resilience=Resilience.ADVISED,
        sandbox=False,
        orders=found.orders,
        failure_rate=0.3,
        fault_mode=FaultMode.EXCEPTION,
        traffic=Traffic.LATEST,
        natural_error_rate=0.001,
        false_alarms_per_year=1.0,
        mode=Mode.OBSERVE,
        remedies=(RemedyKind.OVERRIDE,),
        budget=12,
        remind_seconds=86400,
        escalation_emails=(),
        reserve_concurrency=False,
        protect_ledger=True,
        ledger_name="selfheal-test-ledger",
        log_retention_days=14,
        restore_baseline=False,
        encryption_key_arn="",
        permissions_boundary_arn="",
    )


def plain(found: Settings) -> Settings:
    """Return settings without their secret, of which two never compare as equal."""
    return replace(found, orders=replace(found.orders, callers=None))  # pyright: ignore[reportArgumentType]


def test_the_schema_has_the_same_keys_and_defaults_and_describes_each() -> None:
    described = schema()
    assert len(described) == len(fields(Settings)) - 1 + len(fields(OrdersSettings))
    assert all(isinstance(key["description"], str) for key in described.values())
    assert [key for key, entry in described.items() if "default" not in entry] == ["failureRate"]
    values = {
        key: entry["default"] if isinstance(entry["default"], str) else json.dumps(entry["default"])
        for key, entry in described.items()
        if "default" in entry
    }
    assert plain(load(**values)) == plain(load())


def test_everything_set() -> None:
    found = load(
        failureRate="1",
        faultMode="status-code",
        traffic="alias",
        naturalErrorRate="0.2",
        falseAlarmsPerYear="1000",
        mode="act",
        remedies='["rollback_alias", "override"]',
        budget="24",
        remindSeconds="3600",
        escalationEmails='["a@example.com"]',
        reserveConcurrency="false",
        protectLedger="false",
        ledgerName="kept",
        logRetentionDays="30",
        restoreBaseline="true",
    )
    assert (found.failure_rate, found.fault_mode, found.traffic) == (
        1.0,
        FaultMode.STATUS_CODE,
        Traffic.ALIAS,
    )
    assert (found.natural_error_rate, found.false_alarms_per_year, found.mode) == (0.2, 1000.0, Mode.ACT)
    assert found.remedies == (RemedyKind.ROLLBACK_ALIAS, RemedyKind.OVERRIDE)
    assert (found.budget, found.remind_seconds) == (24, 3600)
    assert (found.escalation_emails, found.reserve_concurrency) == (("a@example.com",), False)
    assert (found.protect_ledger, found.ledger_name) == (False, "kept")
    assert (found.log_retention_days, found.restore_baseline) == (30, True)


@pytest.mark.parametrize("given", ["1.5", "-1", "nan", "inf", "-inf", "abc", "", "30%", "1.0000001", "0,3"])
def test_a_failure_rate_that_is_none(given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(failureRate=given)
    assert str(caught.value) == (
        f"configuration key selfheal:failureRate must be a number from 0 to 1, got {given!r}. "
        "Set it with: pulumi config set failureRate 0.3"
    )


@pytest.mark.parametrize("given", ["0", "0.0", "1", "0.5", "1e-3"])
def test_a_failure_rate_that_is_one(given: str) -> None:
    assert load(failureRate=given).failure_rate == float(given)


def test_the_failure_rate_must_be_set() -> None:
    with pytest.raises(SettingsError, match="selfheal:failureRate must be a number from 0 to 1, got nothing"):
        deploy(lambda: Settings.load() and None)


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("naturalErrorRate", "0", "a number above 0 and at most 0.2, got '0'"),
        ("naturalErrorRate", "0.3", "a number above 0 and at most 0.2, got '0.3'"),
        ("naturalErrorRate", "nan", "got 'nan'"),
        ("falseAlarmsPerYear", "0", "a number above 0 and at most 1000, got '0'"),
        ("falseAlarmsPerYear", "1001", "got '1001'"),
        ("faultMode", "exeption", "one of exception, latency, status-code, timeout, partial, got 'exeption'"),
        ("faultMode", "exeption", "pulumi config set faultMode exception"),
        ("traffic", "$LATEST", "one of latest, alias, got"),
        ("mode", "ACT", "one of observe, suggest, act, got 'ACT'"),
        ("mode", "", "one of observe, suggest, act, got ''"),
        ("remedies", "override", "a list of environment, override, rollback_alias, each at most once"),
        ("remedies", '["reboot"]', "a list of environment, override, rollback_alias"),
        ("remedies", '["limit_concurrency"]', "a list of environment, override, rollback_alias"),
        ("remedies", '["override", "override"]', "each at most once"),
        ("remedies", '{"override": 1}', "a list of"),
        ("remedies", "[1]", r"pulumi config set --path 'remedies\[0\]' override"),
        ("budget", "0", "a whole number from 1 to 24, got '0'"),
        ("budget", "25", "a whole number from 1 to 24, got '25'"),
        ("budget", "12.0", "got '12.0'"),
        ("remindSeconds", "3599", "a whole number from 3600 to 604800, got '3599'"),
        ("reserveConcurrency", "yes", "true or false, got 'yes'"),
        ("logRetentionDays", "10", "one of 1, 3, 5, .*, got '10'"),
        ("logRetentionDays", "14.0", "got '14.0'"),
        ("escalationEmails", "a@example.com", "a list of e-mail addresses"),
        ("escalationEmails", '["nobody"]', "a list of e-mail addresses"),
        ("escalationEmails", "[1]", "a list of e-mail addresses"),
        ("escalationEmails", '["a@example.com", "a@example.com"]', "each once"),
        ("ledgerName", "a b", "a table's name, 3 to 255 .*, got 'a b'"),
        ("escalationEmails", '{"a@example.com": 1}', "a list of e-mail addresses"),
    ],
)
def test_a_value_that_is_refused(key: str, given: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load(**{key: given})
    assert f"selfheal:{key} must be" in str(caught.value)
    assert "pulumi config set" in str(caught.value)


def test_a_stack_may_only_watch() -> None:
    assert load(remedies="[]").remedies == ()


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("failurerate", "Did you mean failureRate?"),
        ("FailureRate", "Did you mean failureRate?"),
        ("restoreBaselin", "Did you mean restoreBaseline?"),
        ("zzz", "Known are: analytics, articles, budget,"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_closest_known(given: str, hint: str) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        load(**{given: "0.3"})
    assert f"selfheal:{given} is not known" in str(caught.value)
    assert hint in str(caught.value)


def test_a_misspelt_key_is_refused_as_the_command_line_hands_it_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", '{"selfheal:failureRate": "0.3", "selfheal:moode": "act"}')
    with pytest.raises(pulumi.RunError, match=r"selfheal:moode is not known\. Did you mean mode\?"):
        deploy(lambda: Settings.load() and None)


def test_keys_of_provider_and_engine_are_none_of_its_business() -> None:
    found: list[Settings] = []
    config = {"selfheal:failureRate": "0", "aws:region": "us-east-1", "pulumi:tags": "{}"}
    deploy(lambda: found.append(Settings.load()), config=config)
    assert found[0].failure_rate == 0


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("healing:mode", r"Did you mean selfheal:mode\?"),
        ("selfhael:mode", r"Did you mean selfheal:mode\?"),
        ("asw:region", r"Did you mean aws:region\?"),
        ("other:thing", r"Read are selfheal \(this project\), aws and pulumi\. Remove it"),
    ],
)
def test_a_key_of_a_namespace_that_nothing_reads_is_refused_by_name(given: str, hint: str) -> None:
    """A project's old name, for one: with its mode the healer would silently have the default."""
    config = {"selfheal:failureRate": "0", given: "act"}
    with pytest.raises(pulumi.RunError) as caught:
        deploy(lambda: Settings.load() and None, config=config)
    assert f"configuration key {given} is of a namespace that nothing here reads" in str(caught.value)
    assert re.search(hint, str(caught.value))
    assert f"pulumi config rm {given}" in str(caught.value)


@pytest.mark.parametrize(
    ("traffic", "kind", "hint"),
    [
        (
            "alias",
            "environment",
            "set traffic latest; .* with traffic alias allowed are override, rollback_alias",
        ),
        (
            "latest",
            "rollback_alias",
            "set traffic alias; .* with traffic latest allowed are environment, overri",
        ),
    ],
)
def test_a_remedy_that_cannot_work_on_the_traffic_is_refused_and_says_what_to_set(
    traffic: str, kind: str, hint: str
) -> None:
    with pytest.raises(pulumi.RunError, match=f"remedies holds {kind}, .*pulumi config {hint}"):
        load(traffic=traffic, remedies=f'["override", "{kind}"]')


def test_a_ledger_that_nothing_protects_has_a_name_that_does_not_follow_the_stack() -> None:
    with pytest.raises(SettingsError, match=r"while protectLedger is false.*set ledgerName selfheal-test-"):
        load(protectLedger="false")
    assert load(protectLedger="false", ledgerName="kept").ledger_name == "kept"
