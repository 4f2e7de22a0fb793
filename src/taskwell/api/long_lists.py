"""Lists of the older contracts, which have no pages: one long answer, and a link to the rest."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from taskwell import tasks
from taskwell.api.answers import Answer
from taskwell.api.call import RequestContext
from taskwell.tasks import PageRequest, Projection

MAX_LIST = 10_000


@dataclass(slots=True)
class LongList(Answer):
    """A list with the headers that lead to the rest.

    Attributes:
        next_offset: The offset of the rest; None at the end.
        total: The number of all tasks; None if the list contains all.
    """

    gives: ClassVar[tuple[str, ...]] = ("Link", "X-Total-Count")
    next_offset: int | None = None
    total: int | None = None

    def headers(self, call: RequestContext) -> dict[str, str]:
        total = {} if self.total is None else {"X-Total-Count": str(self.total)}
        return total | call.link_to_next("offset", self.next_offset)


async def long_list(
    call: RequestContext, asked: PageRequest, projection: Projection[str], envelope: Callable[[str, int], bytes]
) -> LongList:
    """The tasks from the offset on.

    Args:
        envelope: Writes the body from the tasks (JSON joined by commas) and the total number.
    """
    asked = replace(asked, limit=min(asked.limit or MAX_LIST, MAX_LIST))
    found = await tasks.page(call.lane, call.user, call.space, asked, projection)
    end = asked.offset + found.number
    has_more = found.next_cursor is not None
    total = end
    if has_more or (asked.offset and not found.number):  # else the end of the page is the end of the list
        first = replace(asked, limit=1, offset=0, with_total=True)
        total = (await tasks.page(call.lane, call.user, call.space, first, projection)).total or 0
    return LongList(
        lambda: envelope(",".join(found.items), total),
        next_offset=end if has_more else None,
        total=total if found.number < total else None,
    )
