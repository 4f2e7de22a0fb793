"""v1: spaces, their members and invitations. ``personal`` stands for the id of the caller's own space."""

from dataclasses import asdict
from datetime import timedelta
from functools import partial

from fastapi import APIRouter
from starlette.responses import Response

from taskwell import tasks, users
from taskwell.api.accesses import name_of_space
from taskwell.api.answers import Made, Tagged
from taskwell.api.attempts import address_of
from taskwell.api.call import Call, RequestContext
from taskwell.api.client_address import address_group
from taskwell.api.conditional import IfMatch, etag
from taskwell.api.failures import raises
from taskwell.api.in_space import PERSONAL
from taskwell.api.operation import AccountOperation, Operation
from taskwell.api.replies import FRESH, json_response, told_once
from taskwell.api.v1.space_schemas import (
    InvitationBody,
    InvitationsOut,
    InvitationToken,
    MemberOut,
    MemberPatch,
    MembersOut,
    NewInvitationOut,
    SpaceBody,
    SpaceEnd,
    SpaceOut,
    SpacePatch,
    SpacesOut,
    invitation_json,
    space_json,
)
from taskwell.errors import (
    Conflict,
    EmailUnverified,
    LastOwner,
    LimitReached,
    LinkOver,
    MailNotConfigured,
    NotFound,
    NotInvited,
    NotOwner,
)
from taskwell.mail import links
from taskwell.spaces import invitations, members, queries, verbs
from taskwell.spaces.queries import Space
from taskwell.spaces.rules import no_such_member, no_such_space
from taskwell.tasks.fields import UUID
from taskwell.users.user import email_key

router = APIRouter(prefix="/spaces", tags=["spaces"], route_class=Operation)
people = APIRouter(prefix="/spaces/{space}", tags=["spaces"], route_class=AccountOperation)
accepting = APIRouter(prefix="/invitations", tags=["spaces"], route_class=AccountOperation)


@router.get("", summary="List your spaces, the personal one first", response_model=SpacesOut)
async def list_spaces(call: Call) -> Response:
    found = await queries.every(call.lane, call.user.user_id)
    return json_response({"items": [space_json(each) for each in found if call.user.may_see(each.id)]}, headers=FRESH)


@router.post(
    "", summary="Make a shared space", status_code=201, response_model=SpaceOut, responses=raises(LimitReached)
)
async def create_space(call: Call, body: SpaceBody) -> Made:
    time_zone = body.time_zone or call.own_space.time_zone
    made = await verbs.create(call.lane, call.user.user_id, name=body.name, time_zone=time_zone)
    call.shown.add(made.id)
    return Made(partial(space_json, made), etag(made.changed_revision), made.id)


@router.get("/{space}", summary="Get a space", response_model=SpaceOut, responses=raises(NotFound))
async def get_space(call: Call, space: str) -> Tagged:
    return _tagged(await queries.get(call.lane, call.user.user_id, _space_id(call, space)))


@router.patch(
    "/{space}",
    summary="Change a space's name or time zone",
    response_model=SpaceOut,
    responses=raises(NotFound, NotOwner),
)
async def change_space(call: Call, space: str, body: SpacePatch, if_match: IfMatch) -> Tagged:
    actor_id, space_id = call.user.user_id, _space_id(call, space)
    named = body.model_fields_set
    async with call.lane.transaction() as transaction:
        name = body.name if "name" in named else None
        found = await verbs.change(transaction, actor_id, space_id, name=name, if_match=if_match)
        if "time_zone" in named:
            await tasks.move_to_zone(transaction, call.user, found.accessed(), body.time_zone)
            found = await queries.get(transaction, actor_id, space_id)
    call.outdated |= {name_of_space(space_id), *([] if found.is_shared else [users.name_of_user(actor_id)])}
    return _tagged(found)


@router.delete(
    "/{space}",
    summary="Delete a shared space with everything in it",
    status_code=204,
    responses=raises(NotFound, NotOwner, Conflict),
)
async def delete_space(call: Call, space: str, body: SpaceEnd, if_match: IfMatch) -> Response:
    space_id = _space_id(call, space)
    await verbs.remove(call.lane, call.user.user_id, space_id, confirm=body.confirm, if_match=if_match)
    call.outdated.add(name_of_space(space_id))
    return Response(status_code=204)


@people.get("/members", summary="List the members", response_model=MembersOut, responses=raises(NotFound))
async def list_members(call: Call, space: str) -> Response:
    found = await queries.members(call.lane, call.user.user_id, _space_id(call, space))
    return json_response({"items": [asdict(each) for each in found]}, headers=FRESH)


@people.patch(
    "/members/{member}",
    summary="Give a member another role",
    response_model=MemberOut,
    responses=raises(NotFound, NotOwner, LastOwner),
)
async def change_member(call: Call, space: str, member: str, body: MemberPatch) -> Response:
    space_id = _space_id(call, space)
    changed = await members.change_role(call.lane, call.user.user_id, space_id, _member_id(call, member), body.role)
    call.outdated.add(name_of_space(space_id))
    return json_response(asdict(changed), headers=FRESH)


@people.delete(
    "/members/{member}",
    summary="Remove a member, or leave",
    status_code=204,
    responses=raises(NotFound, NotOwner, LastOwner),
)
async def remove_member(call: Call, space: str, member: str) -> Response:
    """An owner removes anybody; everybody may leave."""
    space_id = _space_id(call, space)
    await members.remove(call.lane, call.user.user_id, space_id, _member_id(call, member))
    call.outdated.add(name_of_space(space_id))
    return Response(status_code=204)


@people.get(
    "/invitations",
    summary="List the open invitations",
    response_model=InvitationsOut,
    responses=raises(NotFound, NotOwner),
)
async def list_invitations(call: Call, space: str) -> Response:
    found = await invitations.every(call.lane, call.user.user_id, _space_id(call, space))
    return json_response({"items": [invitation_json(each) for each in found]}, headers=FRESH)


@people.post(
    "/invitations",
    summary="Invite by link, or by mail",
    status_code=201,
    response_model=NewInvitationOut,
    responses=raises(NotFound, NotOwner, LimitReached, EmailUnverified, MailNotConfigured, Conflict),
)
async def create_invitation(call: Call, space: str, body: InvitationBody) -> Response:
    space_id = _space_id(call, space)
    if (await queries.get(call.lane, call.user.user_id, space_id)).role != "owner":
        raise NotOwner
    email = None
    if body.email is not None:
        if not call.settings.sends_mail:
            raise MailNotConfigured
        await users.require_confirmed(call.lane, call.user.user_id)
        email = (body.email, email_key(body.email))
    made, token = await invitations.create(
        call.lane,
        call.user.user_id,
        space_id,
        role=body.role,
        uses=body.max_uses,
        lifetime=timedelta(days=body.expires_in_days),
        email=email,
    )
    call.shown.add(space_id)
    shown = invitation_json(made) | {"token": token, "url": links.join(call.settings, token)}
    return told_once(shown, "token", "url", status=201)


@people.delete(
    "/invitations/{invitation_id}",
    summary="Withdraw an invitation",
    status_code=204,
    responses=raises(NotFound, NotOwner),
)
async def withdraw_invitation(call: Call, space: str, invitation_id: str) -> Response:
    await invitations.withdraw(call.lane, call.user.user_id, _space_id(call, space), invitation_id)
    return Response(status_code=204)


@accepting.post(
    "/accept",
    summary="Join a space with the token of an invitation",
    response_model=SpaceOut,
    responses=raises(LinkOver, NotInvited, LimitReached),
)
async def accept_invitation(call: Call, body: InvitationToken) -> Response:
    """Once a member, the same again is 200 and takes no use."""
    user = await users.get(call.lane, call.user)
    confirmed = email_key(user.email) if user.email is not None and user.email_verified else None
    async with call.services.limits.invitation(address_group(address_of(call))).under_way() as attempt:
        try:
            space = await invitations.accept(call.lane, call.user.user_id, body.token, email_key=confirmed)
        except LinkOver:
            await attempt.count()
            raise
    call.outdated.add(name_of_space(space.id))
    call.shown.add(space.id)
    return json_response(space_json(space), headers=FRESH)


def _tagged(space: Space) -> Tagged:
    return Tagged(partial(space_json, space), etag(space.changed_revision))


def _space_id(call: RequestContext, named: str) -> str:
    space_id = call.user.user_id if named == PERSONAL else named.lower()
    if not UUID.fullmatch(space_id) or not call.user.may_see(space_id):
        raise no_such_space()
    return space_id


def _member_id(call: RequestContext, named: str) -> str:
    """Whom a path names; the caller may go by the token's subject too."""
    if call.user.is_named(named):
        return call.user.user_id
    if not UUID.fullmatch(named):
        raise no_such_member()
    return named.lower()
