"""Lists of the older contracts, which know no pages: as many tasks as one answer may hold, and where the rest is."""

from dataclasses import dataclass, replace

from taskwell import tasks
from taskwell.api.call import RequestContext
from taskwell.api.replies import FRESH
from taskwell.tasks import PageRequest, Projection

MAX_LIST = 10_000


@dataclass(frozen=True, slots=True)
class LongList:
    """Attributes:
    items: The tasks as JSON, joined by commas.
    total: How many there are in all.
    """

    items: str
    total: int
    headers: dict[str, str]


async def long_list(call: RequestContext, asked: PageRequest, projection: Projection[str]) -> LongList:
    """The tasks from the offset on; where that is not all of them, the headers tell."""
    asked = replace(asked, limit=min(asked.limit or MAX_LIST, MAX_LIST))
    found = await tasks.page(call.lane, call.user, call.space, asked, projection)
    end = asked.offset + found.number
    has_more = found.next_cursor is not None
    total = end
    if has_more or (asked.offset and not found.number):  # else the end of the page is the end of the list
        first = replace(asked, limit=1, offset=0, with_total=True)
        total = (await tasks.page(call.lane, call.user, call.space, first, projection)).total or 0
    headers = dict(FRESH)
    if found.number < total:
        headers["X-Total-Count"] = str(total)
    if has_more:
        headers["Link"] = f'<{call.address_with("offset", str(end))}>; rel="next"'
    return LongList(",".join(found.items), total, headers)
