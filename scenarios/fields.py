"""Reads the fields of a YAML file strictly.

Every refusal names the file, the field, what is allowed and what was given.
"""

import difflib
import math
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import yaml
from yaml.composer import ComposerError

_Value = TypeVar("_Value")

_SHOWN = 60
"""Characters of a given value that a refusal shows."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _SHOWN


class ScenarioError(ValueError):
    """A scenario cannot be used. The text says which, what is wrong with it, and what is allowed."""


_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Refuses what YAML lets through silently: a key that is given twice, of which the last would count.

    And aliases: of few lines they make more than any machine can hold.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise ComposerError(None, None, "aliases are not allowed: write it out", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            text = str(key.value)
            if text in seen or key.tag == _MERGE:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{_shown(text)} is given twice, or merges others", node.start_mark
                )
            seen.add(text)
        return super().construct_mapping(node, deep=deep)


class Fields:
    """The fields of one mapping. Each method returns a checked value, or raises a ScenarioError.

    Args:
        place: Where it is, for refusals: the file, and the path of keys in it.
        values: The mapping.

    """

    def __init__(self, place: str, values: Mapping[str, object]) -> None:
        self._place, self._values = place, values
        self._known: set[str] = set()

    @classmethod
    def of_yaml(cls, place: str, text: str) -> "Fields":
        """Return the fields of a file's text."""
        try:
            value = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, made stricter
        except RecursionError as error:
            raise ScenarioError(f"{place}: is nested too deeply") from error
        # PyYAML raises the latter for scalars that are none of their kind, such as a 30th of February.
        except (yaml.YAMLError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise ScenarioError(f"{place}: is no YAML: {error}") from error
        return cls.of(place, value)

    @classmethod
    def of(cls, place: str, value: object) -> "Fields":
        """Return the fields of a mapping."""
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in cast("Any", value)):
            raise ScenarioError(f"{place}: must be fields with names, got {_shown(value)}")
        return cls(place, cast("dict[str, object]", value))

    def has(self, name: str) -> bool:
        """Return whether a field is given."""
        self._known.add(name)
        return name in self._values

    def refuse(self, name: str, allowed: str) -> ScenarioError:
        """Return the error that a field is not as it must be."""
        given = _shown(self._values[name]) if name in self._values else "nothing"
        return ScenarioError(f"{self._place}: {name} must be {allowed}, got {given}")

    def finish(self) -> None:
        """Refuse fields that nobody asked for: a misspelt one would silently leave its default in force."""
        for name in self._values:
            if name in self._known:
                continue
            close = difflib.get_close_matches(name, self._known, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise ScenarioError(
                f"{self._place}: {_shown(name)} is not known here. {hint}Known are: "
                f"{', '.join(sorted(self._known))}"
            )

    def text(self, name: str, most: int) -> str:
        """Return a text that is not empty, in one line as YAML's `>-` makes it."""
        value = self._get(name)
        if not isinstance(value, str) or not 0 < len(value) <= most or not _is_text(value):
            raise self.refuse(name, f"a text of 1 to {most} characters, all of them visible")
        return " ".join(value.split())

    def matching(self, name: str, pattern: re.Pattern[str], allowed: str) -> str:
        """Return a text of a form."""
        value = self._get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.refuse(name, allowed)
        return value

    def word(self, name: str, allowed: Iterable[str]) -> str:
        """Return one of these words."""
        value, words = self._get(name), list(allowed)
        if value not in words:
            quoted = " (a text: put it into quotes)" if str(value) in words else ""
            raise self.refuse(name, f"one of {', '.join(words)}{quoted}")
        return cast("str", value)

    def number(self, name: str, least: float, most: float, *, above: bool = False) -> float:
        """Return a number from `least` (not itself, with `above`) to `most`."""
        value = self._get(name)
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
        # NaN fails every comparison, so it is refused here too.
        if not (least < number <= most if above else least <= number <= most):
            bounds = f"above {least:g} and at most {most:g}" if above else f"from {least:g} to {most:g}"
            raise self.refuse(name, f"a number {bounds}")
        return float(number)

    def whole(self, name: str, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refuse(name, f"a whole number from {least} to {most}")
        return value

    def boolean(self, name: str) -> bool:
        """Return true or false."""
        value = self._get(name)
        if not isinstance(value, bool):
            raise self.refuse(name, "true or false")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list of one or more texts, each once."""
        value = self._get(name)
        found = [each for each in _entries(value) if isinstance(each, str) and _is_text(each)]
        if not found or len(found) != len(_entries(value)) or len(set(found)) != len(found):
            raise self.refuse(name, "a list of one or more texts, each once")
        return tuple(found)

    def inner(self, name: str) -> "Fields":
        """Return the fields of a field."""
        value = self._get(name)
        if value is None:
            raise self.refuse(name, "fields with names")
        return Fields.of(f"{self._place}: {name}", value)

    def each(self, name: str, read: Callable[["Fields"], _Value]) -> tuple[_Value, ...]:
        """Read each entry of a list of one or more mappings."""
        entries = _entries(self._get(name))
        if not entries:
            raise self.refuse(name, "a list of one or more entries")
        return tuple(
            read(Fields.of(f"{self._place}: {name}[{number}]", entry)) for number, entry in enumerate(entries)
        )

    def _get(self, name: str) -> object:
        self._known.add(name)
        return self._values.get(name)


def _entries(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()


def _is_text(value: str) -> bool:
    """Return whether a text can be shown as it is: escapes could rewrite what a terminal shows beside it."""
    line = " ".join(value.split())
    return bool(line) and line.isprintable()


def _shown(value: object) -> str:
    try:
        text = _REPR.repr(value)
    except ValueError:  # a number of thousands of digits
        text = "a number that is too long"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
