"""Parses metric math.

Its precedence and call syntax are those of Python. So an expression is tokenized, translated to Python and
parsed by `ast`: the tokenizer accepts only metric math, and nothing is executed. Source: CloudWatch user
guide, "Using math expressions with CloudWatch metrics",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import re

from selfheal.sandbox.errors import SandboxError

ID_PREFIX = "id_"
"""Prefix of every id in the tree, so that ids such as `in` and `for` are not keywords of Python."""

MAX_DEPTH = 200
"""How deep an expression may nest, counting each operator of a chain; Python's own limit for brackets."""

MAX_LENGTH = 2048
"""Characters of an expression (CloudWatch API reference, MetricDataQuery)."""

_WORD = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<id>[a-z][a-zA-Z0-9_]*)
    |(?P<name>[A-Z][A-Z0-9_]*\b)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<operator><=|>=|==|!=|&&|\|\||[-+*/^<>(),\[\]])""",
    re.VERBOSE,
)

_ALLOWED_WORDS = (
    "allowed are numbers, ids starting with a small letter, lists in [ ], functions in capitals, "
    "and the operators + - * / ^ < <= > >= == != AND && OR ||"
)

_AS_PYTHON = {"&&": " and ", "AND": " and ", "||": " or ", "OR": " or ", "^": "**"}

_ALLOWED: tuple[type[ast.AST], ...] = (
    ast.Constant,
    ast.Name,
    ast.List,
    ast.UnaryOp,
    ast.USub,
    ast.BinOp,
    ast.operator,
    ast.Compare,
    ast.cmpop,
    ast.BoolOp,
    ast.boolop,
    ast.Call,
    ast.expr_context,
)


class MathError(SandboxError):
    """An expression is wrong, or uses something that the sandbox does not calculate."""


def parse(expression: str) -> ast.expr:
    """Return the syntax tree of an expression; its ids have the prefix `ID_PREFIX`.

    Raises MathError, which quotes the expression, for anything that is not metric math.
    """
    if len(expression) > MAX_LENGTH:
        raise MathError(
            f"a metric math expression may have {MAX_LENGTH} characters; this one has {len(expression)}"
        )
    try:
        tree = ast.parse(_as_python(expression), mode="eval").body
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise MathError(
            f"the metric math expression {expression!r} cannot be read: check its brackets and operators"
        ) from error
    _check_depth(tree)
    for node in ast.walk(tree):
        call_of_no_name = isinstance(node, ast.Call) and not isinstance(node.func, ast.Name)
        if call_of_no_name or not isinstance(node, _ALLOWED):
            raise MathError(f"the metric math expression {expression!r} cannot be read: {_ALLOWED_WORDS}")
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            raise MathError(
                f"{expression!r} compares more than two values in a row: write a < b AND b < c, not a < b < c"
            )
    return tree


def _check_depth(tree: ast.AST) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise MathError(f"a metric math expression may be {MAX_DEPTH} operators deep; this one is deeper")


def _as_python(expression: str) -> str:
    words: list[str] = []
    position = 0
    while position < len(expression):
        match = _WORD.match(expression, position)
        if match is None:
            raise MathError(
                f"the metric math expression {expression!r} has {expression[position]!r} at character "
                f"{position + 1}, which is not metric math: {_ALLOWED_WORDS}"
            )
        words.append(_word(match))
        position = match.end()
    return "".join(words).strip()


def _word(match: re.Match[str]) -> str:
    word = match.group()
    if match.lastgroup == "space":
        return " "
    if match.lastgroup == "number":
        return f" {float(word)!r} "  # 007 is a number here and an error in Python
    if match.lastgroup == "id":
        return f" {ID_PREFIX}{word} "
    if match.lastgroup == "text":
        return f" {word[1:-1]!r} "
    return _AS_PYTHON.get(word, f" {word} ")
