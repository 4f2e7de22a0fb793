"""The lists and the tags of several spaces."""

from dataclasses import replace

from taskwell import tasks
from taskwell.database import Database
from taskwell.tasks import TaskDraft, collections, lists, tags
from taskwell.tasks.tags import TagUse
from tests.support.people import Person
from tests.support.sharing import shared_space


async def test_lists_of_several_spaces_stand_in_one_order_with_their_own_counts(database: Database, ada: Person):
    family = (await shared_space(database, (ada, "owner")))[ada.id]
    empty = (await shared_space(database, (ada, "owner")))[ada.id]
    for space, names in ((ada.space, ("Own", "More")), (family, ("Shared",))):
        for name in names:
            made = await lists.create(database, ada.principal, space, name=name)
    for completed in (False, False, True):
        draft = TaskDraft("Buy milk", list_id=made.id, completed=completed)
        await tasks.create(database, ada.principal, family, draft)

    found = await collections.every_list(database, ada.principal, (ada.space, family, empty))

    assert [(each.name, each.space_id, each.open_tasks) for each in found.items] == [
        ("Own", ada.id, 0),
        ("Shared", family.id, 2),
        ("More", ada.id, 0),
    ]
    again = await collections.every_list(database, ada.principal, (empty, family, ada.space))
    assert again.version == found.version
    await lists.create(database, ada.principal, empty, name="First")
    assert (
        await collections.every_list(database, ada.principal, (ada.space, family, empty))
    ).version != again.version


async def test_tags_of_several_spaces_are_merged_by_name(database: Database, ada: Person):
    family = (await shared_space(database, (ada, "owner")))[ada.id]
    for space, spelled in ((ada.space, ("Home", "garden")), (family, ("home", "home", "shop"))):
        for tag in spelled:
            await tasks.create(database, ada.principal, space, TaskDraft("Buy milk", tags=(tag,)))
    await tasks.create(database, ada.principal, family, TaskDraft("Done", tags=("shop",), completed=True))

    found = await collections.every_tag(database, ada.principal, (ada.space, family))

    assert found.items == [TagUse("garden", 1, 1), TagUse("home", 3, 3), TagUse("shop", 2, 1)]
    reader = replace(family, role="reader")
    assert (await collections.every_tag(database, ada.principal, (ada.space, reader))).version != found.version


async def test_of_one_space_they_are_what_that_space_has(database: Database, ada: Person):
    await lists.create(database, ada.principal, ada.space, name="Own")
    await tasks.create(database, ada.principal, ada.space, TaskDraft("Buy milk", tags=("home",)))

    alone = (ada.space,)
    assert (await collections.every_list(database, ada.principal, alone)).items == (
        await lists.every(database, ada.principal, ada.space)
    ).items
    assert (await collections.every_tag(database, ada.principal, alone)).items == (
        await tags.every(database, ada.principal, ada.space)
    ).items
