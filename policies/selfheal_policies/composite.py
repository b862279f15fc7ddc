"""The rule of a composite alarm, parsed by its grammar. Pure, and never raises.

The grammar is AWS's: `AlarmRule` of PutCompositeAlarm in the CloudWatch API reference, and "Composite alarms"
in the CloudWatch user guide for AT_LEAST.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import ceil

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")

_MOST = 500
"""Elements of a rule that AWS accepts: alarms, constants and brackets."""

_ENUMERATED = 6
"""Alarms up to which every combination of their states is tried."""

_WORD = re.compile(r"[A-Za-z_]+")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'([^']*)'(?=\s*[,)])")
_BARE = re.compile(r"[^\"(),]+")
_BARE_ALONE = re.compile(r"[^\"()]+")
_COUNT = re.compile(r"(\d{1,9})\s*(%?)")
_ORDER = {"OR": 1, "AND": 2, "NOT": 3}


@dataclass(frozen=True)
class _Test:
    """At least so many of these alarms are in one of these states."""

    states: frozenset[str]
    names: tuple[str, ...]
    least: int

    def value(self, held: Mapping[str, str]) -> bool | None:
        found = [held.get(name) for name in self.names]
        true = sum(state in self.states for state in found if state is not None)
        if true >= self.least:
            return True
        return None if true + found.count(None) >= self.least else False


_Step = _Test | bool | str
"""A test, a constant, or the name of an operator on what the steps before left."""


@dataclass(frozen=True)
class AlarmRule:
    """What the rule of a composite alarm says."""

    names: tuple[str, ...]
    """Names or ARNs of the alarms that it asks, in order, each once. Of a rule that cannot be read: those in
    the part before `problem`."""
    problem: str = ""
    """Why it cannot be read, as the end of a sentence; empty if it can."""
    steps: tuple[_Step, ...] = ()
    """In the order of their evaluation, operators last. None where the rule is not known."""

    @property
    def always(self) -> bool:
        """Whether it holds in every combination of ALARM and OK: the composite alarm never recovers."""
        return self._constant(True, STATES[:2])

    @property
    def never(self) -> bool:
        """Whether it holds in no combination of states: the composite alarm never fires."""
        return self._constant(False, STATES)

    @property
    def when_well(self) -> bool:
        """Whether it holds while every alarm that it asks is OK."""
        if self.problem or not self.steps:
            return False
        return self._value(dict.fromkeys(self.names, "OK")) is True

    def _constant(self, wanted: bool, states: Iterable[str]) -> bool:
        if self.problem or not self.steps:
            return False
        value = self._value({})
        if value is None and len(self.names) <= _ENUMERATED:
            held = (
                dict(zip(self.names, each, strict=True)) for each in product(states, repeat=len(self.names))
            )
            return all(self._value(each) is wanted for each in held)
        return value is wanted

    def _value(self, held: Mapping[str, str]) -> bool | None:
        """Return the rule's value where these alarms are in these states; None if it depends on others."""
        stack: list[bool | None] = []
        for step in self.steps:
            if isinstance(step, _Test):
                stack.append(step.value(held))
            elif isinstance(step, bool):
                stack.append(step)
            elif step == "NOT":
                value = stack.pop()
                stack.append(None if value is None else not value)
            else:
                # `and` ends with the first false, `or` with the first true.
                pair, decides = (stack.pop(), stack.pop()), step == "OR"
                stack.append(decides if decides in pair else None if None in pair else not decides)
        return stack[-1]


def parse_rule(text: str) -> AlarmRule:
    """Return what a composite alarm's rule says, or why it cannot be read."""
    reader = _Reader(text)
    try:
        steps = tuple(_parsed(reader))
    except _UnreadableError as error:
        return AlarmRule(tuple(dict.fromkeys(reader.names)), str(error))
    return AlarmRule(tuple(dict.fromkeys(reader.names)), "", steps)


class _UnreadableError(Exception):
    """Why a rule cannot be read."""


class _Reader:
    """Reads a rule from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._last = text, 0, 0
        self.names: list[str] = []
        self.elements = 0

    def skip(self) -> bool:
        """Skip blanks, and return whether anything follows."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at < len(self._text)

    def take(self, mark: str) -> bool:
        """Read a mark if it is next."""
        self.skip()
        found = self._text.startswith(mark, self._at)
        self._at += len(mark) * found
        return found

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read what matches here, if anything does."""
        self.skip()
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found

    def word(self) -> str:
        """Read a word, in upper case; empty if none is next."""
        self.skip()
        self._last = self._at
        found = self.match(_WORD)
        return found[0].upper() if found else ""

    def unexpected(self, wanted: str) -> _UnreadableError:
        """Return the error that something else than the last word is expected there."""
        self._at = self._last
        return self.wrong(wanted)

    def need(self, mark: str) -> None:
        """Read a mark that must be next."""
        if not self.take(mark):
            raise self.wrong(f'"{mark}"')

    def name(self, bare: re.Pattern[str]) -> str:
        """Read the name or ARN of an alarm, in double quotes or without any."""
        found = self.match(_NAME)
        # AWS knows double quotes only; people write single ones as well.
        name = re.sub(r"\\(.)", r"\1", found[1]) if found else ""
        if not found:
            found = self.match(_SINGLE) or self.match(bare)
            name = (found[found.lastindex or 0]).strip() if found else ""
        if not name:
            raise self.wrong("the name of an alarm (in double quotes if it has brackets, commas or quotes)")
        self.names.append(name)
        return name

    def count(self) -> None:
        """Count an element."""
        self.elements += 1
        if self.elements > _MOST:
            message = f"it has more than {_MOST} elements"
            raise _UnreadableError(message)

    def wrong(self, wanted: str) -> _UnreadableError:
        """Return the error that something else is expected here."""
        given = f'finds "{self._text[self._at : self._at + 20]}"' if self.skip() else "ends"
        return _UnreadableError(f"it needs {wanted} at character {self._at + 1} and {given}")


def _parsed(reader: _Reader) -> Iterator[_Step]:
    """Yield the steps of a rule. Operators wait until what they apply to is complete."""
    waiting: list[str] = []
    complete = False
    while reader.skip():
        if complete and reader.take(")"):
            yield from _before("(", waiting)
            if not waiting:
                message = "it closes a bracket that it did not open"
                raise _UnreadableError(message)
            waiting.pop()
        elif complete:
            operator = reader.word()
            if operator not in ("AND", "OR"):
                raise reader.unexpected("AND or OR")
            yield from _before(operator, waiting)
            waiting.append(operator)
            complete = False
        elif reader.take("("):
            reader.count()
            waiting.append("(")
        else:
            word = reader.word()
            if word == "NOT":
                waiting.append(word)
                continue
            reader.count()
            yield _operand(word, reader)
            complete = True
    if not complete:
        raise reader.wrong("ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, TRUE or FALSE")
    yield from _before("(", waiting)
    if waiting:
        message = "it opens a bracket that it does not close"
        raise _UnreadableError(message)


def _before(operator: str, waiting: list[str]) -> Iterator[str]:
    """Take the operators that come before another one off the stack."""
    while waiting and waiting[-1] != "(" and _ORDER[waiting[-1]] >= _ORDER.get(operator, 0):
        yield waiting.pop()


def _operand(word: str, reader: _Reader) -> _Step:
    if word in ("TRUE", "FALSE"):
        return word == "TRUE"
    if word in STATES:
        reader.need("(")
        test = _Test(frozenset({word}), (reader.name(_BARE_ALONE),), 1)
        reader.need(")")
        return test
    if word != "AT_LEAST":
        raise reader.unexpected("ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, TRUE or FALSE")
    reader.need("(")
    number = reader.match(_COUNT)
    if number is None:
        raise reader.wrong("a number or a percentage")
    reader.need(",")
    states = _states(reader)
    reader.need(",")
    reader.need("(")
    names = [reader.name(_BARE)]
    while reader.take(","):
        reader.count()
        names.append(reader.name(_BARE))
    reader.need(")")
    reader.need(")")
    least = ceil(int(number[1]) * len(names) / 100) if number[2] else int(number[1])
    return _Test(states, tuple(names), least)


def _states(reader: _Reader) -> frozenset[str]:
    word = reader.word()
    negated = word == "NOT"
    state = reader.word() if negated else word
    if state not in STATES:
        raise reader.unexpected("ALARM, OK or INSUFFICIENT_DATA, possibly after NOT")
    return frozenset(STATES) - {state} if negated else frozenset({state})
