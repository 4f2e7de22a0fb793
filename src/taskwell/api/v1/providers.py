"""v1: signing in by an OpenID Connect provider or GitHub, and linking them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Query
from starlette.responses import Response

from taskwell.api.accounts import SessionOut, private_response, signed_in_session, user_json
from taskwell.api.attempts import address_of, group_of, note
from taskwell.api.call import Call, RequestContext
from taskwell.api.client_address import address_group
from taskwell.api.failures import raises
from taskwell.api.operation import AccountOperation, LenientPublicOperation, PublicOperation
from taskwell.api.replies import PRIVATE, told_once
from taskwell.api.v1.provider_schemas import (
    Authorization,
    CodeExchange,
    LinkOut,
    LinkRequest,
    ProviderAnswer,
    ProvidersOut,
)
from taskwell.database import retry_deadlocks
from taskwell.errors import (
    AppError,
    EmailUnverified,
    Forbidden,
    Invalid,
    LinkOver,
    Location,
    NotFound,
    SignInUnconfirmed,
    Unauthorized,
)
from taskwell.mail.links import own_url
from taskwell.observability import logs
from taskwell.provider_errors import AccessDenied, IdentityTaken, InvalidState, LastWayIn, ProviderRefused
from taskwell.security.bearer import bearer_token
from taskwell.security.claims import ProviderIdentity
from taskwell.security.sign_in_state import STATE_SECONDS, SignInState, challenge_of
from taskwell.settings import Settings
from taskwell.users import links
from taskwell.users import providers as verbs
from taskwell.users.errors import TotpRequired
from taskwell.users.principal import Principal
from taskwell.web_addresses import as_return_address

if TYPE_CHECKING:
    from taskwell.security.providers import Provider, Providers

COOKIE = "taskwell_sign_in"

router = APIRouter(prefix="/auth", tags=["auth"], route_class=AccountOperation)


@router.get("/links", summary="The providers that you sign in with", response_model=ProvidersOut)
async def list_links(call: Call) -> Response:
    linked = await links.linked_issuers(call.lane, call.user)
    return _listed([each for each in call.services.providers or () if each.issuer in linked])


async def list_providers(call: Call) -> Response:
    return _listed(list(call.services.providers or ()))


async def authorize(call: Call, provider: str, query: Annotated[Authorization, Query()]) -> Response:
    """Sends the browser to the provider; it comes back to `redirect_to` with `?code=` or `?error=`."""
    providers, chosen = _provider(call, provider)
    redirect_to = _return_address(call.settings, query.redirect_to, location="query")
    try:
        user_id = None if query.link is None else await links.begin_link(call.lane, query.link, chosen.name)
        state, cookie = SignInState.begin(
            chosen.name, redirect_to=redirect_to, challenge=query.code_challenge, user_id=user_id
        )
        callback = _address(call.settings, chosen.name, "callback")
        url = await chosen.authorization_url(
            redirect_uri=callback,
            state=providers.sealed(state),
            nonce=state.nonce,
            challenge=challenge_of(state.verifier),
        )
    except AppError as error:
        return _back(redirect_to, error=error.code)
    secure = "; Secure" if callback.startswith("https:") else ""
    attributes = f"Max-Age={STATE_SECONDS}; Path={urlsplit(callback).path}; HttpOnly; SameSite=Lax{secure}"
    return _redirected(url, {"Set-Cookie": f"{COOKIE}={cookie}; {attributes}"})


async def callback(call: Call, provider: str, query: Annotated[ProviderAnswer, Query()]) -> Response:
    """Where the provider sends the browser back to."""
    providers, chosen = _provider(call, provider)
    state = providers.opened(query.state)
    if state.provider != chosen.name:
        raise InvalidState
    try:
        code = await _code(call, chosen, state, query)
    except AppError as error:
        if error.status >= 500:
            logs.write_unserved(error)
        if isinstance(error, ProviderRefused):
            note(call, "provider_refused")
        return _back(state.redirect_to, error=error.code)
    return _back(state.redirect_to, code=code)


async def _code(call: RequestContext, chosen: "Provider", state: SignInState, answer: ProviderAnswer) -> str:
    """What the front end exchanges, once the provider has proved who it is."""
    if not any(state.began_with(cookie) for cookie in _cookies(call)):
        raise InvalidState
    if answer.error or not answer.code:
        raise AccessDenied if answer.error == "access_denied" else ProviderRefused
    identity = await chosen.identity(
        code=answer.code,
        issuer=answer.iss,
        redirect_uri=_address(call.settings, chosen.name, "callback"),
        nonce=state.nonce,
        verifier=state.verifier,
    )
    if state.user_id is not None:
        return await links.hand_over_link(call.lane, state.user_id, identity, challenge=state.challenge)
    # The provider takes its code once, so only what follows is tried again where other writes are in the way.
    arrival = await retry_deadlocks(lambda: _arrived(call, chosen, state, identity))
    if arrival.outcome != "known":
        note(call, "sign_up" if arrival.outcome == "opened" else "provider_linked", user_id=arrival.user_id)
    return arrival.code


async def _arrived(
    call: RequestContext, chosen: "Provider", state: SignInState, identity: ProviderIdentity
) -> verbs.Arrival:
    async def arrive() -> verbs.Arrival:
        return await verbs.arrive(
            call.lane,
            identity,
            is_trusted=chosen.trusted,
            challenge=state.challenge,
            sends_link=call.settings.sends_mail,
        )

    if await verbs.is_known(call.lane, identity):
        return await arrive()
    # Counted like a sign-up: it opens an account, or tells that an e-mail is taken.
    async with call.services.limits.sign_up(address_group(address_of(call))).under_way() as attempt:
        await attempt.count()
        return await arrive()


async def exchange(call: Call, body: CodeExchange) -> Response:
    """A code is good once, for a minute. One that links a provider needs the token of the user who asked for that."""
    caller = await _caller(call)
    found = await verbs.exchange(
        call.lane, code=body.code, verifier=body.code_verifier, caller=caller, group=group_of(call)
    )
    if found.signed_in is not None:
        return private_response(await signed_in_session(call, found.signed_in))
    assert caller is not None, "a link needs one"
    note(call, "provider_linked", user_id=caller.user_id)
    return private_response(
        {
            "user": user_json(found.user, found.user.id),
            "access_token": bearer_token(call.headers(b"authorization")).decode("latin-1"),
            "token_type": "bearer",
            "expires_at": caller.expires_at,
        }
    )


@router.post(
    "/{provider}/link",
    summary="Begin to link a provider",
    response_model=LinkOut,
    responses=raises(NotFound, Forbidden, EmailUnverified),
)
async def link_provider(
    call: Call, provider: str, query: Annotated[LinkRequest, Query()], body: LinkRequest | None = None
) -> Response:
    """The link takes effect when your own token exchanges the code that comes back."""
    _, chosen = _provider(call, provider)
    given = (body or query).model_dump(exclude_none=True)
    if "redirect_to" in given:
        location: Location = "query" if body is None else "body"
        given["redirect_to"] = _return_address(call.settings, given["redirect_to"], location=location)
    given["link"] = await links.ask_for_link(call.lane, call.user, chosen.name)
    note(call, "provider_link_asked", user_id=call.user.user_id)
    url = f"{_address(call.settings, chosen.name, 'authorize')}?{urlencode(given)}"
    return told_once({"authorize_url": url}, "authorize_url")


@router.delete(
    "/{provider}/link",
    summary="Unlink a provider",
    status_code=204,
    responses=raises(NotFound, LastWayIn),
)
async def unlink_provider(call: Call, provider: str) -> Response:
    providers, chosen = _provider(call, provider)
    await links.unlink(call.lane, call.user, chosen.issuer, ways_in={each.issuer for each in providers})
    note(call, "provider_unlinked", user_id=call.user.user_id)
    return Response(status_code=204, headers=PRIVATE)


def _provider(call: RequestContext, name: str) -> tuple["Providers", "Provider"]:
    if call.services.providers is None:
        raise NotFound("There is no such provider.")
    return call.services.providers, call.services.providers.find(name)


def _address(settings: Settings, provider: str, what: str) -> str:
    return f"{own_url(settings)}/api/v1/auth/{provider}/{what}"


def _return_address(settings: Settings, text: str, *, location: Location) -> str:
    """Raises:
    Invalid: it is none, or leads to somebody else.
    """
    try:
        address, origin = as_return_address(text)
    except ValueError:
        address = origin = ""
    own = [as_return_address(url)[1] for url in (settings.frontend_url, own_url(settings)) if url is not None]
    if not origin or origin not in {*settings.allowed_origins, *own}:
        sentence = "It must lead to an origin of ALLOWED_ORIGINS, to FRONTEND_URL or to PUBLIC_URL."
        raise Invalid.field("redirect_to", sentence, "foreign_address", location=location)
    return address


async def _caller(call: RequestContext) -> Principal | None:
    """Who sends the request, if a good token says so; a sign-in needs none, and does not mind an old one."""
    try:
        return (await call.services.identities.identify(call.headers(b"authorization"))).actor
    except Unauthorized:
        return None


def _cookies(call: RequestContext) -> Iterator[str]:
    for header in call.headers(b"cookie"):
        for pair in header.decode("latin-1").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == COOKIE:
                yield value


def _back(redirect_to: str, **answer: str) -> Response:
    return _redirected(f"{redirect_to}{'&' if '?' in redirect_to else '?'}{urlencode(answer)}", {})


def _redirected(url: str, headers: dict[str, str]) -> Response:
    return Response(status_code=302, headers=PRIVATE | {"Location": url} | headers)


def _listed(found: "Sequence[Provider]") -> Response:
    return private_response({"items": [{"name": each.name, "title": each.title} for each in found]})


_LOCATION = {"Location": {"schema": {"type": "string", "format": "uri"}}}


def _redirecting(where: str, *kinds: type[AppError]) -> dict[str, Any]:
    answer = {302: {"description": where, "headers": _LOCATION}}
    return {"status_code": 302, "response_class": Response, "responses": answer | raises(*kinds)}


for path, method, endpoint, kind, options in (
    (
        "/providers",
        "GET",
        list_providers,
        PublicOperation,
        {"summary": "Who else signs people in", "response_model": ProvidersOut},
    ),
    (
        "/{provider}/authorize",
        "GET",
        authorize,
        PublicOperation,
        {"summary": "Sign in by a provider"} | _redirecting("To the provider.", NotFound),
    ),
    (
        "/{provider}/callback",
        "GET",
        callback,
        LenientPublicOperation,
        {"summary": "Come back from a provider"} | _redirecting("To the front end.", NotFound, InvalidState),
    ),
    (
        "/exchange",
        "POST",
        exchange,
        PublicOperation,
        {
            "summary": "Exchange the code of a provider's sign-in",
            "response_model": SessionOut,
            "responses": raises(LinkOver, TotpRequired, Forbidden, IdentityTaken, SignInUnconfirmed),
        },
    ),
):
    router.add_api_route(path, endpoint, methods=[method], route_class_override=kind, **options)
