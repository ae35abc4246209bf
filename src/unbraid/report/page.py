"""A page of sections with figures, tables and commands, as one HTML file."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Section", "Table", "render"]

STYLE = """
:root { color-scheme: light; --ink: #1f2430; --grey: #6b7280; --line: #e3e6ea; --accent: #3b6fb6; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 1.5rem 5rem; max-width: 66rem; color: var(--ink); background: #fff;
       font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.02em; }
h2 { font-size: 1.35rem; margin: 3.5rem 0 .5rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; } .lead { font-size: 1.1rem; color: var(--grey); }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; display: block; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem 1.4rem .35rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--grey); font-weight: 500; } td.number, th.number { text-align: right; }
pre { background: #f6f7f9; border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; font-size: .86rem; }
nav a { color: var(--accent); text-decoration: none; margin-right: 1.2rem; }
"""


@dataclass(frozen=True)
class Table:
    """A table; numbers are set to the right.

    Args:
        header: The columns' names.
        rows: The cells.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str | float | int]]


@dataclass(frozen=True)
class Section:
    """One part of a page.

    Args:
        title: What it is about.
        text: Paragraphs of plain text.
        tables: Shown after the text.
        figures: Shown after the tables, by a name that says what is seen.
        commands: What to type to repeat it.
    """

    title: str
    text: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    commands: Sequence[str] = ()


def render(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The page, complete in itself: it may be mailed, and opens without a network.

    Args:
        title: Of the page.
        lead: One or two sentences.
        sections: In order.
    """
    links = "".join(f'<a href="#s{i}">{html.escape(s.title)}</a>' for i, s in enumerate(sections))
    body = "\n".join(_section(i, section) for i, section in enumerate(sections))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n<body>'
        f'<h1>{html.escape(title)}</h1>\n<p class="lead">{html.escape(lead)}</p>\n<nav>{links}</nav>\n{body}\n'
        "</body></html>\n"
    )


def _section(number: int, section: Section) -> str:
    parts = [f'<h2 id="s{number}">{html.escape(section.title)}</h2>']
    parts += [f"<p>{html.escape(paragraph)}</p>" for paragraph in section.text]
    parts += [_table(table) for table in section.tables]
    for name, figure in section.figures.items():
        parts.append(f'<figure><img alt="{html.escape(name)}" src="{_embedded(figure)}"></figure>')
    if section.commands:
        parts.append(f"<pre>{html.escape(chr(10).join(section.commands))}</pre>")
    return "\n".join(parts)


def _table(table: Table) -> str:
    numeric = [all(isinstance(row[i], int | float) for row in table.rows) for i in range(len(table.header))]
    kinds = [' class="number"' if number else "" for number in numeric]
    head = "".join(f"<th{kind}>{html.escape(name)}</th>" for kind, name in zip(kinds, table.header, strict=True))
    rows = "".join(
        "<tr>"
        + "".join(f"<td{k}>{html.escape(_text(cell))}</td>" for k, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _text(cell: str | float | int) -> str:
    return f"{cell:.3f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else cell


def _embedded(figure: Figure) -> str:
    buffer = io.BytesIO()
    # Twice the screen's resolution, so that images stay crisp; pages are laid out for a multiple of 100.
    figure.savefig(buffer, format="png", dpi=200, pil_kwargs={"optimize": True})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
