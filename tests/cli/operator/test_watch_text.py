"""What the terminal shows: the worst first, each line within the width, nothing unknown taken for well."""

from dataclasses import replace

import pytest

from selfheal.cli.operator.watch_text import age_text, fit, lines, verdict
from selfheal.functions.status.picture import (
    AlarmNow,
    BudgetNow,
    CircuitNow,
    ForcedNow,
    IncidentNow,
    LettersNow,
    Picture,
    QueueNow,
    Step,
    TargetNow,
)

AT = "2026-11-21T03:12:45.120Z"
OK = AlarmNow("fast", "OK", "2026-11-20T22:01:10.000Z", "no datapoints")
WELL = Picture(
    AT,
    "act",
    "act",
    (TargetNow("billing", (OK,)),),
    (),
    BudgetNow(2, 12),
    (CircuitNow("bank", "closed", True, None, None, None, 0, 0, 0),),
    (QueueNow("intake", 0, 0, 0),),
    (LettersNow("bus", 0),),
)
STEP = Step("2026-11-21T03:10:05.000Z", "OPEN", "ACTING", "alarm-confirmed-by-metrics")
INCIDENT = IncidentNow(
    id="billing-1",
    target="billing",
    status="VERIFYING",
    reason="collecting-evidence",
    means="Requests are counted.",
    open=True,
    opened_at="2026-11-21T03:10:05.000Z",
    closed_at=None,
    remedy="rollback_alias:live 8 → 7",
    drift=False,
    steps=6,
    history=(STEP,) * 6,
)
OVER = replace(INCIDENT, status="RECOVERED", open=False, closed_at="2026-11-20T12:00:00.000Z")
RINGING = AlarmNow("slow", "ALARM", "2026-11-21T03:10:02.000Z", "Threshold Crossed: " + "datapoints " * 30)
OPEN = CircuitNow(
    "bank", "open", False, "2026-11-21T03:12:40.000Z", "2026-11-21T03:12:52.120Z", None, 2, 40, 30
)
FORCED = ForcedNow("open", "arn:aws:iam::123456789012:user/ann", "the bank moves", "2026-11-21T05:00:00.000Z")
WORST = replace(
    WELL,
    mode="observe",
    targets=(TargetNow("billing", (OK, RINGING, AlarmNow("gone"))),),
    incidents=(INCIDENT, replace(OVER, drift=True)),
    budget=BudgetNow(12, 12),
    circuits=(replace(OPEN, forced=FORCED), replace(WELL.circuits[0], name="mail", calls=9, failures=1)),
    queues=(QueueNow("fulfilment", 412, 4, 0),),
    dead_letters=(LettersNow("bus", None), LettersNow("intake", 3), LettersNow("billing", 7)),
    problems=tuple(f"could not read the circuit {number}: {'AccessDenied ' * 20}" for number in range(7)),
)


def text(picture: Picture, width: int = 80, options: str = "") -> list[str]:
    return [line.plain.rstrip() for line in lines(picture, width, options)]


def test_what_is_well_is_said_in_few_words() -> None:
    assert text(WELL) == [
        " WELL",
        "03:12:45 UTC   mode act   budget 2 of 12 used in 24 h",
        "",
        "Incidents     none open",
        "Alarms        1 OK (billing)",
        "Circuits      bank closed",
        "Dead letters  none",
        "Queues        empty (intake)",
    ]
    assert "Incidents     none open; the last: billing RECOVERED   15h12m ago" in text(
        replace(WELL, incidents=(OVER,))
    )


def test_the_worst_comes_first_and_says_what_to_do() -> None:
    shown = text(WORST, options=" --aws -s prod")
    assert shown == [
        " TROUBLE  1 incident, 1 alarm, 1 circuit, 7 unknown, 1 drift, 10 letters,",
        "budget spent",
        "03:12:45 UTC   mode observe (baseline act)   budget 12 of 12 used in 24 h",
        "",
        "Incidents",
        "! billing      VERIFYING    2m40s  collecting-evidence",
        "      rollback_alias:live 8 → 7",
        "      Requests are counted.",
        "      2 earlier steps",
        *["      03:10:05  OPEN → ACTING  alarm-confirmed-by-metrics"] * 4,
        "! billing      RECOVERED   15h12m  a change still stands",
        "      rollback_alias:live 8 → 7",
        "  > selfheal incidents show billing --aws -s prod",
        "",
        "Alarms",
        "! billing      ALARM        2m43s  slow",
        "      Threshold Crossed: datapoints datapoints datapoints datapoints datapoints",
        "      datapoints datapoints datapoints datapoints datapoints datapoints …",
        "  the others: 1 OK, 1 unknown",
        "",
        "Circuits",
        "! bank         open            5s  2 openings, probed in 7s, 30 of 40 failed",
        "      forced open until 05:00:00 by ann: the bank moves",
        "  at rest: mail closed, 1 of 9 failed",
        "  > selfheal breaker show bank --aws -s prod",
        "",
        "Not known",
        *(
            line
            for number in range(5)
            for line in (
                f"! could not read the circuit {number}: AccessDenied AccessDenied AccessDenied",
                "  AccessDenied AccessDenied AccessDenied AccessDenied AccessDenied …",
            )
        ),
        "  and 2 more: selfheal watch --once --json",
        "",
        "Dead letters",
        "! billing               7",
        "! intake                3",
        "  not known of bus",
        "  > selfheal dlq show billing --aws -s prod",
        "",
        "Queues                        waiting  in flight  delayed",
        "              fulfilment          412          4        0",
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, text(WORST, width))) <= width


def test_in_a_narrow_terminal_nothing_that_says_why_is_cut_off() -> None:
    shown = text(WORST, 60)
    assert "      03:10:05  OPEN → ACTING  alarm-confirmed-by-metrics" in shown
    assert shown[:4] == [
        " TROUBLE  1 incident, 1 alarm, 1 circuit, 7 unknown,",
        "1 drift, 10 letters, budget spent",
        "03:12:45 UTC   mode observe (baseline act)",
        "budget 12 of 12 used in 24 h",
    ]
    at = shown.index("! bank         open            5s")
    assert shown[at + 1] == "      2 openings, probed in 7s, 30 of 40 failed"


def test_many_incidents_and_alarms_have_a_line_or_two_each() -> None:
    many = range(4)
    targets = tuple(TargetNow(f"t-{each}", (RINGING,)) for each in many)
    incidents = tuple(replace(INCIDENT, target=f"t-{each}") for each in many)
    shown = text(replace(WELL, targets=targets, incidents=incidents))
    assert sum("OPEN → ACTING" in line for line in shown) == 4  # of the first incident
    assert sum(line.startswith("! t-") for line in shown) == 8
    assert not any("Threshold Crossed" in line for line in shown)


@pytest.mark.parametrize(
    ("picture", "word", "parts"),
    [
        (WELL, "WELL", ()),
        (replace(WELL, incidents=(INCIDENT,)), "TROUBLE", ("1 incident",)),
        (replace(WELL, targets=(TargetNow("a", (RINGING, RINGING)),)), "TROUBLE", ("2 alarms",)),
        (replace(WELL, circuits=(OPEN,)), "TROUBLE", ("1 circuit",)),
        (replace(WELL, circuits=(replace(OPEN, state="closed"),)), "TROUBLE", ("1 circuit",)),
        (
            replace(WELL, circuits=(replace(WELL.circuits[0], forced=FORCED),)),
            "WORK LEFT",
            ("1 forced circuit",),
        ),
        (replace(WELL, incidents=(replace(OVER, drift=True),)), "WORK LEFT", ("1 drift",)),
        (replace(WELL, dead_letters=(LettersNow("bus", 2),)), "WORK LEFT", ("2 letters",)),
        (replace(WELL, budget=BudgetNow(12, 12)), "WORK LEFT", ("budget spent",)),
        (replace(WELL, problems=("could not read x",)), "UNKNOWN", ("1 unknown",)),
        (replace(WELL, queues=(QueueNow("intake", 900, 1, 0),)), "WELL", ()),
        (replace(WELL, incidents=(OVER,)), "WELL", ()),
    ],
)
def test_the_verdict_is_that_of_the_worst(picture: Picture, word: str, parts: tuple[str, ...]) -> None:
    judged = verdict(picture)
    assert (judged.word, judged.parts, judged.is_well) == (word, parts, word == "WELL")
    assert text(picture)[0].strip() == f"{word}  {', '.join(parts)}".strip()


def test_what_is_not_known_is_said_where_it_would_stand() -> None:
    nothing = text(Picture(AT, problems=("no ledger",)))
    assert nothing[1] == "03:12:45 UTC   mode unknown   budget unknown"
    assert "! no ledger" in nothing
    assert "Incidents     none open, as far as could be read" in nothing
    assert "Dead letters  not known of bus" in text(replace(WELL, dead_letters=(LettersNow("bus", None),)))
    slow = replace(OPEN, state="closed", next_probe_at=None, calls=0)
    assert "! bank         slow start      5s  2 openings" in text(replace(WELL, circuits=(slow,)))


def test_a_time_of_another_day_has_its_day() -> None:
    earlier = replace(STEP, at="2026-11-20T22:00:01.000Z")
    shown = text(replace(WELL, incidents=(replace(INCIDENT, history=(earlier,)),)))
    assert "      11-20 22:00  OPEN → ACTING  alarm-confirmed-by-metrics" in shown


def test_control_characters_of_others_do_not_reach_the_terminal() -> None:
    evil = "x\x1b[2Jy"
    picture = replace(
        WELL,
        targets=(TargetNow("billing", (replace(RINGING, reason=evil),)),),
        circuits=(replace(OPEN, forced=replace(FORCED, why=evil)),),
        problems=(evil,),
    )
    assert not any("\x1b" in line for line in text(picture))


def test_a_screen_keeps_the_most_urgent_lines_and_says_how_many_are_left_out() -> None:
    found = lines(WORST, 80)
    kept = fit(found, 24)
    assert [each.plain for each in kept[:23]] == [each.plain for each in found[:23]]
    assert kept[23].plain == f"... {len(found) - 23} more lines: make the window taller"
    assert fit(found, 200) == found


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (59.9, "59s"), (160, "2m40s"), (47_340, "13h09m"), (273_600, "3d04h")],
)
def test_ages_have_two_units(seconds: float, shown: str) -> None:
    assert age_text(seconds) == shown
