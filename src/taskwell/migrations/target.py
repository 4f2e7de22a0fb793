"""The schema of the models, for comparisons and for new revisions."""

from collections.abc import Callable

from sqlalchemy.schema import SchemaItem

from taskwell.database import Base
from taskwell.delivery import tables as _delivery
from taskwell.spaces import tables as _spaces
from taskwell.tasks import tables as _tasks
from taskwell.users import event_tables as _events
from taskwell.users import tables as _users

METADATA = Base.metadata

__all__ = ["METADATA", "_delivery", "_events", "_spaces", "_tasks", "_users", "modelled"]


def modelled(dialect: str) -> Callable[..., bool]:
    """What to compare: not the search, which is plain SQL, and not the indexes of the other database."""

    def is_modelled(item: SchemaItem, name: str | None, *_: object) -> bool:
        return "search" not in (name or "") and item.info.get("dialect", dialect) == dialect

    return is_modelled
