"""Search: what is found by which words, the same on both databases."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskwell import tasks
from taskwell.database import Database
from taskwell.tasks import AS_TASK, PageRequest, Task, TaskDraft, TaskFilter, TaskSort
from taskwell.tasks.task import without_twins
from tests.support.people import Person
from tests.support.searching import found

# ruff: noqa: RUF001  the letters that look alike are the point

VOCABULARY = (
    *("milk", "Milkshake", "mil", "bread", "buy", "café", "CAFE", "cafe\u0301", "naïve", "Größe", "straße", "Ørsted"),
    *(
        "ΣΊΣΥΦΟΣ",
        "σίσυφος",
        "ΣΙΣΥΦΟΣ",
        "Елка",
        "ёлка",
        "йод",
        "Ї",
        "i\u0306",
        "Привет",
        "ПРИВЕТ",
        "東京",
        "東京都",
        "京都",
        "搬家公司",
        "サーバー移転",
        "ラーメン",
        "ไปตลาด",
        "ตลาด",
        "iPhone手机",
        "한국",
        "हिन्दी",
        "İstanbul",
        "ıssız",
    ),
    *("e-mail", "o'clock", "don’t", "ada@example.com", "https://x.org/a?b=1", "a/b", "foo_bar", "#home", "x…y"),
    *("3.14", "v2.0", "1e5", "0x1F", "-5", "00:30", "2026-12-24", "50%", "C++", "🚀launch", "❤️", "🤖", "½", "²"),
)
TYPED = st.lists(
    st.one_of(
        st.sampled_from(VOCABULARY),
        st.sampled_from(VOCABULARY).map(lambda word: word[: max(1, len(word) // 2)]),
        st.sampled_from(VOCABULARY).map(str.upper),
        st.sampled_from(
            ('"', '" ', "'", "*", "(", ")", "AND", "OR", "NOT", "NEAR(", ":", "!", "&", "|", "<->", "\\", "-")
        ),
    ),
    max_size=5,
).map(" ".join)
EVERY_EXAMPLE_IN_ONE_DATABASE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


# The rule, as plainly as it can be said.


def words(text: str) -> list[str]:
    """A letter of a script without spaces is a word of its own."""
    folded = "".join(each for each in unicodedata.normalize("NFD", text) if not "\u0300" <= each <= "\u036f")
    folded = unicodedata.normalize("NFC", folded).lower().replace("ς", "σ")
    apart = (f" {each} " if is_without_spaces(each) else each if is_of_word(each) else " " for each in folded)
    return "".join(apart).split()


def is_without_spaces(character: str) -> bool:
    return unicodedata.name(character, "").startswith(
        (
            "CJK UNIFIED",
            "CJK COMPATIBILITY IDEOGRAPH",
            "HANGUL",
            "HIRAGANA",
            "KATAKANA",
            "THAI",
            "LAO",
            "KHMER",
            "MYANMAR",
        )
    )


def spaced(text: str) -> str:
    return "".join(each if is_of_word(each) else " " for each in text)


def is_of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" and character not in "\ufe0f\u20e3"


def asked(text: str) -> list[tuple[list[str], bool]]:
    """The phrases of a text, a run of letters being one too, and whether the last word of each may go on."""
    parts = [[words(run) for run in spaced(part).split() if words(run)] for part in text.split('"')]
    phrases: list[list[str]] = []
    for number, part in enumerate(parts):
        phrases += [list(chain.from_iterable(part))] if number % 2 and part else part
    return [(phrase, at == len(phrases) - 1 and parts[-1] != []) for at, phrase in enumerate(phrases)]


def holds(part: str, phrase: list[str], *, may_go_on: bool) -> bool:
    there = words(part)
    for start in range(len(there) - len(phrase) + 1):
        *before, last = there[start : start + len(phrase)]
        if before == phrase[:-1] and (last.startswith(phrase[-1]) if may_go_on else last == phrase[-1]):
            return True
    return False


def rank(task: Task, text: str) -> int:
    """0 for a task that is not found."""
    phrases = asked(text)
    title, tags, description = task.title, " ".join(task.tags), task.description or ""

    def where(parts: Iterable[str]) -> list[bool]:
        return [any(holds(part, phrase, may_go_on=go) for part in parts) for phrase, go in phrases]

    if not all(where((title, tags, description))):
        return 0
    if all(where((title,))):
        return 4
    if all(where((title, tags))):
        return 3
    return 2 if any(where((title, tags))) else 1


async def stored(database: Database, person: Person) -> list[Task]:
    """A task for each word, in each of its parts, and some of several words."""
    drafts = []
    for at, word in enumerate(VOCABULARY):
        other, third = VOCABULARY[(at * 7 + 3) % len(VOCABULARY)], VOCABULARY[(at * 5 + 1) % len(VOCABULARY)]
        drafts += [
            TaskDraft(title=f"{word} {other}", description=third),
            TaskDraft(title="something", tags=without_twins([word, other]), description=f"({third}) {word}!"),
            TaskDraft(title=third, description=f"first\n{word}\t{other}, last"),
        ]
    return [await tasks.create(database, person.principal, person.space, draft) for draft in drafts]


@dataclass(frozen=True)
class Corpus:
    tasks: list[Task] = field(repr=False)


@pytest.fixture
async def corpus(database: Database, ada: Person) -> Corpus:
    return Corpus(await stored(database, ada))


@EVERY_EXAMPLE_IN_ONE_DATABASE
@given(text=TYPED)
async def test_a_search_finds_what_the_rule_says_most_relevant_first(
    text: str, corpus: Corpus, database: Database, ada: Person
):
    if not asked(text):
        return

    hits = await found(database, ada, text, TaskSort("relevance"))

    expected = [(rank(task, text), task.id) for task in corpus.tasks if rank(task, text)]
    assert [(rank(task, text), task.id) for task in hits] == sorted(expected, reverse=True)


@EVERY_EXAMPLE_IN_ONE_DATABASE
@given(text=st.one_of(st.text(max_size=300), st.text("\"\\'*:&|!()<>-^{}~+ aA\x00", max_size=30)))
async def test_no_text_is_an_error(text: str, database: Database, ada: Person):
    for sort in ("relevance", "created_at"):
        await tasks.page(
            database, ada.principal, ada.space, PageRequest(TaskFilter(search=text), TaskSort(sort)), AS_TASK
        )


@pytest.mark.parametrize("text", ["x" * 1000, "\u023a" * 1000, "a " * 500, '"' * 1000, '" a' * 300, "(" * 1000])
async def test_the_longest_texts_are_no_error(text: str, database: Database, ada: Person):
    await tasks.create(database, ada.principal, ada.space, TaskDraft(title="long", description=text))

    await found(database, ada, text)


async def test_accents_and_case_make_no_difference_in_any_alphabet(database: Database, ada: Person):
    letters = "éÀçŇǿΆΈΉΊΌΎΏΪΫάέήίόύώϊϋΐΰἀὥᾶЀЁЃЇЌЍЎЙйѐёѓїќѝўӑ"
    bare = [unicodedata.normalize("NFD", letter)[0].swapcase() for letter in letters]
    await tasks.create(
        database, ada.principal, ada.space, TaskDraft(title=" ".join(f"a{letter}" for letter in letters))
    )

    for asked_for in (bare, letters):
        assert len(await found(database, ada, " ".join(f"A{letter}" for letter in asked_for))) == 1


@pytest.mark.parametrize(
    "flag", ["\U0001f1f5\U0001f1f1", "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"]
)
async def test_a_flag_between_two_words_belongs_to_neither(flag: str, database: Database, ada: Person):
    await tasks.create(database, ada.principal, ada.space, TaskDraft(title=f"Rugby{flag}Match"))

    for word in ("rugby", "match"):
        assert len(await found(database, ada, f'"{word}"')) == 1


@pytest.mark.parametrize("blank", ["", " ", '"', '""', ' " " '])
async def test_a_blank_search_asks_nothing(blank: str, database: Database, ada: Person):
    for title in ("old", "new"):
        await tasks.create(database, ada.principal, ada.space, TaskDraft(title=title))

    for sort in ("relevance", "created_at"):
        assert [task.title for task in await found(database, ada, blank, TaskSort(sort))] == ["new", "old"]


@pytest.mark.parametrize("signs", ["!!!", "-", "🎉", "((", "'", "\x00"])
async def test_signs_without_a_word_find_nothing(signs: str, database: Database, ada: Person):
    await tasks.create(database, ada.principal, ada.space, TaskDraft(title="party 🎉 !!! ((-"))

    assert await found(database, ada, signs) == []


async def test_the_title_comes_before_the_tags_before_the_description(database: Database, ada: Person):
    for draft in (
        TaskDraft(title="Both apart: report", description="quarterly"),
        TaskDraft(title="In the title: quarterly report"),
        TaskDraft(title="In the tags", tags=("quarterly", "report")),
        TaskDraft(title="In the description", description="the quarterly report"),
    ):
        await tasks.create(database, ada.principal, ada.space, draft)

    best_first = [task.title for task in await found(database, ada, "quarterly report", TaskSort("relevance"))]

    assert best_first == [
        "In the title: quarterly report",
        "In the tags",
        "Both apart: report",
        "In the description",
    ]
    assert [
        task.title for task in await found(database, ada, "quarterly report", TaskSort("relevance", descending=False))
    ] == (best_first[::-1])


async def test_pages_of_a_search_hold_together_while_others_are_written(database: Database, ada: Person, eve: Person):
    for number in range(7):
        title, description = ("milk", None) if number % 2 else ("something", "milk")
        await tasks.create(
            database, ada.principal, ada.space, TaskDraft(title=f"{title} {number}", description=description)
        )
    seen: list[str] = []
    cursor = None
    while True:
        request = PageRequest(TaskFilter(search="milk"), TaskSort("relevance"), limit=2, cursor=cursor)
        page = await tasks.page(database, ada.principal, ada.space, request, AS_TASK)
        seen += [task.title for task in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        for person in (ada, eve):
            await tasks.create(database, person.principal, person.space, TaskDraft(title="milk, later"))

    assert seen == ["milk 5", "milk 3", "milk 1", "something 6", "something 4", "something 2", "something 0"]


async def test_a_phrase_is_still_being_typed_until_its_quote_is_closed(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="buy milk"))

    for text, is_found in (('"buy mi', True), ('"buy mi"', False), ('"buy milk"', True), ('"mi" buy', False)):
        assert [each.id for each in await found(database, ada, text)] == ([task.id] if is_found else [])


async def test_nobody_finds_what_is_anothers_not_even_by_the_owners_id(database: Database, ada: Person, eve: Person):
    await tasks.create(
        database, ada.principal, ada.space, TaskDraft(title=f"secret {eve.id} {eve.id.replace('-', '')} @{eve.id}")
    )

    for text in ("secret", ada.id, eve.id, ada.id.replace("-", ""), f"@{ada.id}", "owner", "a"):
        assert await found(database, eve, text) == []


async def test_a_search_combines_with_the_other_filters(database: Database, ada: Person):
    for completed in (True, False):
        await tasks.create(
            database, ada.principal, ada.space, TaskDraft(title="milk", completed=completed, tags=("home",))
        )
    await tasks.create(database, ada.principal, ada.space, TaskDraft(title="milk"))
    wanted = TaskFilter(search="mil", completed=False, tags=("HOME",))

    page = await tasks.page(database, ada.principal, ada.space, PageRequest(wanted, with_total=True), AS_TASK)

    assert ([task.completed for task in page.items], page.total) == ([False], 1)
