"""A picture as lines of text: what needs somebody first, what is well in few words, 80 columns wide."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from selfheal.cli.operator.render import printable
from selfheal.functions.status.picture import AlarmNow, CircuitNow, IncidentNow, Picture, age_seconds

BAD, WARN, GOOD, SOFT = "bold red", "yellow", "green", "dim"

MOST_STEPS = 4
"""Lines of an open incident's history; only the first incident has them."""

MOST_REASONS = 3
"""Alarms in ALARM up to which each has its reason."""

MOST_PROBLEMS = 5

TITLE_WIDTH = 14
"""Of the titles of what is well."""

NAME_WIDTHS = (12, 24)
"""Least and most characters of the column of names."""

INDENT = " " * 6


@dataclass(frozen=True)
class Verdict:
    """How it is on the whole."""

    word: str
    style: str
    parts: tuple[str, ...] = ()
    """What there is to look at, such as `2 alarms`."""

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to look at, and nothing unknown."""
        return not self.parts


def verdict(picture: Picture) -> Verdict:
    """Return how it is on the whole: TROUBLE, WORK LEFT, UNKNOWN or WELL."""
    trouble = (
        _count(sum(each.open for each in picture.incidents), "incident"),
        _count(len(_ringing(picture)), "alarm"),
        _count(sum(not each.at_rest for each in picture.circuits), "circuit"),
    )
    left = (
        _count(sum(each.drift for each in picture.incidents), "drift", "drift"),
        _count(sum(each.at_rest and each.forced is not None for each in picture.circuits), "forced circuit"),
        _count(sum(each.letters or 0 for each in picture.dead_letters), "letter"),
        "budget spent" if _is_spent(picture) else "",
    )
    unknown = (_count(len(picture.problems), "unknown", "unknown"),)
    parts = tuple(filter(None, trouble + unknown + left))
    for word, style, those in (("TROUBLE", BAD, trouble), ("WORK LEFT", WARN, left)):
        if any(those):
            return Verdict(word, style, parts)
    return Verdict("UNKNOWN", WARN, parts) if parts else Verdict("WELL", GOOD)


def lines(picture: Picture, width: int, options: str = "") -> list[Text]:
    """Return a picture as lines that are at most as wide as the terminal.

    Args:
        picture: How it is.
        width: Of the terminal, in characters.
        options: What each command must repeat to find the same stack, with a space before it.

    """
    page = _Page(picture, width)
    sections = (
        page.incidents(),
        page.alarms(),
        page.circuits(),
        page.problems(),
        page.letters(),
        page.queues(),
    )
    found = [*_headline(picture, width), *_second_line(picture, width)]
    for section in (each for each in sections if each.urgent):
        found += [Text(), Text(section.title, style="bold"), *section.lines]
        if section.next:
            found.append(Text(f"  > {section.next}{options}", style="cyan"))
    well = [each for each in sections if not each.urgent and each.lines]
    if well:
        found.append(Text())
    for section in well:
        first, *more = section.lines
        found += [Text.assemble((f"{section.title:<{TITLE_WIDTH}}", SOFT), first), *more]
    for line in found:
        line.truncate(width, overflow="ellipsis")
    return found


def fit(found: Sequence[Text], height: int) -> list[Text]:
    """Return as many lines as a screen holds, the most urgent ones, and say how many are left out."""
    if len(found) <= height:
        return list(found)
    kept = max(1, height - 1)
    return [*found[:kept], Text(f"... {len(found) - kept} more lines: make the window taller", style=SOFT)]


def age_text(seconds: float) -> str:
    """Return a length of time in its two largest units: 7s, 2m40s, 13h09m, 3d04h."""
    whole = int(seconds)
    for size, part, name in ((86400, 3600, "dh"), (3600, 60, "hm"), (60, 1, "ms")):
        if whole >= size:
            return f"{whole // size}{name[0]}{whole % size // part:02}{name[1]}"
    return f"{whole}s"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}" if number else ""


def _is_spent(picture: Picture) -> bool:
    budget = picture.budget
    return budget is not None and budget.limit is not None and budget.used >= budget.limit


def _ringing(picture: Picture) -> list[tuple[str, AlarmNow]]:
    every = [(target.name, alarm) for target in picture.targets for alarm in target.alarms]
    return [(name, alarm) for name, alarm in every if alarm.state == "ALARM"]


def _headline(picture: Picture, width: int) -> list[Text]:
    judged = verdict(picture)
    word, parts = Text(f" {judged.word} ", style=f"{judged.style} reverse"), judged.parts
    return _flowed([word, *(Text(f"{each}{',' * (each != parts[-1])}") for each in parts)], width, 1)


def _flowed(parts: Sequence[Text], width: int, gap: int) -> list[Text]:
    """Return parts beside each other, in as many lines as they need."""
    rows = [parts[0]]
    for part in parts[1:]:
        if len(rows[-1]) + gap + len(part) <= width:
            rows[-1].append(" " * gap).append(part)
        else:
            rows.append(part)
    return rows


def _second_line(picture: Picture, width: int) -> list[Text]:
    mode, changed = f"mode {picture.mode or 'unknown'}", picture.baseline not in {None, picture.mode}
    if changed:
        mode += f" (baseline {picture.baseline})"
    used = "budget unknown"
    if picture.budget is not None:
        limit = "an unknown limit" if picture.budget.limit is None else picture.budget.limit
        used = f"budget {picture.budget.used} of {limit} used in 24 h"
    parts = [
        Text(f"{picture.at[11:19]} UTC"),
        Text(mode, style=WARN if changed or picture.mode is None else ""),
        Text(used, style=WARN if _is_spent(picture) or picture.budget is None else ""),
    ]
    return _flowed([Text().append(each) for each in parts], width, 3)


@dataclass(frozen=True)
class _Section:
    """One kind of thing: its lines, and whether somebody has to look at them."""

    title: str
    lines: Sequence[Text] = ()
    urgent: bool = False
    next: str = ""
    """The command that tells more, where it is urgent."""


class _Page:
    """The sections of a picture."""

    def __init__(self, picture: Picture, width: int) -> None:
        self._picture = picture
        self._width = width
        parts = (picture.targets, picture.circuits, picture.queues, picture.dead_letters)
        least, most = NAME_WIDTHS
        self._names = min(most, max(least, *(len(each.name) for part in parts for each in part), 0))

    def incidents(self) -> _Section:
        found = self._picture.incidents
        urgent = [each for each in found if each.open or each.drift]
        if not urgent:
            none = "none open, as far as could be read" if self._picture.problems else "none open"
            last = f"; the last: {found[0].target} {self._closed(found[0])} ago" if found else ""
            return _Section("Incidents", [Text(none + last)])
        shown = [line for each in urgent for line in self._incident(each, told=each is urgent[0])]
        return _Section("Incidents", shown, urgent=True, next=f"selfheal incidents show {urgent[0].target}")

    def _incident(self, incident: IncidentNow, *, told: bool) -> Iterator[Text]:
        if not incident.open:
            text = f"{incident.target:<{self._names}} {self._closed(incident)}  a change still stands"
            yield _marked(text, WARN)
            yield Text(f"{INDENT}{incident.remedy}")
            return
        yield from self._row(incident.target, incident.status, incident.opened_at, incident.reason, BAD)
        if incident.remedy:
            yield Text(f"{INDENT}{incident.remedy}")
        if not told:
            return
        yield from self._folded(incident.means, INDENT)
        steps = incident.history[-MOST_STEPS:]
        if (left := incident.steps - len(steps)) > 0:
            yield Text(f"{INDENT}{_count(left, 'earlier step')}", style=SOFT)
        ways = [f"{step.source} → {step.to}" for step in steps]
        wide = max(map(len, ways), default=0)
        for step, way in zip(steps, ways, strict=True):
            yield Text(f"{INDENT}{self._clock(step.at)}  {way:<{wide}}  {step.reason}", style=SOFT)

    def _closed(self, incident: IncidentNow) -> str:
        return f"{incident.status:<10} {self._age(incident.closed_at or incident.opened_at):>7}"

    def alarms(self) -> _Section:
        targets = self._picture.targets
        states = [alarm.state or "unknown" for target in targets for alarm in target.alarms]
        counts = ", ".join(f"{states.count(each)} {each}" for each in sorted({*states} - {"ALARM"}))
        ringing = _ringing(self._picture)
        if not ringing:
            text = f"{counts} ({', '.join(target.name for target in targets)})"
            return _Section("Alarms", [Text(text)] if states else [])
        shown: list[Text] = []
        for target, alarm in ringing:
            shown += self._row(target, "ALARM", alarm.since, alarm.name, BAD)
            if len(ringing) <= MOST_REASONS:
                shown += self._folded(alarm.reason or "", INDENT)
        shown += [Text(f"  the others: {counts}", style=SOFT)] if counts else []
        return _Section("Alarms", shown, urgent=True)

    def circuits(self) -> _Section:
        found = self._picture.circuits
        urgent = [each for each in found if not each.at_rest or each.forced is not None]
        rest = "; ".join(_at_rest(each) for each in found if each not in urgent)
        if not urgent:
            return _Section("Circuits", [Text(rest)] if rest else [])
        shown = [line for each in urgent for line in self._circuit(each)]
        shown += [Text(f"  at rest: {rest}", style=SOFT)] if rest else []
        return _Section("Circuits", shown, urgent=True, next=f"selfheal breaker show {urgent[0].name}")

    def _circuit(self, circuit: CircuitNow) -> Iterator[Text]:
        starts = circuit.state == "closed" and not circuit.at_rest
        says = [_count(circuit.openings, "opening")]
        if circuit.next_probe_at:
            wait = age_seconds(self._picture.at, circuit.next_probe_at)
            says.append(f"probed in {age_text(wait)}" if wait else "probed now")
        says.append(_failed(circuit))
        text, state = ", ".join(filter(None, says)), "slow start" if starts else circuit.state
        yield from self._row(circuit.name, state, circuit.since, text, WARN)
        if forced := circuit.forced:
            who = f"{printable(forced.by.rpartition('/')[2])}: {printable(forced.why)}"
            yield Text(f"{INDENT}forced {forced.state} until {self._clock(forced.until)} by {who}")

    def problems(self) -> _Section:
        found = self._picture.problems
        shown: list[Text] = []
        for problem in found[:MOST_PROBLEMS]:
            first, *more = self._folded(problem, "  ")
            shown += [_marked(first.plain.strip(), WARN), *more]
        if (left := len(found) - MOST_PROBLEMS) > 0:
            shown.append(Text(f"  and {left} more: selfheal watch --once --json", style=SOFT))
        return _Section("Not known", shown, urgent=bool(shown))

    def letters(self) -> _Section:
        found = self._picture.dead_letters
        unknown = ", ".join(each.name for each in found if each.letters is None)
        counted = sorted(((each.letters or 0, each.name) for each in found if each.letters), reverse=True)
        if not counted:
            text = f"not known of {unknown}" if unknown else "none"
            return _Section("Dead letters", [Text(text)] if found else [])
        shown = [_marked(f"{name:<{self._names}} {number:>10}", WARN) for number, name in counted]
        shown += [Text(f"  not known of {unknown}", style=SOFT)] if unknown else []
        return _Section("Dead letters", shown, urgent=True, next=f"selfheal dlq show {counted[0][1]}")

    def queues(self) -> _Section:
        """Return what is never urgent: what waits is not lost, and an alarm says when it waits too long."""
        found = self._picture.queues
        if not any(each.waiting or each.in_flight or each.delayed for each in found):
            names = ", ".join(each.name for each in found)
            return _Section("Queues", [Text(f"empty ({names})")] if found else [])
        left = " " * TITLE_WIDTH
        head = Text(f"{'':<{self._names}} {'waiting':>10} {'in flight':>10} {'delayed':>8}", style=SOFT)
        rows = [
            Text(
                f"{left}{each.name:<{self._names}} {each.waiting:>10} {each.in_flight:>10} {each.delayed:>8}"
            )
            for each in found
        ]
        return _Section("Queues", [head, *rows])

    def _row(self, name: str, state: str, since: str | None, text: str, style: str) -> list[Text]:
        """Return a line; in a narrow terminal its text stands below it."""
        row = _marked(f"{name:<{self._names}} {state:<10} {self._age(since) if since else '':>7}", style)
        if len(row) + 2 + len(text) <= self._width:
            return [row.append(f"  {text}")]
        return [row, *self._folded(text, INDENT)]

    def _clock(self, moment: str) -> str:
        """Return a time of today, or with its day if it is another."""
        today = moment[:10] == self._picture.at[:10]
        return moment[11:19] if today else moment[5:16].replace("T", " ")

    def _age(self, moment: str) -> str:
        return age_text(age_seconds(moment, self._picture.at))

    def _folded(self, text: str, indent: str) -> list[Text]:
        """Return a text of others in at most two lines."""
        room = max(20, self._width - len(indent))
        folded = textwrap.wrap(printable(" ".join(text.split())), room, max_lines=2, placeholder=" …")
        return [Text(f"{indent}{line}", style=SOFT) for line in folded]


def _at_rest(circuit: CircuitNow) -> str:
    return ", ".join(filter(None, (f"{circuit.name} {circuit.state}", _failed(circuit))))


def _failed(circuit: CircuitNow) -> str:
    return f"{circuit.failures} of {circuit.calls} failed" if circuit.calls else ""


def _marked(text: str, style: str) -> Text:
    """Return a line that somebody has to look at; marked, as there may be no colours."""
    return Text(f"! {text}", style=style)
