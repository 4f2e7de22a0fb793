"""Full-text search: from what a person types to the words that a task must hold.

All words must occur, in the title, the tags or the description; the last one may be the beginning of a word, and
what stands in quotes must stand so in one of the three. Words are runs of letters, marks and digits; case and
accents make no difference. In a script without spaces each letter is a word, and a run of letters is a phrase. Every
text is a search: a blank one asks nothing, and one of signs alone finds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Text, bindparam, case
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from taskwell.database.search_tokens import owner_of, split, words_of

LONGEST_WORD = 1000
"""In bytes; a search for a longer one finds nothing, since PostgreSQL indexes none of twice that length."""

NOBODYS_WORD = "0" * 64


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand one after the other.

    Attributes:
        words: Without case and accents.
        is_prefix: Whether the last of them may go on.
    """

    words: tuple[str, ...]
    is_prefix: bool = False


@lru_cache(maxsize=1024)
def terms_of(text: str) -> tuple[Term, ...]:
    """What the text asks for; a quote that is not closed yet is a phrase whose last word is being typed."""
    terms: list[Term] = []
    parts = text.split('"')
    for number, part in enumerate(parts):
        runs = _runs(part)
        is_quoted, is_last = number % 2 == 1, number == len(parts) - 1
        if is_quoted and runs:
            terms.append(Term(sum(runs, ()), is_prefix=is_last))
        elif not is_quoted:
            terms += [Term(words, is_last and at == len(runs) - 1) for at, words in enumerate(runs)]
    return tuple(terms)


def is_wordless(text: str) -> bool:
    """Whether something was typed, and no word in it."""
    return not terms_of(text) and text.strip(' "') != ""


def _runs(text: str) -> list[tuple[str, ...]]:
    """The words of each run."""
    runs = (tuple(_findable(word) for word in words_of(run) if word) for run in split(text))
    return [words for words in runs if words]


def _findable(word: str) -> str:
    return word if len(word.encode()) <= LONGEST_WORD else NOBODYS_WORD


class Where(Enum):
    """The parts of a task that are searched, with their names on both databases."""

    ANYWHERE = ("ABC", "title tags description")
    LABELS = ("AB", "title tags")
    TITLE = ("A", "title")


@dataclass(frozen=True, slots=True)
class Search:
    """Whose tasks must hold which words.

    The index knows whose each word is, so that a search costs the same however many other spaces there are. That
    only narrows: ``space_id`` is compared as well, as in every read.
    """

    space_id: str
    terms: tuple[Term, ...]


class _Asked(TypeDecorator[Search]):
    """A search in the language of the database, for one part of a task."""

    impl = Text
    cache_ok = True

    def __init__(self, where: Where, *, any_of_them: bool = False) -> None:
        super().__init__()
        self.where = where
        self.any_of_them = any_of_them

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else TSQUERY())

    def process_bind_param(self, value: Search | None, dialect: Dialect) -> str:
        assert value is not None
        return self.text(value, dialect.name)

    def text(self, value: Search, dialect: str) -> str:
        weights, columns = self.where.value
        owner = owner_of(value.space_id)
        if dialect == "sqlite":
            joined = (" OR " if self.any_of_them else " AND ").join(_fts5(owner, term) for term in value.terms)
            return f"{{{columns}}} : ({joined})"
        return (" | " if self.any_of_them else " & ").join(_tsquery(owner, term, weights) for term in value.terms)


def _fts5(owner: str, term: Term) -> str:
    return f'"{" ".join(owner + word for word in term.words)}"{" *" if term.is_prefix else ""}'


def _tsquery(owner: str, term: Term, weights: str) -> str:
    """One phrase for each part: words that end the title and begin the tags are none."""
    parts = weights if len(term.words) > 1 else [weights]
    return f"({' | '.join(_phrase(owner, term, weight) for weight in parts)})"


def _phrase(owner: str, term: Term, weight: str) -> str:
    *before, last = (f"'{owner}{word}':{weight}" for word in term.words)
    return " <-> ".join([*before, last.replace(":", ":*") if term.is_prefix else last])


class _Found(FunctionElement[Any]):
    """Whether a task of the space holds the terms; not ``Boolean``, which SQLite would compare with 1."""

    type = NullType()
    inherit_cache = True

    def __init__(self, where: Where, *, any_of_them: bool = False) -> None:
        self.parameter = f"search_{'any' if any_of_them else 'all'}_{where.name}"
        self.asked = _Asked(where, any_of_them=any_of_them)
        super().__init__(bindparam(self.parameter, type_=self.asked))


@compiles(_Found, "postgresql")
def _(element: _Found, compiler: SQLCompiler, **options: Any) -> str:
    return f"tasks.search @@ {compiler.process(element.clauses, **options)}"


@compiles(_Found, "sqlite")
def _(element: _Found, compiler: SQLCompiler, **options: Any) -> str:
    """By ids where tasks are looked for: without statistics, SQLite would begin with all tasks of the space."""
    asked = compiler.process(element.clauses, **options)
    numbers = f"SELECT rowid FROM task_search WHERE task_search MATCH {asked}"
    if element.parameter == _ANYWHERE.parameter:
        return f"tasks.id IN (SELECT found.id FROM tasks AS found WHERE found.search IN ({numbers}))"
    return f"tasks.search IN ({numbers})"


_ANYWHERE = _Found(Where.ANYWHERE)
_TITLE = _Found(Where.TITLE)
_LABELS = _Found(Where.LABELS)
_SOME_LABEL = _Found(Where.LABELS, any_of_them=True)

FOUND = _ANYWHERE

RELEVANCE: ColumnElement[int] = case((_TITLE, 4), (_LABELS, 3), (_SOME_LABEL, 2), else_=1)
"""Where the words stand: all in the title, all in title or tags, some of them there, none there.

It depends on the task and the search alone, not on what other tasks there are: a page stays where it is while
others are written, and nothing of other people's tasks shows through.
"""


def parameters(search: Search) -> dict[str, object]:
    """What ``FOUND`` and ``RELEVANCE`` need."""
    return {found.parameter: search for found in (_ANYWHERE, _TITLE, _LABELS, _SOME_LABEL)}


def in_dialects(values: Mapping[str, object]) -> dict[str, object]:
    """What ``FOUND`` asks of one space, in the language of each database."""
    search = values.get(FOUND.parameter)
    if not isinstance(search, Search):
        return {}
    return {f"search_{name}": FOUND.asked.text(search, name) for name in ("sqlite", "postgresql")}
