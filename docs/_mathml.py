"""Formulas as MathML, which browsers draw by themselves: pages need no script from elsewhere, and work offline."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx

__all__ = ["mathml", "setup"]

PLAINER = (
    (r"\\[bB]igg?[lrm]?(?![a-zA-Z])", ""),
    (r"\\dots(?![a-zA-Z])", r"\\ldots "),
    (r"\\(t?frac)([0-9])([0-9])", r"\\\1{\2}{\3}"),
    (r"\\(t?frac)\s*([0-9A-Za-z])\s*(?=\\[a-zA-Z])", r"\\\1{\2}"),
    (r"\\!|\\textstyle(?![a-zA-Z])", ""),
    ("·", r"\\cdot "),
)
"""What docutils' converter does not know, and what stands for it."""


def mathml(formula: str, *, block: bool) -> str:
    r"""A formula in LaTeX as MathML.

    >>> mathml(r"\tfrac12 \big(x\big)", block=False).count("mfrac")
    2
    """
    for unknown, known in PLAINER:
        formula = re.sub(unknown, known, formula)
    # Within HTML no namespace is needed, and prefixes are not understood.
    made = re.sub(r' xmlns="[^"]*"', "", str(latex2mathml.tex2mathml(formula.strip(), as_block=block)))
    # Names of signs that HTML knows and XML does not.
    tree = ElementTree.fromstring(re.sub(r"&(?!lt;|gt;|amp;)\w+;", lambda sign: unescape(sign[0]), made))
    for index in tree.iter("msub"):
        if len(index) and index[0].tag == "munder":  # what is said of a brace stands below it
            index.tag = "munder"
    return ElementTree.tostring(tree, encoding="unicode")


def inline(translator: Any, node: nodes.math) -> None:
    """A formula in a line."""
    translator.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def block(translator: Any, node: nodes.math_block) -> None:
    """A formula of its own."""
    # Wide formulas are moved aside, like wide tables.
    style = "overflow-x: auto; overflow-y: hidden; padding: 0.4em 0"
    translator.body.append(f'<div style="{style}">{mathml(node.astext(), block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """A renderer of formulas named ``mathml``."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
