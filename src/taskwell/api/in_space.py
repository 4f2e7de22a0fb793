"""Operations on the things of a space, which the query names: ``?space=``; without it the caller's own is meant."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from taskwell.api.accesses import name_of_space
from taskwell.api.call import RequestContext
from taskwell.api.operation import Endpoint, Operation
from taskwell.database.lanes import InTheWay
from taskwell.errors import AppError, NotFound, ReadOnly
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import AccessChanged
from taskwell.spaces.rules import no_such_space
from taskwell.tasks.fields import UUID

PERSONAL, ALL = "personal", "all"


def _one(space: str) -> str:
    if space == ALL:
        raise PydanticCustomError("one_space", "This operation takes one space")
    return space


_OneSpace = Annotated[
    str | None,
    AfterValidator(lambda space: None if space is None else _one(space)),
    Field(description="A space; yours without it."),
]


Spaces = Annotated[
    list[str],
    Field(max_length=100, description="Any number of spaces, or 'all' that you are in; your own without it."),
]


class SpacesQuery(BaseModel):
    """What an operation takes that shows several spaces at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    space: Spaces = []


async def space_of(call: RequestContext, space_id: str) -> SpaceAccess:
    """A space as the caller may use it, by its id or ``personal``.

    Raises:
        NotFound: it is not one of theirs.
    """
    own = call.own_space
    space_id = own.id if space_id == PERSONAL else space_id.lower()
    if not UUID.fullmatch(space_id) or not call.user.may_see(space_id):
        raise no_such_space()
    return own if space_id == own.id else await call.services.identities.accesses.of(own.id, space_id)


async def space_to_write(call: RequestContext, space_id: str) -> SpaceAccess:
    """A space that the caller may write to. Before a role refuses it, the database is asked.

    Raises:
        NotFound: it is not one of theirs.
        ReadOnly: they may only read it.
    """
    access = await space_of(call, space_id)
    if access.role == "reader":
        access = await call.services.identities.accesses.read(call.user.user_id, access.id)
    if access.role == "reader":
        raise ReadOnly
    if access.id != call.own_space.id:
        call.shown.add(access.id)
    return access


class SpaceOperation(Operation):
    """An operation on the things of one space, or of several where its query is a ``SpacesQuery``."""

    is_for_readers = False
    """Whether a reader may do it although it writes."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        name, model = self.signature.query
        if "space" not in model.model_fields:
            fields: Any = {"space": (_OneSpace, None)}
            self.signature.query = (name, create_model(model.__name__, __base__=model, **fields))

    async def _answer_once(self, call: RequestContext) -> Response:
        try:
            return await super()._answer_once(call)
        except AccessChanged:
            call.services.identities.forget({name_of_space(each) for each in call.shown})
            raise InTheWay from None  # so that the role is read again

    async def _enter(self, call: RequestContext, query: Any) -> AppError | None:
        """Finds the spaces; gives why the caller may not, which is said after what is wrong with the request."""
        named: str | list[str] | None = query.space
        if named is None or named == []:
            return None if call.spaces else no_such_space()
        call.named_space = named if isinstance(named, str) else None
        try:
            call.spaces = await self._found(call, [named] if isinstance(named, str) else named)
        except (NotFound, ReadOnly) as error:
            return error
        call.shown |= {each.id for each in call.spaces if each.id != call.user.user_id}
        return None

    async def _found(self, call: RequestContext, named: list[str]) -> tuple[SpaceAccess, ...]:
        own = call.own_space.id
        ids = {own if each == PERSONAL else each.lower() for each in named}
        if len(ids) == 1 and ALL not in named:
            return (await self._access(call, named[0]),)
        found = await call.services.identities.accesses.every(own)
        theirs = {each.id: each for each in found if call.user.may_see(each.id)}
        if ALL in named:
            return tuple(theirs.values())
        if not ids <= theirs.keys():
            raise no_such_space()
        return tuple(theirs[each] for each in sorted(ids))

    async def _access(self, call: RequestContext, space_id: str) -> SpaceAccess:
        is_write = self.needs_scope == "write" and not self.is_for_readers
        return await (space_to_write if is_write else space_of)(call, space_id)
