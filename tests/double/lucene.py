# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""As much of Lucene's standard analyzer and classic query parser as Dicoogle's quirks rest on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

WORD = re.compile(
    r"\w+(?:(?:(?<=[^\W\d])[.:'\u2019\u00b7](?=[^\W\d])|(?<=\d)[.,;'](?=\d))\w+)*", re.UNICODE
)
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by for if in into is it no not of on or such that the their "
        "then there these they this to was will with",
    )
)
BLANKS = " \t\n\r\u3000"
START = r'(?:[^\s+\-!():^\[\]"{}~*?\\/]|\\.)'
LATER = rf"(?:{START}|[+\-])"
TOKENS = {
    "AND": r"AND(?![\w])|&&",
    "OR": r"OR(?![\w])|\|\|",
    "NOT": r"NOT(?![\w])|!",
    "PLUS": r"\+",
    "MINUS": r"-",
    "OPEN": r"\(",
    "CLOSE": r"\)",
    "COLON": r":",
    "STAR": rf"\*(?!{LATER}|[*?])",
    "BOOST": r"\^",
    "QUOTED": r'"(?:[^"\\]|\\.)*"',
    "WILD": rf"(?:{START}|[*?])(?:{LATER}|[*?])*(?<!\\)[*?](?:{LATER}|[*?])*|[*?](?:{LATER}|[*?])*",
    "TERM": rf"{START}{LATER}*",
    "FUZZY": r"~(?:\d+(?:\.\d+)?)?",
    "RANGE": r'[\[{]\s*(?:"[^"]*"|[^\s\]}]+)\s+TO\s+(?:"[^"]*"|[^\s\]}]+)\s*[\]}]',
    "REGEXP": r"/(?:[^*/]|\\/)*/",
}
TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in TOKENS.items()), re.S)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


class ParseError(Exception):
    """A query that the parser refuses."""


def analyze(text: str) -> list[tuple[int, str]]:
    """Return the words of a text in lower case, each with its position; stop words leave gaps."""
    words = (match[0].lower() for match in WORD.finditer(text))
    return [(place, word) for place, word in enumerate(words) if word not in STOP_WORDS]


class Terms(Protocol):
    """What a query is asked of: an inverted index."""

    def everything(self) -> set[int]:
        """Return all documents."""

    def having(self, field: str, word: str) -> set[int]:
        """Return the documents that have the word."""

    def matching(self, field: str, wanted: Callable[[str], bool]) -> set[int]:
        """Return the documents that have a word which is wanted."""

    def text(self, document: int, field: str) -> str:
        """Return the words' source."""


@dataclass(frozen=True)
class Token:
    """A piece of a query."""

    kind: str
    text: str


def tokens(query: str) -> Iterable[Token]:
    """Cut a query into its pieces."""
    place = 0
    while place < len(query):
        if query[place] in BLANKS:
            place += 1
            continue
        match = TOKEN.match(query, place)
        if match is None:
            raise ParseError(f"Cannot parse '{query}': Lexical error at line 1, column {place + 1}")
        place = match.end()
        kind = str(match.lastgroup)
        if kind == "BOOST":
            number = NUMBER.match(query, place)
            if number is None:
                raise ParseError(
                    f"Cannot parse '{query}': Lexical error at line 1, column {place + 1}."
                )
            place = number.end()
        yield Token(kind, match[0])
    yield Token("END", "")


def unescape(text: str) -> str:
    """Take the backslashes away."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.S)


def wildcard(pattern: str) -> re.Pattern[str]:
    """Return a regular expression for a pattern with * and ?."""
    pieces = re.findall(r"\\.|.", pattern, re.S)
    known = {"*": ".*", "?": "."}
    return re.compile("".join(known.get(each, re.escape(unescape(each))) for each in pieces), re.S)


class Query:
    """A query that is being parsed and answered at once."""

    def __init__(self, query: str, terms: Terms, default_field: str = "others") -> None:
        self._query = query
        self._terms = terms
        self._tokens = list(tokens(query))
        self._next = 0
        self._default = default_field

    def documents(self) -> set[int]:
        """Return the documents that match."""
        found = self._clauses(self._default)
        self._expect("END")
        return found

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _expect(self, kind: str) -> Token:
        if self._peek().kind != kind:
            raise ParseError(f"Cannot parse '{self._query}': Encountered \"{self._peek().text}\"")
        return self._take()

    def _clauses(self, field: str) -> set[int]:
        """Answer clauses up to a closing bracket: must, should and must not."""
        clauses: list[tuple[str, set[int]]] = []
        first = True
        while first or self._peek().kind not in ("CLOSE", "END"):
            conjunction = self._take().kind if self._peek().kind in ("AND", "OR") else ""
            if conjunction and first:
                self._next -= 1
                self._expect("TERM")
            modifier = self._take().kind if self._peek().kind in ("PLUS", "MINUS", "NOT") else ""
            found = self._clause(field)
            if conjunction == "AND" and clauses and clauses[-1][0] == "should":
                clauses[-1] = ("must", clauses[-1][1])
            occur = {"PLUS": "must", "MINUS": "not", "NOT": "not"}.get(
                modifier, "must" if conjunction == "AND" else "should"
            )
            if found is not None:
                clauses.append((occur, found))
            first = False
        return combine(clauses)

    def _clause(self, field: str) -> set[int] | None:
        if self._peek().kind in ("TERM", "STAR") and self._peek(1).kind == "COLON":
            field = unescape(self._take().text)
            self._take()
        if self._peek().kind == "OPEN":
            self._take()
            found: set[int] | None = self._clauses(field)
            self._expect("CLOSE")
        else:
            found = self._term(field)
        while self._peek().kind in ("BOOST", "FUZZY"):
            self._take()
        return found

    def _term(self, field: str) -> set[int] | None:
        token = self._peek()
        if token.kind not in ("TERM", "STAR", "WILD", "QUOTED", "RANGE", "REGEXP", "NUMBER"):
            self._expect("TERM")
        self._take()
        match token.kind:
            case "STAR" if field == "*":
                return self._terms.everything()
            case "STAR" | "WILD":
                return self._terms.matching(
                    field, lambda word: bool(wildcard(token.text.lower()).fullmatch(word))
                )
            case "REGEXP":
                pattern = re.compile(token.text[1:-1].lower())
                return self._terms.matching(field, lambda word: bool(pattern.fullmatch(word)))
            case "RANGE":
                return self._range(field, token.text)
            case "QUOTED":
                return self._phrase(field, analyze(unescape(token.text[1:-1])))
        words = analyze(unescape(token.text))
        if not words:
            return None
        return set().union(*(self._terms.having(field, word) for _place, word in words))

    def _range(self, field: str, text: str) -> set[int]:
        low, high = (
            each.strip().strip('"').lower()
            for each in re.split(r"\s+TO\s+", text[1:-1], maxsplit=1)
        )

        def wanted(word: str) -> bool:
            above = low == "*" or (word >= low if text[0] == "[" else word > low)
            return above and (high == "*" or (word <= high if text[-1] == "]" else word < high))

        return self._terms.matching(field, wanted)

    def _phrase(self, field: str, words: list[tuple[int, str]]) -> set[int] | None:
        if not words:
            return None
        candidates = set.intersection(*(self._terms.having(field, word) for _place, word in words))
        if len(words) == 1:
            return candidates
        begin = words[0][0]
        wanted = [(place - begin, word) for place, word in words]

        def holds(document: int) -> bool:
            there = set(analyze(self._terms.text(document, field)))
            return any(
                all((place + offset, word) in there for offset, word in wanted)
                for place, first in there
                if first == wanted[0][1]
            )

        return {each for each in candidates if holds(each)}


def combine(clauses: list[tuple[str, set[int]]]) -> set[int]:
    """Join clauses as Lucene does: nothing is found by what must not be alone."""
    must = [found for occur, found in clauses if occur == "must"]
    should = [found for occur, found in clauses if occur == "should"]
    unwanted = set().union(*(found for occur, found in clauses if occur == "not"))
    if must:
        return set.intersection(*must) - unwanted
    return set().union(*should) - unwanted
