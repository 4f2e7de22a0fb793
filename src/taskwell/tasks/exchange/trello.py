"""Reads a Trello board as JSON: its cards, and the items of their checklists."""

from collections.abc import Iterator
from typing import Any

from taskwell.tasks.exchange import jsons
from taskwell.tasks.exchange.moments import due
from taskwell.tasks.exchange.reading import Reading, tag
from taskwell.tasks.exchange.record import Row

_READ = {"name", "desc", "due", "dueComplete", "closed", "idList", "labels", "id"}
_BOOKKEEPING = frozenset(
    {
        "idBoard",
        "idShort",
        "shortLink",
        "shortUrl",
        "url",
        "pos",
        "badges",
        "dateLastActivity",
        "idLabels",
        "idChecklists",
    }
    | {"checkItemStates", "cover", "nodeId", "isTemplate", "manualCoverAttachment", "cardRole", "subscribed", "email"}
    | {"idMembersVoted", "idAttachmentCover", "mirrorSourceId", "limits", "creationMethod", "dueReminder", "pinned"}
)
_OF_BOARDS = frozenset(
    {"id", "nodeId", "name", "url", "shortUrl", "shortLink", "lists", "cards", "checklists", "labels", "closed"}
    | {"dateLastActivity", "dateLastView", "prefs", "labelNames", "limits", "memberships", "idOrganization"}
    | {"idEnterprise", "idMemberCreator", "starred", "pinned", "subscribed", "dateClosed", "idBoardSource"}
    | {"idTags", "enterpriseOwned", "ixUpdate", "templateGallery", "premiumFeatures", "powerUps", "type"}
)


def recognises(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("cards"), list) and "lists" in document


def read(document: Any, reading: Reading) -> Iterator[Row]:
    jsons.tell_members(document, set(_OF_BOARDS), reading)
    lists = {each["id"]: each for each in jsons.objects(document.get("lists")) if isinstance(each.get("id"), str)}
    for key, found in lists.items():
        reading.add_list(key, {"name": found.get("name")})
    items: dict[Any, list[Any]] = {}
    for checklist in jsons.objects(document.get("checklists")):
        items.setdefault(str(checklist.get("idCard")), []).extend(jsons.objects(checklist.get("checkItems")))
    number = 0
    for card in document["cards"]:
        number += 1
        if not isinstance(card, dict):
            yield jsons.not_an_object(number)
            continue
        values = _card(card, lists.get(str(card.get("idList")), {}), reading)
        key = str(card.get("idList"))
        yield Row(number, values, name=f"id {card.get('id')}", list_key=key)
        for item in items.pop(str(card.get("id")), ()):
            number += 1
            yield _item(number, item, values, key, reading)
    for orphans in items.values():
        for item in orphans:
            number += 1
            yield _item(number, item, {}, "", reading)


def _card(card: dict[str, Any], found_list: dict[str, Any], reading: Reading) -> dict[str, Any]:
    for name in card.keys() - _READ - _BOOKKEEPING:
        if card[name] not in (None, "", [], {}, False):
            reading.left_out.add(name, card[name])
    is_archived = card.get("closed") is True or found_list.get("closed") is True
    if is_archived:
        reading.left_out.add("that a card is archived (the task is completed)", card.get("name"))
    labels = [each.get("name") or each.get("color") or "" for each in jsons.objects(card.get("labels"))]
    return {
        "id": f"trello:{card['id']}" if card.get("id") else None,
        "title": card.get("name"),
        "description": card.get("desc"),
        "completed": card.get("dueComplete") is True or is_archived,
        "list": found_list.get("name"),
        "tags": [tag(each) for each in labels if each],
        **_due(card.get("due"), reading),
    }


def _item(number: int, item: dict[str, Any], card: dict[str, Any], list_key: str, reading: Reading) -> Row:
    reading.left_out.add("that a checklist's item is part of a card", item.get("name"))
    values = {
        "id": f"trello:{item['id']}" if item.get("id") else None,
        "title": item.get("name"),
        "completed": item.get("state") == "complete" or card.get("completed", False),
        "list": card.get("list"),
        **_due(item.get("due"), reading),
    }
    return Row(number, values, name=f"id {item.get('id')}", list_key=list_key)


def _due(value: Any, reading: Reading) -> dict[str, Any]:
    return due(value, reading.zone) if isinstance(value, str) and value else {"due_date": value, "due_at": None}
