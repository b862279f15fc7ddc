"""What queries select: Metrics Insights, SEARCH expressions, PromQL. Pure, and never raises.

The syntax is that of "Query components and syntax in CloudWatch Metrics Insights" and of "CloudWatch search
expression syntax" in the CloudWatch user guide. A part that is not understood selects more, never less.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise, takewhile

_TOKEN = re.compile(
    r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_.:/$%*-]+)|(!=|>=|<=|=~|!~|[^\s\w])"""
)
_ENDS = ("GROUP", "ORDER", "LIMIT")
_SEARCH = re.compile(r"\bSEARCH\s*\(\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")", re.IGNORECASE)
_SCHEMA = re.compile(r"\{([^{}]*)\}")
_TERM = re.compile(r"""(?<![\w.])(\b[\w.]++)\s*=\s*(?:\(([^()]*)\)|"([^"]*)"|'([^']*)'|([^\s"'()]+))""")
_QUOTED = re.compile(r"""(?<![@\w.])([@\w.]++)"?\s*(=~|!=|!~|=)\s*["']([^"']*)["']""")


@dataclass(frozen=True)
class Condition:
    """What a label has to be."""

    label: str
    values: tuple[str, ...]
    """It has to be one of them."""
    negated: bool = False
    exact: bool = True
    """Whether they are values, and no patterns with `*`."""

    def holds(self, value: str) -> bool:
        """Return whether a value meets it."""
        met = value in self.values if self.exact else any(fnmatchcase(value, each) for each in self.values)
        return met is not self.negated


@dataclass(frozen=True)
class Query:
    """The metrics that one query selects."""

    namespace: str
    """Empty if the query names none."""
    metric: str
    """Empty if the query names none, or several."""
    labels: frozenset[str] | None
    """The dimensions that a metric has; none if it may have any."""
    choices: tuple[tuple[Condition, ...], ...] = ((),)
    """All conditions of one of them must be met."""

    @property
    def conditions(self) -> list[Condition]:
        """The conditions of all choices."""
        return [each for choice in self.choices for each in choice]


def queries_in(expression: str) -> list[Query]:
    """Return the queries in the expression of an alarm; none in one of metric math."""
    if expression.lstrip()[:6].upper() == "SELECT":
        return [_insights(expression)]
    found = [_search(match[1] or match[2] or "") for match in _SEARCH.finditer(expression)]
    return found or ([_prometheus(expression)] if "{" in expression else [])


def _insights(text: str) -> Query:
    tokens = [
        (match[1] or match[2] or match[3] or match[4] or "", match[3] is not None)
        for match in _TOKEN.finditer(text)
    ]
    words = [token.upper() if bare else "" for token, bare in tokens]
    values = [token for token, _ in tokens]
    metric = values[3] if len(values) > 4 and values[2] == "(" and values[4] == ")" else ""  # noqa: PLR2004
    start = words.index("FROM") + 1 if "FROM" in words else len(words)
    namespace, labels = "", None
    if words[start : start + 1] == ["SCHEMA"]:
        named = [each for each in takewhile(lambda each: each != ")", values[start + 2 :]) if each != ","]
        namespace, labels = (named or [""])[0], frozenset(named[1:])
    elif start < len(values):
        namespace = values[start]
    choices: list[tuple[Condition, ...]] = [()]
    if "WHERE" in words[start:]:
        first = words.index("WHERE", start) + 1
        last = next((at for at in range(first, len(words)) if words[at] in _ENDS), len(words))
        choices = [_conditions(*pair) for pair in _split(values[first:last], words[first:last], "OR")]
    return Query(namespace, metric, labels, tuple(choices))


def _split(values: list[str], words: list[str], by: str) -> list[tuple[list[str], list[str]]]:
    """Split tokens at a word, outside no brackets: only lists of values have any."""
    marks = [-1, *(at for at, word in enumerate(words) if word == by), len(words)]
    return [(values[start + 1 : end], words[start + 1 : end]) for start, end in pairwise(marks)]


def _conditions(values: list[str], words: list[str]) -> tuple[Condition, ...]:
    return tuple(each for pair in _split(values, words, "AND") for each in _condition(*pair))


def _condition(values: list[str], words: list[str]) -> list[Condition]:
    if len(values) < 3:  # noqa: PLR2004 - label, operator, value
        return []
    label, operator = values[0], values[1]
    if label.lower() == "tag" and values[1] == "." and len(values) > 4:  # noqa: PLR2004 - tag."team" = 'x'
        return _condition([f"tag.{values[2]}", *values[3:]], ["", *words[3:]])
    if label.lower() == "tag." and len(values) > 3:  # noqa: PLR2004
        return _condition([f"tag.{values[1]}", *values[2:]], ["", *words[2:]])
    if operator in ("=", "!="):
        return [Condition(label, (values[2],), operator == "!=")]
    listed = tuple(each for each in values[2:] if each not in ("(", ")", ",") and each.upper() != "IN")
    if words[1] == "IN":
        return [Condition(label, listed)]
    if words[1:3] == ["NOT", "IN"]:
        return [Condition(label, listed, negated=True)]
    return []


def _search(text: str) -> Query:
    schema = _SCHEMA.search(text)
    parts = [each.strip().strip('"') for each in schema[1].split(",")] if schema else []
    rest = text[schema.end() :] if schema else text
    namespace, metric = (parts or [""])[0], ""
    conditions: list[Condition] = []
    # A term in quotes is meant exactly, another one as a part of a word; after OR or NOT nothing is sure.
    sure = not {"OR", "NOT"} & set(re.sub(r"\([^()]*\)", " ", rest).split())
    for match in _TERM.finditer(rest):
        listed, quoted, single, bare = match.groups()[1:]
        exact = quoted if quoted is not None else single
        if match[1] == "Namespace" and not schema:
            namespace = exact or bare or ""
        elif match[1] == "MetricName":
            metric = exact or bare or ""
        elif sure and listed is None:
            value = f"*{bare}*" if exact is None else exact
            conditions.append(Condition(match[1], (value,), exact=exact is not None))
        elif sure:
            names = re.findall(r'"([^"]*)"', listed)
            if names:
                conditions.append(Condition(match[1], tuple(names)))
    return Query(namespace, metric, frozenset(parts[1:]) if parts[1:] else None, (tuple(conditions),))


def _prometheus(text: str) -> Query:
    conditions = [
        Condition(
            match[1],
            tuple(match[3].replace(".*", "*").replace(".+", "*").split("|"))
            if "~" in match[2]
            else (match[3],),
            match[2].startswith("!"),
            "~" not in match[2],
        )
        for match in _QUOTED.finditer(text)
    ]
    held = {each.label: each.values[0] for each in conditions if not each.negated}
    namespace = next((held[key] for key in ("@aws.namespace", "namespace", "Namespace") if key in held), "")
    return Query(namespace, held.get("__name__", ""), None, (tuple(conditions),))
