"""Dead letters, and what a redrive did with them, as text for people and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from selfheal.cli.console import Output
from selfheal.cli.operator.letters import Letter
from selfheal.cli.operator.places import Depth, Place
from selfheal.cli.operator.redrive import Fate, Outcome, Wish
from selfheal.cli.operator.render import line, printable
from selfheal.functions.healer.clock import iso

SHORT = 200
"""Characters of a body that are shown without --full."""

SHOWN_REASONS = 5
"""Reasons that `list` shows of each place; the JSON document has all."""


@dataclass(frozen=True)
class Seen:
    """A place, and what was read of it."""

    place: Place
    depth: Depth
    letters: Sequence[Letter]
    """A sample."""

    @property
    def oldest(self) -> float | None:
        """When the oldest letter was sent that is known of, in seconds since the epoch."""
        if self.depth.oldest is not None:
            return self.depth.oldest
        return min((each.sent_at for each in self.letters), default=None)

    @property
    def is_whole(self) -> bool:
        """Whether no letter is older than the oldest."""
        return self.depth.oldest is not None or len(self.letters) >= self.depth.letters

    @property
    def reasons(self) -> list[tuple[tuple[str, str], int]]:
        """Reasons with their targets, the most frequent first, each with its count."""
        return Counter((each.reason, each.target) for each in self.letters).most_common()


@dataclass(frozen=True)
class Report:
    """What a run did."""

    outcomes: Sequence[Outcome]
    looked: Sequence[Letter]
    """Letters that came back, as a look after the run found them."""
    wish: Wish
    ended: str
    """Why it ended early; empty if it did not."""

    def of(self, fate: Fate) -> list[Outcome]:
        """Return the outcomes of a kind."""
        return [each for each in self.outcomes if each.fate is fate]

    @property
    def returned(self) -> list[Letter]:
        """Every letter that came back, once."""
        seen = [each.letter for each in self.of(Fate.CAME_BACK)]
        return list({each.id: each for each in (*seen, *self.looked)}.values())

    @property
    def not_found(self) -> list[str]:
        """Ids that were wanted and that no letter has."""
        return sorted(self.wish.only - {each.letter.id for each in self.outcomes})

    @property
    def is_open(self) -> bool:
        """Whether there is something left to look at."""
        doubled = any(each.problem for each in self.of(Fate.REDRIVEN))
        return bool(doubled or self.of(Fate.LEFT) or self.returned or self.not_found)


def outcome_text(outcome: Outcome) -> str:
    """Return which letter it was, where it went and what is to be known about it, in a line."""
    to = f" → {printable(outcome.target)}" if outcome.target else ""
    return f"{printable(outcome.letter.id)}{to}{f': {printable(outcome.problem)}' if outcome.problem else ''}"


def print_report(output: Output, place: Place, report: Report) -> None:
    """Print what a run did."""
    if output.json:
        output.print_json(_report_json(place, report))
        return
    if report.ended:
        output.say(f"Ended before all letters were seen: {report.ended}.", style="yellow")
    if report.wish.dry_run:
        would = letters_text(len(report.of(Fate.WOULD_BE)))
        output.say(f"{would} would be redriven, {_left(report)}. Nothing was sent.", style="bold")
        return
    output.say(f"{letters_text(len(report.of(Fate.REDRIVEN)))} redriven, {_left(report)}.", style="bold")
    for target, count in Counter(each.target for each in report.of(Fate.REDRIVEN)).most_common():
        output.say(f"  {count:>6}  → {printable(target)}")
    for each in report.returned:
        output.say(
            f"  came back: {printable(each.id)}, content {each.digest}: {printable(each.reason)}",
            style="yellow",
        )
    if report.not_found:
        output.say(f"  not found: {', '.join(map(printable, report.not_found))}", style="yellow")


def _left(report: Report) -> str:
    parts = [f"{len(report.of(Fate.LEFT))} left", f"{len(report.returned)} came back"]
    if arrived := len(report.of(Fate.ARRIVED)):
        parts.append(f"{arrived} arrived meanwhile and left")
    return ", ".join(parts)


def _report_json(place: Place, report: Report) -> dict[str, Any]:
    def told(fate: Fate) -> list[dict[str, Any]]:
        return [
            {
                "id": each.letter.id,
                "target": each.target,
                "digest": each.letter.digest,
                "problem": each.problem,
            }
            for each in report.of(fate)
        ]

    return {
        "name": place.name,
        "address": place.address,
        "dry_run": report.wish.dry_run,
        "ended_early": report.ended or None,
        "redriven": told(Fate.REDRIVEN),
        "would_be_redriven": told(Fate.WOULD_BE),
        "left": told(Fate.LEFT),
        "arrived_meanwhile": told(Fate.ARRIVED),
        "came_back": [
            {"id": each.id, "digest": each.digest, "reason": each.reason} for each in report.returned
        ],
        "not_found": report.not_found,
    }


def print_seen(output: Output, seen: Seen, now: float) -> None:
    """Print how many letters there are, how old, and why; `now` is in seconds since the epoch."""
    depth = seen.depth
    held = f" ({depth.held} of them held by somebody who received them)" if depth.held else ""
    oldest = ""
    if seen.oldest is not None:
        oldest = f", oldest {'' if seen.is_whole else 'at least '}{age(now - seen.oldest)}"
    style = "bold yellow" if depth.letters else "bold"
    output.say(
        f"{seen.place.name}: {letters_text(depth.letters)}{held}{oldest}  {seen.place.address}", style=style
    )
    for (reason, target), count in islice(seen.reasons, SHOWN_REASONS):
        output.say(f"  {count:>6}  {printable(reason)} → {printable(target or 'target cannot be told')}")
    if (more := len(seen.reasons) - SHOWN_REASONS) > 0:
        output.say(f"          and {more} more reasons")
    if seen.letters and len(seen.letters) < depth.letters:
        output.say(f"          of {len(seen.letters)} that were read", style="dim")


def letters_text(count: int) -> str:
    """Return a number of letters in words."""
    return f"{count} letter{'' if count == 1 else 's'}"


def age(seconds: float) -> str:
    """Return a time span in its two largest units, for people."""
    left, parts = max(0, int(seconds)), list[str]()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if left >= length or (parts and left):
            parts.append(f"{left // length} {unit}")
            left %= length
    return " ".join(parts[:2]) or "0 s"


def seen_json(seen: Seen, now: float) -> dict[str, Any]:
    """Return the same as it is in JSON documents, with every reason."""
    return {
        "name": seen.place.name,
        "address": seen.place.address,
        "letters": seen.depth.letters,
        "held": seen.depth.held,
        "oldest_seconds": None if seen.oldest is None else max(0, round(now - seen.oldest)),
        "oldest_is_exact": seen.is_whole,
        "looked_at": len(seen.letters),
        "reasons": [
            {"reason": reason, "target": target or None, "count": count}
            for (reason, target), count in seen.reasons
        ],
    }


def letter_json(letter: Letter, *, full: bool) -> dict[str, Any]:
    """Return a letter as it is in JSON documents."""
    return {
        "id": letter.id,
        "kind": letter.kind,
        "origin": letter.origin or None,
        "target": letter.target or None,
        "reason": letter.reason,
        "sent_at": _moment(letter),
        "redriven": letter.redriven,
        "receives": letter.receives,
        "size": letter.size,
        "digest": letter.digest,
        "attributes": {name: each.get("StringValue", "(binary)") for name, each in letter.attributes.items()},
        "body": letter.body if full else letter.body[:SHORT],
        "body_is_whole": full or len(letter.body) <= SHORT,
    }


def letter_lines(letter: Letter, *, full: bool) -> list[str]:
    """Return a letter, for people; what it contains cannot act on the terminal."""
    body = letter.body if full or len(letter.body) <= SHORT else f"{letter.body[:SHORT]} ..."
    lines = [
        line("kind", letter.kind),
        line("origin", printable(letter.origin or "cannot be told")),
        line("target", printable(letter.target or "cannot be told")),
        line("reason", printable(letter.reason)),
        line("sent", _moment(letter)),
        line("redriven", f"{letter.redriven} times before"),
        line("received", f"{letter.receives} times, looks at it included" if letter.receives else "never"),
        line("size", f"{letter.size} bytes, content {letter.digest}"),
    ]
    for name, each in letter.attributes.items():
        lines.append(
            line("attribute", f"{printable(name)}: {printable(each.get('StringValue', '(binary)'))}")
        )
    return [*lines, line("body", printable(body))]


def _moment(letter: Letter) -> str:
    return iso(datetime.fromtimestamp(letter.sent_at, UTC))
