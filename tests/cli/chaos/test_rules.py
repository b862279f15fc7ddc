"""What may be broken where, how much of it, and what identifies it."""

from pathlib import Path

import pytest

from selfheal.cli.chaos.rules import (
    check_place,
    digest_of,
    fault_text,
    percent_of,
    with_percent,
)
from selfheal.cli.chaos.tokens import VARIABLE, choose, read_tokens
from selfheal.cli.errors import CliError
from selfheal.functions.shared.callers import share_of
from selfheal.scenarios.faults import (
    DownstreamFault,
    Fault,
    FunctionAction,
    FunctionFault,
    KillFault,
    ThrottleFault,
)
from selfheal.scenarios.scenario import Traffic, shipped
from tests.cli.chaos.support import replace, scenario

FUNCTION = FunctionFault("billing", FunctionAction.ERROR, 20)
THROTTLE = ThrottleFault("ssm", "GetParameters", 0.8)
KILL = KillFault("billing", 2)
FAULTS: list[tuple[Fault, float, str]] = [
    (FUNCTION, 20, "function billing: error in 20 % of the invocations"),
    (THROTTLE, 80, "ssm:GetParameters throttled, share 0.8"),
    (KILL, 100, "workers of billing killed every 2 s"),
    (DownstreamFault("outage"), 100, "downstream: outage"),
    (DownstreamFault("latency", seconds=2.5), 100, "downstream: latency, 2.5 s"),
    (DownstreamFault("errors", share=0.3), 30, "downstream: errors, share 0.3"),
    (DownstreamFault("partial-outage"), 100 / 3, "downstream: partial-outage"),
]


@pytest.mark.parametrize(("fault", "percent", "text"), FAULTS)
def test_the_size_of_a_fault_and_its_words(fault: Fault, percent: float, text: str) -> None:
    assert percent_of(fault) == pytest.approx(percent)
    assert fault_text(fault) == text


@pytest.mark.parametrize("fault", [FUNCTION, THROTTLE, DownstreamFault("errors", share=0.3)])
def test_a_fault_with_a_size_is_made_smaller_and_never_larger(fault: Fault) -> None:
    made = with_percent(scenario(fault=fault), 7)
    assert percent_of(made.fault) == pytest.approx(7)
    assert type(made.fault) is type(fault)
    with pytest.raises(CliError, match="is more than"):
        with_percent(scenario(fault=fault), 81)


@pytest.mark.parametrize("fault", [KILL, DownstreamFault("outage"), DownstreamFault("partial-outage")])
def test_a_fault_without_a_size_has_no_smaller_form(fault: Fault) -> None:
    assert with_percent(scenario(fault=fault), None).fault == fault
    with pytest.raises(CliError, match="has no smaller form"):
        with_percent(scenario(fault=fault), 10)


@pytest.mark.parametrize(("fault", "_percent", "_text"), FAULTS)
def test_what_aws_cannot_make_is_refused_there(fault: Fault, _percent: float, _text: str) -> None:
    made = scenario(fault=fault)
    check_place(made, emulated=True, production=False)
    if fault in (THROTTLE, KILL):
        with pytest.raises(CliError, match=r"cannot be run on AWS.*sandbox only"):
            check_place(made, emulated=False, production=False)
    else:
        check_place(made, emulated=False, production=False)


@pytest.mark.parametrize("emulated", [True, False])
def test_in_production_at_most_ten_percent_are_broken(*, emulated: bool) -> None:
    check_place(scenario(fault=replace(FUNCTION, percent=10)), emulated=emulated, production=True)
    for fault in (
        replace(FUNCTION, percent=11),
        DownstreamFault("outage"),
        DownstreamFault("partial-outage"),
    ):
        with pytest.raises(CliError, match="in production at most 10 %") as refused:
            check_place(scenario(fault=fault), emulated=emulated, production=True)
        has_size = isinstance(fault, FunctionFault)
        assert ("add --percent 10" in str(refused.value)) is has_size
        assert ("has no smaller form" in str(refused.value)) is not has_size


def test_a_digest_changes_with_all_that_matters() -> None:
    made = scenario(fault=FUNCTION)
    others = [
        replace(made, fault_seconds=21),
        replace(made, fault=replace(FUNCTION, percent=19)),
        replace(made, stop_when=made.hypothesis),
        replace(made, traffic=Traffic(6, 2)),
    ]
    digests = [digest_of(each, "prod") for each in (made, *others)] + [digest_of(made, "staging")]
    assert len(set(digests)) == len(digests)
    assert digest_of(replace(made), "prod") == digests[0]
    assert len(digests[0]) == 32


TOKEN = "t" * 32


def test_tokens_come_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(f'{{"ann": "{TOKEN}"}}')
    assert read_tokens(file) == {"ann": TOKEN}
    monkeypatch.setenv(VARIABLE, f'{{"bob": "{TOKEN}"}}')
    assert read_tokens(None) == {"bob": TOKEN}
    assert read_tokens(file) == {"ann": TOKEN}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ""),
        ("{}", "this is an empty object"),
        ("[]", "this is JSON, but no object"),
        (TOKEN, "this is not JSON"),
        (f'{{"a b": "{TOKEN}"}}', "a caller's name is not"),
        ('{"ann": "short-secret"}', "or a token is not"),
    ],
)
def test_tokens_that_cannot_be_used_are_explained_and_never_quoted(
    text: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    file = tmp_path / "tokens.json"
    file.write_text(text)
    for given in (file, None) if text else (None,):
        monkeypatch.setenv(VARIABLE, text)
        with pytest.raises(CliError, match="pulumi config get callers") as refused:
            read_tokens(given)
        assert given is None or why in str(refused.value)
        assert "short-secret" not in str(refused.value)
        assert TOKEN not in str(refused.value)
    with pytest.raises(CliError, match="Cannot read"):
        read_tokens(tmp_path / "none.json")


def tokens(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, TOKEN)


def test_the_callers_that_a_scenario_wants_send_orders() -> None:
    assert choose(scenario(), tokens("c", "a", "b")) == (tokens("a", "b"), "")
    few, note = choose(scenario(), tokens("a"))
    assert (few, note) == (tokens("a"), "1 of 2 callers sent orders: there were no more tokens")


def test_a_third_of_the_callers_is_among_those_that_a_partial_outage_hits() -> None:
    names = [f"caller-{number}" for number in range(12)]
    hit = {name for name in names if share_of(name) < 1 / 3}
    made = scenario(fault=DownstreamFault("partial-outage"), traffic=Traffic(3, 6))
    chosen, note = choose(made, tokens(*names))
    assert (len(chosen), len(hit & chosen.keys()), note) == (6, 2, "")
    with pytest.raises(CliError, match=r"hits 2; of the .* whose tokens are given it hits 0"):
        choose(made, tokens(*(set(names) - hit)))


def test_no_scenario_that_ships_fits_into_production_as_it_is() -> None:
    """Each is refused there; the only one with a smaller form is made by FIS, with an approval."""
    small = {"billing-fails"}
    for made in shipped():
        with pytest.raises(CliError):
            check_place(made, emulated=False, production=True)
        if made.name in small:
            check_place(with_percent(made, 10), emulated=False, production=True)
