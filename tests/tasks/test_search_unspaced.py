"""Search in scripts that put no spaces between words."""

import unicodedata

import pytest

from taskwell import tasks
from taskwell.database import Database
from taskwell.tasks import TaskDraft
from tests.support.people import Person
from tests.support.searching import found


@pytest.mark.parametrize(
    ("title", "typed"),
    [
        ("下个月请搬家公司来家里", "搬家"),
        ("下个月请搬家公司来家里", "家公"),
        ("新しいサーバーへ移転する", "移転"),
        ("カ\u3099ラスを買う", "ガラス"),
        ("서울로이사하기", "이사"),
        ("서울로이사하기", unicodedata.normalize("NFD", "이사")),
        ("ไปตลาดซื้อนม", "ตลาด"),
        ("买iPhone手机", "iphone手"),
        ("买iPhone手机", '"iphone 手机"'),
    ],
)
async def test_text_without_spaces_is_found_by_any_part_of_it(
    title: str, typed: str, database: Database, ada: Person
):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title=title))
    await tasks.create(database, ada.principal, ada.space, TaskDraft(title="家で搬入"))

    assert [each.id for each in await found(database, ada, typed)] == [task.id]


async def test_a_long_text_without_spaces_is_found_from_its_beginning_to_its_end(database: Database, ada: Person):
    letters = "".join(chr(0x4E00 + number) for number in range(10_000))
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="long", description=letters))

    for start in (0, 1_998, 5_000, 9_996):
        assert [each.id for each in await found(database, ada, letters[start : start + 4])] == [task.id]
    assert [each.id for each in await found(database, ada, letters[:1000])] == [task.id]
    assert await found(database, ada, letters[0] + letters[2]) == []
