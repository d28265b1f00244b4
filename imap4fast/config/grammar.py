"""Text to tree: the grammar of `grammar.lark`, with recovery so that one run reports every error.

The parser is LALR. Where it cannot go on, the error is reported, and either what is missing (`;`, `,`, `}`) is put
in, or the statement is dropped and parsing goes on behind it from the last state in which a statement could begin.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken

from imap4fast.config.complaint import complaint, shown
from imap4fast.config.diagnostic import Report
from imap4fast.config.source import Source, Span
from imap4fast.config.syntax import Atom, ListNode, Negated, Node, Range, SockNode, Statement

MAX_DEPTH = 50
"""Most braces within one another."""

_LARK = Lark(
    files("imap4fast.config").joinpath("grammar.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer="basic",
    start=["start", "refused"],
)
_BODIES = frozenset({"one", "more"})
_ENDS = frozenset({"RBRACE", "SEMICOLON"})
_STATEMENT_ENDS = frozenset({"SEMICOLON", "UNCLOSED_STRING", "UNCLOSED_REGEX"})
"""What is not closed on its line has taken in the rest of the line, with its `;`."""
_IN_LIST = frozenset({"STRING", "ADDRESS", "REGEX", "STAR", "INTEGER", "DECIMAL", "NOT", "LBRACE", "BAD_ADDRESS"})
_NOT_IN_BODY = frozenset({"COMMA", "RBRACE", "COLON", "DASH"})


def parse(source: Source, report: Report) -> tuple[Statement, ...]:
    """The statements of a text; what is wrong goes to `report` and is left out."""
    tokens = list(_LARK.lex(source.text))
    deep = _too_deep(tokens)
    if deep is not None:
        report.error(_span(source, deep), f"more than {MAX_DEPTH} braces within one another")
        report.partial = True
        return ()
    tree = _Parser(source, report, tokens).run()
    return _body(tree.children[0], source) if tree.children else ()


class _Parser:
    """One run over the tokens of a text.

    `_safe` is the last state in which a statement could begin, `_start` the index of the token after it, `_open` the
    indexes of the braces of the sections around it. `_braces` are all that are open now, lists too.
    """

    def __init__(self, source: Source, report: Report, tokens: list[Token]) -> None:
        self._source = source
        self._report = report
        self._tokens = tokens
        self._bodies = _bodies(tokens)
        self._state: Any = _LARK.parse_interactive("", start="start")
        self._braces: list[int] = []
        self._inserted = self._dropped = -1
        self._mark(0)

    def run(self) -> Tree[Token]:
        """Feed every token; gives the tree of what was good."""
        at = 0
        while at < len(self._tokens):
            at = self._step(at)
        self._close()
        tree: Tree[Token] = self._state.feed_eof(self._tokens[-1] if self._tokens else None)
        return tree

    def _step(self, at: int) -> int:
        """Feed the token at `at`; gives the index of the token to feed next."""
        try:
            self._state.feed_token(self._tokens[at])
        except UnexpectedToken:
            return self._recover(at, frozenset(self._state.accepts()))
        self._follow(at)
        return at + 1

    def _follow(self, at: int) -> None:
        """The token at `at` was taken: keep the state where a statement can begin behind it."""
        kind = self._tokens[at].type
        if kind == "LBRACE":
            self._braces.append(at)
            if at in self._bodies and self._may_be_body():
                self._mark(at + 1, undecided=True)
        elif kind == "RBRACE":
            self._braces.pop()
            if self._ended_body():
                self._mark(at + 1)
        elif kind == "SEMICOLON":
            self._mark(at + 1)

    def _may_be_body(self) -> bool:
        """Whether the `{` just taken may open a body: only that may be empty."""
        return "RBRACE" in self._state.choices()

    def _ended_body(self) -> bool:
        """Whether the `}` just taken closed a body: behind that of a list an element can follow."""
        return "INTEGER" not in self._state.choices()

    def _closes(self, at: int) -> str:
        """What the token at `at` closes if it is a `}`: a `list` of the statement, the `body` around it, or nothing."""
        if self._tokens[at].type != "RBRACE":
            return ""
        if len(self._braces) > len(self._open):
            return "list"
        return "body" if self._open else ""

    def _mark(self, start: int, undecided: bool = False) -> None:
        self._undecided = undecided
        self._open = list(self._braces)
        self._safe = self._state.copy(deepcopy_values=False)
        self._start = start

    def _recover(self, at: int, expected: frozenset[str]) -> int:
        token, before = self._tokens[at], self._tokens[at - 1] if at else None
        found = complaint(token, before, expected, self._closes(at))
        span = _span(self._source, token)
        self._report.error(_span(self._source, before).after() if found.behind and before else span, found.text)
        if found.insert is None or self._inserted == at:
            return self._skip(at)
        self._inserted = at
        self._insert(found.insert, at)
        return at

    def _insert(self, kind: str, at: int) -> None:
        place = self._tokens[at].start_pos or 0
        self._state.feed_token(Token(kind, "", start_pos=place, end_pos=place))
        if kind == "SEMICOLON":
            self._mark(at)
        elif kind == "RBRACE":
            self._braces.pop()

    def _skip(self, at: int) -> int:
        """Drop the statement around the token at `at`; gives the index of the token behind it."""
        self._report.partial = True
        self._restore()
        end = self._statement_end(at)
        self._start = end if end != self._dropped else at + 1
        self._dropped = self._start
        return self._start

    def _restore(self) -> None:
        """Go back to the last good state. Right behind a `{` that still might open a list, an empty statement decides
        that it opens a body; `_body` leaves it out."""
        self._state = self._safe.copy(deepcopy_values=False)
        self._braces = list(self._open)
        if self._undecided:
            place = self._tokens[self._open[-1]].end_pos
            for kind in ("WORD", "SEMICOLON"):
                self._state.feed_token(Token(kind, "", start_pos=place, end_pos=place))
            self._mark(self._start)

    def _statement_end(self, at: int) -> int:
        depth = 0
        for index in range(self._start, len(self._tokens)):
            kind = self._tokens[index].type
            if index in self._bodies:
                return self._behind_body(index)
            if index >= at and kind in _STATEMENT_ENDS:
                return index + 1
            if kind == "RBRACE" and depth == 0:
                return index if self._open else index + 1
            depth += (kind == "LBRACE") - (kind == "RBRACE")
        return len(self._tokens)

    def _behind_body(self, brace: int) -> int:
        end = self._bodies[brace] + 1
        return end + 1 if end < len(self._tokens) and self._tokens[end].type == "SEMICOLON" else end

    def _close(self) -> None:
        """At the end of the text: what is still open is an error."""
        if self._tokens and self._start < len(self._tokens):
            last = self._tokens[-1]
            self._report.error(_span(self._source, last).after(), f"`;` is missing after `{shown(last)}`")
        self._restore()
        for brace in reversed(self._open):
            self._report.error(_span(self._source, self._tokens[brace]), "this `{` is never closed")
            end = len(self._source.text)
            self._state.feed_token(Token("RBRACE", "", start_pos=end, end_pos=end))


def _bodies(tokens: list[Token]) -> dict[int, int]:
    """The braces that open the body of a section, each with the index of its `}`, or past the end without one."""
    bodies: dict[int, int] = {}
    opened: list[tuple[int, bool]] = []
    for at, token in enumerate(tokens):
        if token.type == "LBRACE":
            opened.append((at, _opens_body(tokens, at)))
        elif token.type == "SEMICOLON":
            while opened and not opened[-1][1]:
                opened.pop()
        elif token.type == "RBRACE" and opened:
            brace, body = opened.pop()
            if body:
                bodies[brace] = at
    bodies.update({brace: len(tokens) for brace, body in opened if body})
    return bodies


def _opens_body(tokens: list[Token], brace: int) -> bool:
    """Whether statements follow the `{`, judged by what follows: `{ }`, `{ word 5`, or a `;` before the `}`."""
    kinds = [token.type for token in tokens[brace + 1 : brace + 3]] + ["$END", "$END"]
    if kinds[0] in _IN_LIST or (kinds[0] == "WORD" and kinds[1] in _NOT_IN_BODY):
        return False
    if kinds[0] == "RBRACE" or (kinds[0] == "WORD" and kinds[1] != "WORD"):
        return True
    rest = (tokens[at].type for at in range(brace + 1, len(tokens)))
    return next((kind for kind in rest if kind in ("SEMICOLON", "LBRACE", "RBRACE")), "") != "RBRACE"


def _too_deep(tokens: list[Token]) -> Token | None:
    depth = 0
    for token in tokens:
        depth = max(0, depth + (token.type == "LBRACE") - (token.type == "RBRACE"))
        if depth > MAX_DEPTH:
            return token
    return None


def _span(source: Source, token: Token) -> Span:
    return Span(source, token.start_pos or 0, token.end_pos or 0)


def _body(tree: Token | Tree[Token], source: Source) -> tuple[Statement, ...]:
    """The statements of `more(more(one(A), B), C)`."""
    found = []
    while isinstance(tree, Tree):
        last = tree.children[-1]
        assert isinstance(last, Tree)
        if last.children[0] != "":
            found.append(_statement(last, source))
        tree = tree.children[0]
        if tree is last:
            break
    return tuple(reversed(found))


def _statement(tree: Tree[Token], source: Source) -> Statement:
    keyword, *rest = tree.children
    elements: list[Node] = []
    body: tuple[Statement, ...] | None = None
    end = _atom(keyword, source).span
    for child in rest:
        if isinstance(child, Tree) and child.data in _BODIES:
            body = _body(child, source)
        elif isinstance(child, Token) and child.type == "LBRACE":
            body = ()
        elif isinstance(child, Token) and child.type in _ENDS:
            end = _span(source, child)
        else:
            elements.append(_node(child, source))
    return Statement(_atom(keyword, source), tuple(elements), body, end)


def _atom(token: Token | Tree[Token], source: Source) -> Atom:
    assert isinstance(token, Token)
    return Atom(token.type, str(token), _span(source, token))


def _node(child: Token | Tree[Token], source: Source) -> Node:
    if isinstance(child, Token):
        return _atom(child, source)
    return _BUILDERS[child.data](child, source)


def _range(tree: Tree[Token], source: Source) -> Range:
    low, _, high = (_atom(child, source) for child in tree.children)
    return Range(low, high, low.span.to(high.span))


def _sock(tree: Tree[Token], source: Source) -> SockNode:
    host, _, port = (_node(child, source) for child in tree.children)
    assert isinstance(host, Atom | Range)
    assert isinstance(port, Atom | Range)
    return SockNode(host, port, host.span.to(port.span))


def _negated(tree: Tree[Token], source: Source) -> Negated:
    mark, value = (_node(child, source) for child in tree.children)
    return Negated(value, mark.span.to(value.span))


def _list(tree: Tree[Token], source: Source) -> ListNode:
    nodes = [_node(child, source) for child in tree.children]
    members = tuple(node for node in nodes[1:-1] if not (isinstance(node, Atom) and node.kind == "COMMA"))
    return ListNode(members, nodes[0].span.to(nodes[-1].span))


_BUILDERS: dict[str, Callable[[Tree[Token], Source], Node]] = {
    "range": _range,
    "sock": _sock,
    "negated": _negated,
    "list": _list,
}
