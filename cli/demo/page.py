"""The parts of a report for people: one self-contained file, well-formed XML as well. Pure.

No script, no external reference, and every text from outside is escaped.
"""

from collections.abc import Iterable, Mapping
from html import escape

from selfheal.cli.demo.style import CSS

WIDTHS = {"wide": 960.0, "narrow": 380.0}
"""Widths of the drawings of one picture in pixels; the style sheet shows the one that fits the screen."""


def page(title: str, body: Iterable[str]) -> str:
    """Return the whole file; `body` are its header and sections as HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8" />'
        '<meta name="viewport" content="width=device-width, initial-scale=1" />'
        f"<title>selfheal: {escape(title)}</title><style>{CSS}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def header(title: str, lead: str, *, shown: bool, badge: str = "") -> str:
    """Return the title, with whether it was shown (in the words of `badge`), and a sentence about the run."""
    kind, mark = ("good", f"✓ {badge or 'shown'}") if shown else ("bad", f"✗ {badge or 'not shown'}")
    return (
        f'<header><span class="badge {kind}">{escape(mark)}</span><h1>{escape(title)}</h1>'
        f'<p class="lead">{escape(lead)}</p></header>'
    )


def figures(values: Mapping[str, str]) -> str:
    """Return the large figures at the top, by name."""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in values.items()
    )
    return f'<dl class="figures">{rows}</dl>'


def section(title: str, content: str) -> str:
    """Return a section with a title."""
    return f"<section><h2>{title}</h2>{content}</section>"


def facts(values: Mapping[str, str]) -> str:
    """Return a table of two columns: names, and texts."""
    rows = "".join(f"<tr>{row_head(name)}{cell('text', value)}</tr>" for name, value in values.items())
    return f'<div class="scroll"><table><tbody>{rows}</tbody></table></div>'


def bullets(items: Iterable[str]) -> str:
    """Return a list of texts."""
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def row_head(text: str, before: str = "") -> str:
    """Return the cell that names a row; `before` is HTML."""
    return f'<th scope="row">{before}{escape(text)}</th>'


def cell(kind: str, text: str) -> str:
    """Return a cell; its class `kind` is `n` for numbers, `text`, `figure` for a word or two, or `time`."""
    return f'<td class="{kind}">{escape(text)}</td>'


def table(caption: str, heads: Mapping[str, str], rows: Iterable[str]) -> str:
    """Return a table; `heads` are the columns' titles with their classes, a row is its cells."""
    columns = "".join(f'<th scope="col" class="{kind}">{escape(name)}</th>' for name, kind in heads.items())
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{columns}</tr></thead>'
        f"<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table></div>"
    )
