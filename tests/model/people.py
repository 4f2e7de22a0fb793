"""What the people of the model may say: values with every edge that has ever been thought of."""

from typing import cast

from hypothesis import strategies as st

from tests.model.product import URGENCY, Change

PEOPLE = ("ada", "eve")
TITLES = (
    "milk", "MILK", "Milch", "éclair", "ECLAIR", "naïve café", "日本語 テスト", "straße", "STRASSE", "a-b_c", "42",
    "ﬁne", "ΟΔΌΣ", "οδός", "  spaced  ", "emoji 😀 end",
    "\u2028line", "zero\u200bwidth", "Ⅷ", "İstanbul", "\u0131", "ß",
    "%", "_", "\\", "'; --", '"quoted"', "ẞ", "ǅ", "ꙮ", "\U0001f469\u200d\U0001f4bb", "a\u0301", "á", "x" * 200,
)  # fmt: skip
TAGS = ("home", "Home", "HOME", "work/2", "straße", "STRASSE", "日本", "é", "É", "a b", "%", "?#", "  home ")
DUES = (
    {"due_date": None},
    {"due_at": None},
    *({"due_date": day} for day in ("0001-01-01", "2020-02-29", "2026-03-29", "2099-01-01", "9999-12-31")),
    *(
        {"due_at": instant}
        for instant in (
            "2020-02-29T23:59:59.999999Z",
            "2020-02-29T12:00:00+14:00",
            "2099-01-01T00:00:00.000001-12:00",
            "2026-03-29T00:00:00Z",
        )
    ),
)
BOUNDS = ("0001-01-01", "2020-02-29", "2020-03-01", "2026-03-29T00:00:00Z", "2099-01-01", "9999-12-31")
SEARCHES = (
    "", " ", "!!!", "milk", "mil", "MILCH", "eclair", "caf", "cafe naive", "日本", "日本語", "straße", "42", "a b",
    "οδοσ", "οδος", "home", "HOM", "nothing", "ﬁ", "á", "a", "😀", "%", "istanbul",
)  # fmt: skip
ZONES = ("UTC", "Pacific/Kiritimati", "America/New_York", "Asia/Kathmandu", "Etc/GMT+12")

who = st.sampled_from(PEOPLE)
which = st.integers(0, 1000)
a_title = st.sampled_from(TITLES) | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12
).filter(str.strip)
an_address = st.sampled_from(("/api/v1/tasks", "/api/v1/users/<{}>/tasks"))
some_tags = st.lists(st.sampled_from(TAGS), max_size=3)
a_precondition = st.sampled_from((None, None, None, "current", "stale", "any", "weak"))

members = st.fixed_dictionaries(
    {"title": a_title},
    optional={
        "description": st.none() | st.sampled_from(("", "Ask for oat milk", "日本語", "two\nlines\ttabbed")),
        "priority": st.sampled_from(URGENCY),
        "completed": st.booleans(),
        "tags": some_tags,
        "list_id": st.none() | which,
        "due": st.sampled_from(DUES),
    },
).map(lambda named: {key: named[key] for key in named if key != "due"} | cast(Change, named.get("due", {})))
changes = st.tuples(members, st.sets(st.integers(0, 7))).map(
    lambda drawn: {key: value for place, (key, value) in enumerate(drawn[0].items()) if place in drawn[1]}
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(("all", "pending", "completed")),
        "priority": st.lists(st.sampled_from(URGENCY), max_size=2),
        "tag": st.lists(st.sampled_from(TAGS), max_size=2),
        "tag_match": st.sampled_from(("any", "all")),
        "list_id": st.just("none") | which,
        "overdue": st.booleans(),
        "due_before": st.sampled_from(BOUNDS),
        "due_after": st.sampled_from(BOUNDS),
        "q": st.sampled_from(SEARCHES),
        "sort": st.sampled_from(("created_at", "updated_at", "due", "priority", "title", "relevance")),
        "order": st.sampled_from(("asc", "desc")),
    },
)
