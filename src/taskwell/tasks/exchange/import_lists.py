"""The lists of an import: those that the space has, and new ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from taskwell.database import new_id
from taskwell.errors import Invalid
from taskwell.tasks.exchange.record import ListRecord
from taskwell.tasks.list_queries import MAX_POSITION

MAX_NEW_LISTS = 1000


@dataclass(frozen=True, slots=True)
class NewList:
    id: str
    name: str
    color: str | None
    position: int

    def row(self, now: datetime) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "color": self.color,
            "position": self.position,
            "created_at": now,
            "updated_at": now,
        }


class Lists:
    """Finds or creates the list for each task of a file."""

    def __init__(
        self, stored: Iterable[tuple[str, str, int]], named: Iterable[ListRecord], list_id: str | None
    ) -> None:
        """Begins with the space's lists.

        Args:
            stored: Id, name and position of the space's lists.
            named: The lists that the file itself contains; each is stored, even without tasks.
            list_id: The one list that takes all tasks instead.

        Raises:
            Invalid: the space has no such list.
        """
        stored = list(stored)
        self.new: list[NewList] = []
        self.takes_all = list_id is not None
        self._list_id = list_id
        self._last = max((position for _, _, position in stored), default=0)
        self._ids = {id_ for id_, _, _ in stored}
        self._by_name: dict[str, str] = {}
        self._by_key: dict[str, str] = {}
        for id_, name, _ in stored:
            self._by_name.setdefault(name, id_)
        if list_id is not None and list_id not in self._ids:
            raise Invalid.field("list", "There is no such list.", "unknown_list", location="query")
        if list_id is None:
            self._place_named(list(named))

    def _place_named(self, records: list[ListRecord]) -> None:
        """Matches a list of the file by id, then by name; otherwise creates it."""
        self._by_key = {each.key: each.id for each in records if each.id is not None and each.id in self._ids}
        taken = set(self._by_key.values())
        for each in records:
            if each.key in self._by_key:
                continue
            id_ = self._by_name.get(each.name)
            if id_ is None or id_ in taken:
                id_ = self._add(each)
            taken.add(id_)
            self._by_key[each.key] = id_

    def place(self, wanted: Iterable[tuple[str | None, str | None]]) -> None:
        """Creates the missing lists that tasks name by key or by name.

        Raises:
            Invalid: there are too many new lists.
        """
        for key, name in () if self.takes_all else wanted:
            if name is not None and key not in self._by_key and name not in self._by_name:
                self._add(ListRecord(key=name, name=name))
        if len(self.new) > MAX_NEW_LISTS:
            raise Invalid.field("rows", f"A file may bring {MAX_NEW_LISTS} new lists; split it.", "too_many_lists")

    def _add(self, record: ListRecord) -> str:
        position = min(self._last + 1, MAX_POSITION) if record.position is None else record.position
        self._last = max(self._last, position)
        id_ = record.id if record.id is not None and record.id not in self._ids else new_id()
        made = NewList(id_, record.name, record.color, position)
        self._ids.add(id_)
        self.new.append(made)
        self._by_name.setdefault(made.name, made.id)
        return made.id

    def id_of(self, key: str | None, name: str | None) -> str | None:
        if self.takes_all or name is None:
            return self._list_id
        return self._by_key[key] if key in self._by_key else self._by_name[name]
