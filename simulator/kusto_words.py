"""A Kusto query in its words, read from left to right; what is no word of it is refused by name."""

from __future__ import annotations

import re

_WORD = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<number>\d+)(?!\w)
    |(?P<word>mv-expand\b|in~|[A-Za-z_]\w*)
    |(?P<sign>==|=~|!=|!~|<=|>=|[=<>(),.|\[\]])
    )""",
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_ESCAPED = re.compile(r"\\(.)")


class QueryError(Exception):
    """The query is wrong, or says what this simulator does not know."""


class Words:
    """The words of a query, read from left to right."""

    def __init__(self, query: str) -> None:
        self._words: list[str] = []
        position, query = 0, query.strip()
        while position < len(query):
            match = _WORD.match(query, position)
            if match is None:
                raise QueryError(f"Not known to this simulator: '{query[position:].strip()[:20]}'.")
            self._words.append(match.group().strip())
            position = match.end()
        self._words.reverse()

    def more(self) -> bool:
        """Whether there is another word."""
        return bool(self._words)

    def next_is(self, *words: str) -> bool:
        """Whether the next word is one of these."""
        return self.more() and self._words[-1] in words

    def next_name(self) -> str:
        """The next word if it is a name, which is not taken; else nothing."""
        return self._words[-1] if self.more() and _NAME.fullmatch(self._words[-1]) else ""

    def takes(self, *words: str) -> bool:
        """Whether the next word is one of these; it is taken then."""
        if not self.next_is(*words):
            return False
        self._words.pop()
        return True

    def take(self) -> str:
        """The next word. Raises QueryError if there is none."""
        if not self._words:
            raise QueryError("The query ends too early.")
        return self._words.pop()

    def name(self) -> str:
        """The next word, which must be a name."""
        taken = self.take()
        if not _NAME.fullmatch(taken):
            raise QueryError(f"A name is needed where '{taken}' stands.")
        return taken

    def takes_name(self) -> str:
        """The name before an equals sign, both taken; empty if what comes is not named."""
        if len(self._words) < 2 or self._words[-2] != "=":
            return ""
        name = self.name()
        self.expect("=")
        return name

    def expect(self, word: str) -> None:
        """Takes that word. Raises QueryError if another one stands there."""
        taken = self.take()
        if taken != word:
            raise QueryError(f"Not known to this simulator: '{taken}' where '{word}' could stand.")


def is_text(word: str) -> bool:
    """Whether a word is a text in quotes."""
    return word[0] in "'\""


def unquoted(word: str) -> str:
    """What a text in quotes says. Raises QueryError for an escape other than those of quotes and backslashes."""

    def plain(match: re.Match[str]) -> str:
        if match.group(1) not in "'\"\\":
            raise QueryError(f"Not known to this simulator: the escape '{match.group()}'.")
        return match.group(1)

    return _ESCAPED.sub(plain, word[1:-1])
