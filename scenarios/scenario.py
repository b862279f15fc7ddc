"""A scenario: an experiment with a service, as one YAML file says it.

    before      orders are sent, and nothing is broken: the steady state
    fault       orders are sent on, and the fault lasts
    after       no order is sent: until every accepted one is fulfilled or dead, at most this long

The file's name is the scenario's. Its form is that of the dataclasses here and in `faults`, with `schema: 1`.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from selfheal.scenarios.faults import ONLY_IN_SANDBOX, Fault, FaultKind, read_fault
from selfheal.scenarios.fields import Fields, ScenarioError
from selfheal.scenarios.measures import MEASURES

FOLDER = Path(__file__).resolve().parent
"""Where the scenarios are that ship with the project."""

SCHEMA = 1
"""Of the files."""

SHORTEST_FUNCTION_SECONDS = 60
"""The shortest fault of kind function: what FIS allows for an action's duration."""

MOST_CHARACTERS = 20_000
"""Of a file. Those that ship have a tenth."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Traffic:
    """Orders that are sent, before and while the fault lasts."""

    per_second: float
    """Orders a second, 0.1 to 50."""
    callers: int
    """Callers that send them in turn, 1 to 50, each with a token of its own."""
    articles: tuple[str, ...] = ("book",)
    """What is ordered, in turn."""
    note_bytes: int = 0
    """Length of each order's note, 0 to 1,000. It makes the request to the downstream as large."""


@dataclass(frozen=True)
class Bound:
    """What one measure must be, or when it ends the fault. Exactly one of the limits is given."""

    measure: str
    """One of MEASURES."""
    at_least: float | None = None
    at_most: float | None = None
    why: str = ""
    """In a hypothesis what the bound stands for; empty in `stop_when`."""

    def holds(self, value: float) -> bool:
        """Return whether a value keeps to the bound."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    def __str__(self) -> str:
        limit, word = (self.at_most, "most") if self.at_least is None else (self.at_least, "least")
        return f"{self.measure} at {word} {limit:g}"


@dataclass(frozen=True)
class Scenario:
    """One experiment."""

    name: str
    """Lower-case letters, digits and hyphens: the name of its file."""
    title: str
    """One line."""
    story: str
    """Where it comes from, and what is to be seen."""
    fault: Fault
    traffic: Traffic
    before_seconds: int
    """5 to 600."""
    fault_seconds: int
    """5 to 900; with a fault of kind FUNCTION at least 60."""
    after_seconds: int
    """10 to 900."""
    hypothesis: tuple[Bound, ...]
    """All must hold."""
    stop_when: tuple[Bound, ...] = ()
    """As soon as one holds while the fault lasts, it is ended, and the verdict is `stopped`."""

    @property
    def only_in_sandbox(self) -> bool:
        """Whether AWS offers nothing that makes this fault."""
        return self.fault.kind in ONLY_IN_SANDBOX


def load(name_or_path: str) -> Scenario:
    """Return a scenario that ships with the project, by its name, or that of a file, by its path.

    Raises:
        ScenarioError: when there is none, or it is wrong: the text says where and in what.

    """
    path = Path(name_or_path)
    if path.suffix not in _SUFFIXES:
        names = sorted(each.stem for each in FOLDER.glob("*.yaml"))
        if name_or_path not in names:
            close = difflib.get_close_matches(name_or_path, names, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ScenarioError(
                f"there is no scenario {name_or_path!r}.{hint} Known are: {', '.join(names)}; or give the "
                "path of a file that ends with .yaml"
            )
        path = FOLDER / f"{name_or_path}.yaml"
    place = str(path) if str(path).isprintable() else repr(str(path))
    try:
        if path.exists() and not path.is_file():
            raise ScenarioError(f"the scenario {place} cannot be read: it is no file")
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise ScenarioError(f"the scenario {place} cannot be read: {why}") from error
    return parse(path.stem, text, place)


def shipped() -> list[Scenario]:
    """Return the scenarios that ship with the project, by name."""
    return [load(path.stem) for path in sorted(FOLDER.glob("*.yaml"))]


def parse(name: str, text: str, place: str = "") -> Scenario:
    """Return the scenario of a file's text.

    Args:
        name: Its name.
        text: What the file holds.
        place: What refusals call the file. Default: its name.

    Raises:
        ScenarioError: when something is wrong: the text says where and in what.

    """
    place = place or name
    if not _NAME.fullmatch(name):
        raise ScenarioError(
            f"{place}: a scenario's file is named in lower-case letters, digits and hyphens, 41 at most, got "
            f"{name!r}"
        )
    if len(text) > MOST_CHARACTERS:
        raise ScenarioError(f"{place}: must have at most {MOST_CHARACTERS} characters")
    fields = Fields.of_yaml(place, text)
    if fields.whole("schema", 0, 1_000_000) != SCHEMA:
        raise fields.refuse("schema", f"{SCHEMA}, the only one that there is")
    scenario = Scenario(
        name,
        title=fields.text("title", 100),
        story=fields.text("story", 2000),
        fault=read_fault(fields.inner("fault")),
        traffic=_traffic(fields.inner("traffic")),
        before_seconds=fields.whole("before_seconds", 5, 600),
        fault_seconds=fields.whole("fault_seconds", 5, 900),
        after_seconds=fields.whole("after_seconds", 10, 900),
        hypothesis=fields.each("hypothesis", _expected),
        stop_when=fields.each("stop_when", _stop) if fields.has("stop_when") else (),
    )
    fields.finish()
    _check(scenario, fields)
    return scenario


def _traffic(fields: Fields) -> Traffic:
    traffic = Traffic(
        fields.number("per_second", 0.1, 50),
        fields.whole("callers", 1, 50),
        articles=fields.words("articles") if fields.has("articles") else ("book",),
        note_bytes=fields.whole("note_bytes", 0, 1000) if fields.has("note_bytes") else 0,
    )
    fields.finish()
    return traffic


def _expected(fields: Fields) -> Bound:
    return _bound(fields, list(MEASURES), why=True)


def _stop(fields: Fields) -> Bound:
    return _bound(fields, [name for name, measure in MEASURES.items() if measure.live], why=False)


def _bound(fields: Fields, measures: list[str], *, why: bool) -> Bound:
    name = fields.word("measure", measures)
    most = MEASURES[name].most
    limits = [limit for limit in ("at_least", "at_most") if fields.has(limit)]
    if len(limits) != 1:
        raise fields.refuse("at_least", "given, or at_most, and not both")
    value = fields.number(limits[0], 0, 1e9 if most is None else most)
    bound = Bound(name, **{limits[0]: value}, why=fields.text("why", 300) if why else "")
    fields.finish()
    return bound


def _check(scenario: Scenario, fields: Fields) -> None:
    """Refuse what contradicts itself."""
    if scenario.fault.kind is FaultKind.FUNCTION and scenario.fault_seconds < SHORTEST_FUNCTION_SECONDS:
        raise fields.refuse(
            "fault_seconds", f"at least {SHORTEST_FUNCTION_SECONDS} with a fault of kind function, as in FIS"
        )
    stated: set[tuple[str, bool]] = set()
    for bound in scenario.hypothesis:
        key = bound.measure, bound.at_least is None
        if key in stated:
            raise fields.refuse(
                "hypothesis", f"one bound in each direction a measure, not two of {bound.measure}"
            )
        stated.add(key)
        if bound.measure == "settled_after_seconds" and (bound.at_most or 0) > scenario.after_seconds:
            raise fields.refuse("after_seconds", f"at least what the hypothesis allows: {bound}")
