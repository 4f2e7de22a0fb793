"""The schema as the models say it, for comparing and for new revisions."""

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
    """What to compare: what makes search fast is made of SQL, and some indexes are of the other database alone."""

    def is_modelled(item: SchemaItem, name: str | None, *_: object) -> bool:
        return "search" not in (name or "") and item.info.get("dialect", dialect) == dialect

    return is_modelled
