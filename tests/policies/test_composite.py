"""The grammar of composite alarms."""

import pytest
from selfheal_policies.composite import parse_rule

ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a"


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("ALARM(a)", ["a"]),
        ('ALARM("a") OR OK("b") AND NOT INSUFFICIENT_DATA(c)', ["a", "b", "c"]),
        (f"ALARM({ARN})", [ARN]),
        (f'OK("{ARN}")', [ARN]),
        ("ALARM(CPU too high)", ["CPU too high"]),
        ("ALARM(a, b)", ["a, b"]),
        ('ALARM("it\'s (prod), [x]")', ["it's (prod), [x]"]),
        ('ALARM("say \\"x\\" and \\\\")', ['say "x" and \\']),
        ("ALARM('a b')", ["a b"]),
        ("ALARM(it's)", ["it's"]),
        ("  (( ALARM ( a ) )\n OR\tOK(a))", ["a"]),
        ("OK(a)OR(OK(b))", ["a", "b"]),
        ("TRUE", []),
        ("NOT NOT FALSE", []),
        ("alarm(a) and not ok(b)", ["a", "b"]),
        ('AT_LEAST(2, ALARM, (a, "b (x)", c)) OR ALARM(d)', ["a", "b (x)", "c", "d"]),
        (f"AT_LEAST(60%, NOT OK, ({ARN}, b))", [ARN, "b"]),
        ('ALARM("AND")', ["AND"]),
        ("ALARM(OR) OR ALARM(NOT)", ["OR", "NOT"]),
    ],
)
def test_what_a_rule_asks(rule: str, names: list[str]) -> None:
    parsed = parse_rule(rule)
    assert parsed.problem == ""
    assert list(parsed.names) == names


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("", "at character 1 and ends"),
        ("ALARM", '"(" at character 6 and ends'),
        ("ALARM(", "the name of an alarm"),
        ("ALARM()", "the name of an alarm"),
        ('ALARM("")', "the name of an alarm"),
        ('ALARM("a)', "the name of an alarm"),
        ("ALARM(a (b))", '")" at character 9 and finds "(b))"'),
        ("ALARM(a) ALARM(b)", 'AND or OR at character 10 and finds "ALARM(b)"'),
        ("ALARM(a) XOR ALARM(b)", 'AND or OR at character 10 and finds "XOR ALARM(b)"'),
        ("ALARM(a) OR", "at character 12 and ends"),
        ("OR ALARM(a)", 'at character 1 and finds "OR ALARM(a)"'),
        ("RED(a)", 'at character 1 and finds "RED(a)"'),
        ("(ALARM(a)", "opens a bracket"),
        ("ALARM(a))", "closes a bracket"),
        ("AT_LEAST(ALARM, (a))", "a number or a percentage"),
        ("AT_LEAST(1, RED, (a))", "ALARM, OK or INSUFFICIENT_DATA"),
        ("AT_LEAST(1, ALARM, a)", '"("'),
        ("AT_LEAST(1, ALARM, (a,))", "the name of an alarm"),
        ("(" * 501 + "TRUE" + ")" * 501, "more than 500 elements"),
        (" OR ".join(["ALARM(a)"] * 501), "more than 500 elements"),
    ],
)
def test_why_a_rule_cannot_be_read(rule: str, part: str) -> None:
    parsed = parse_rule(rule)
    assert part in parsed.problem
    assert not parsed.always
    assert not parsed.never


@pytest.mark.parametrize(
    ("rule", "constant"),
    [
        ("TRUE", "always"),
        ("NOT FALSE", "always"),
        ("ALARM(a) OR TRUE", "always"),
        ("ALARM(a) OR NOT ALARM(a)", "always"),
        ("ALARM(a) OR OK(a)", "always"),  # while it has data
        ("AT_LEAST(0, ALARM, (a, b))", "always"),
        ("AT_LEAST(1, ALARM, (a, b)) OR AT_LEAST(1, NOT ALARM, (a, b))", "always"),
        (" OR ".join(f"ALARM(a{each})" for each in range(9)) + " OR TRUE", "always"),
        ("FALSE", "never"),
        ("ALARM(a) AND FALSE", "never"),
        ("ALARM(a) AND NOT ALARM(a)", "never"),
        ("ALARM(a) AND OK(a)", "never"),
        ("AT_LEAST(3, ALARM, (a, b))", "never"),
        ("ALARM(a)", ""),
        ("NOT ALARM(a)", ""),
        ("INSUFFICIENT_DATA(a)", ""),
        ("ALARM(a) OR ALARM(b) AND FALSE", ""),
        ("FALSE AND ALARM(a) OR ALARM(b)", ""),
        ("NOT ALARM(a) OR ALARM(b)", ""),
        ("AT_LEAST(50%, ALARM, (a, b, c))", ""),
        (" OR ".join(f"ALARM(a{each})" for each in range(9)), ""),
    ],
)
def test_whether_a_rule_depends_on_its_alarms(rule: str, constant: str) -> None:
    parsed = parse_rule(rule)
    assert (parsed.always, parsed.never) == (constant == "always", constant == "never")


@pytest.mark.parametrize(
    ("rule", "when_well"),
    [
        ("NOT ALARM(a)", True),
        ("OK(a) AND NOT INSUFFICIENT_DATA(b)", True),
        ("AT_LEAST(1, OK, (a, b))", True),
        ("ALARM(a) AND NOT ALARM(b)", False),
        ("ALARM(a) AND OK(b)", False),
        ("INSUFFICIENT_DATA(a)", False),
        ("NOT ALARM(a", False),
    ],
)
def test_whether_a_rule_holds_while_all_is_well(rule: str, when_well: bool) -> None:
    assert parse_rule(rule).when_well is when_well


def test_a_long_rule_is_read_in_no_time() -> None:
    nested = "NOT (" * 400 + "ALARM(a)" + ")" * 400
    assert parse_rule(nested).names == ("a",)
    assert parse_rule("ALARM(" + "a" * 90_000 + ")").problem == ""
    assert parse_rule('ALARM("' + "\\" * 90_001).problem != ""
