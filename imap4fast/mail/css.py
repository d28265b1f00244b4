"""Style sheets and style attributes of mails: URLs in them judged, imports and programs taken out (T-M38).

Works on tokens (CSS Syntax, by tinycss2), so that escapes and comments hide nothing. Text without anything that could
load or run is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import tinycss2  # type: ignore[import-untyped]

Judge = Callable[[str], bool]

LONGEST = 256 << 10
"""Characters of one style that are read; a longer one that needs reading is taken out."""

_SUSPICIOUS = re.compile(
    r"\\|url|import|expression|behaviou?r|binding|image|src|element|cross-fade|charset", re.IGNORECASE
)
_LOADING = frozenset(
    {
        "url",
        "src",
        "image",
        "image-set",
        "-webkit-image-set",
        "cross-fade",
        "-webkit-cross-fade",
        "element",
        "-moz-element",
    }
)
_FROM_ELSEWHERE = frozenset({"var", "env", "attr"})
_RUNNING = frozenset({"expression", "-moz-binding", "behavior", "binding"})
_AT_RULES_OUT = frozenset({"import", "charset", "namespace"})
_NOTHING = "none"


def judged(text: str, judge: Judge) -> str:
    """The style with each URL that `judge` refuses replaced by `none`. Nothing in it can end a <style> element."""
    if _SUSPICIOUS.search(text):
        text = _rewritten(text, judge) if len(text) <= LONGEST else ""
    return text.replace("<", "\\3c ")


def _rewritten(text: str, judge: Judge) -> str:
    try:
        written: str = tinycss2.serialize(_kept(tinycss2.parse_component_value_list(text), judge))
    except RecursionError:
        return ""
    return written


def _kept(nodes: Sequence[Any], judge: Judge) -> list[Any]:
    kept: list[Any] = []
    skipping = False
    for node in nodes:
        if skipping:
            skipping = not (node.type == "{} block" or node == ";")
        elif node.type == "at-keyword" and node.lower_value in _AT_RULES_OUT:
            skipping = True
        elif node.type == "error":
            # An unfinished string or URL at the end comes before its error, and would be written unfinished.
            del kept[len(kept) - node.kind.startswith("eof-in") :]
        else:
            kept.append(_node(node, judge))
    return kept


def _node(node: Any, judge: Judge) -> Any:
    if node.type == "url":
        return node if judge(node.value) else _nothing(node)
    if node.type == "ident" and node.lower_value in _RUNNING:
        return _nothing(node)
    if node.type == "function":
        return _function(node, judge)
    if node.type in ("() block", "[] block", "{} block"):
        node.content = _kept(node.content, judge)
    return node


def _function(node: Any, judge: Judge) -> Any:
    if node.lower_name in _RUNNING:
        return _nothing(node)
    if node.lower_name in _LOADING:
        if any(inner.type == "function" and inner.lower_name in _FROM_ELSEWHERE for inner in node.arguments):
            return _nothing(node)
        urls = [inner.value for inner in node.arguments if inner.type == "string"]
        if not all(map(judge, urls)):
            return _nothing(node)
    node.arguments = _kept(node.arguments, judge)
    return node


def _nothing(node: Any) -> Any:
    return tinycss2.ast.IdentToken(node.source_line, node.source_column, _NOTHING)
