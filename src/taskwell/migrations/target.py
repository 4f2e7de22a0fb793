"""The schema as the models say it, for comparing and for new revisions."""

from taskwell.database import Base
from taskwell.delivery import tables as _delivery
from taskwell.tasks import tables as _tasks
from taskwell.users import event_tables as _events
from taskwell.users import tables as _users

METADATA = Base.metadata

__all__ = ["METADATA", "_delivery", "_events", "_tasks", "_users", "is_modelled"]


def is_modelled(_: object, name: str | None, *__: object) -> bool:
    """What makes search fast is made of SQL, not of a model: each database has its own."""
    return "search" not in (name or "")
