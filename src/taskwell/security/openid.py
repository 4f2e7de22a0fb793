"""A provider of OpenID Connect: found by discovery, believed where its ID token is good."""

import asyncio
import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt
import orjson
import structlog

from taskwell.errors import Unavailable
from taskwell.provider_errors import ProviderRefused, ProviderUnavailable
from taskwell.provider_settings import OpenIdSettings
from taskwell.security.claims import ExternalClaims, ProviderIdentity
from taskwell.security.external import PublishedKeyVerifier
from taskwell.security.issuer_client import IssuerClient
from taskwell.security.jwks import PublishedKeys
from taskwell.security.unverified import UnverifiedToken, read_unverified

log = structlog.get_logger("taskwell.security")

METADATA_SECONDS = 3600.0
SCOPE = "openid email profile"


class Refused(Exception):
    """Why what a provider sent proves nothing; for the log, since whoever signs in cannot change it."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider publishes of itself (OpenID Connect Discovery)."""

    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None
    jwks_uri: str
    says_issuer: bool
    """Whether each of its answers names it (RFC 9207)."""


class OpenIdProvider:
    """One provider. What it publishes is kept for an hour, and longer while it is down."""

    def __init__(
        self, settings: OpenIdSettings, client: IssuerClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = settings.name
        self.title = settings.title or settings.name.capitalize()
        self.issuer = settings.issuer
        self.trusted = settings.trusted
        self._client_id = settings.client_id
        self._secret = settings.client_secret.get_secret_value()
        self._client = client
        self._clock = clock
        self._metadata: Metadata | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._verifier: tuple[str, PublishedKeyVerifier] | None = None

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        endpoint = (await self._known()).authorization_endpoint
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"

    async def identity(
        self, *, code: str, issuer: str | None, redirect_uri: str, nonce: str, verifier: str
    ) -> ProviderIdentity:
        metadata = await self._known()
        with refusing(self.name):
            if issuer != self.issuer and (issuer is not None or metadata.says_issuer):
                raise Refused("iss in its answer is not the issuer")
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": verifier,
            }
            answer = json_object(*await self._client.post(metadata.token_endpoint, form, self._basic()))
            token = read_unverified(text_of(answer, "id_token"))
            claims = await self._verified(metadata, token, nonce)
            said = token.claims
            if "email" not in said and metadata.userinfo_endpoint is not None:
                said = await self._userinfo(metadata.userinfo_endpoint, text_of(answer, "access_token"), claims)
            return ProviderIdentity(
                claims.issuer,
                claims.subject,
                said["email"] if isinstance(said.get("email"), str) else None,
                said.get("email_verified") is True,
                said["name"] if isinstance(said.get("name"), str) else claims.name,
            )

    def _basic(self) -> Mapping[str, str]:
        """RFC 6749 section 2.3.1: both parts are encoded as in a form first."""
        pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    async def _verified(self, metadata: Metadata, token: UnverifiedToken, nonce: str) -> ExternalClaims:
        """OpenID Connect Core, section 3.1.3.7."""
        if self._verifier is None or self._verifier[0] != metadata.jwks_uri:
            keys = PublishedKeys(metadata.jwks_uri, client=self._client)
            verifier = PublishedKeyVerifier(keys, issuer=self.issuer, audience=self._client_id)
            self._verifier = (metadata.jwks_uri, verifier)
        claims = await self._verifier[1].verify(token)
        if claims.issued_at is None:
            raise Refused("iat is missing")
        if token.claims.get("nonce") != nonce:
            raise Refused("the nonce is another")
        audience, party = token.claims["aud"], token.claims.get("azp")
        if party != self._client_id and (party is not None or (isinstance(audience, list) and len(audience) > 1)):
            raise Refused("the token was issued to another client")
        return claims

    async def _userinfo(self, url: str, access_token: str, claims: ExternalClaims) -> dict[str, Any]:
        said = json_object(200, await self._client.fetch(url, {"Authorization": f"Bearer {access_token}"}))
        if said.get("sub") != claims.subject:
            raise Refused("the userinfo is about somebody else")
        return said

    async def _known(self) -> Metadata:
        if self._metadata is None or self._clock() - self._read_at > METADATA_SECONDS:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            if self._metadata is None:
                await asyncio.shield(self._reading)
        if self._metadata is None:
            raise ProviderUnavailable
        return self._metadata

    async def _read(self) -> None:
        try:
            self._metadata = await self.discover()
            self._read_at = self._clock()
        except Exception as error:  # noqa: BLE001  # whatever it was, what is known stays
            log.warning("provider not discovered", provider=self.name, error=reason_of(error))
        finally:
            self._reading = None

    async def discover(self) -> Metadata:
        """What the provider publishes now.

        Raises:
            ValueError: it is not what a provider publishes, or of another issuer.
            httpx2.HTTPError: nobody answers.
            TimeoutError: the answer takes too long.
        """
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = orjson.loads(await self._client.fetch(url))
        if not isinstance(found, dict):
            raise ValueError("its discovery document is no JSON object")  # noqa: TRY004  # it is the text that is wrong
        if found.get("issuer") != self.issuer:
            raise ValueError(f"it calls itself {str(found.get('issuer'))[:100]!r}, not {self.issuer!r}")
        return Metadata(
            self._endpoint(found, "authorization_endpoint"),
            self._endpoint(found, "token_endpoint"),
            self._endpoint(found, "userinfo_endpoint") if "userinfo_endpoint" in found else None,
            self._endpoint(found, "jwks_uri"),
            found.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, found: Mapping[str, Any], name: str) -> str:
        url = found.get(name)
        schemes = {"https", urlsplit(self.issuer).scheme}
        if not isinstance(url, str) or urlsplit(url).scheme not in schemes or not urlsplit(url).hostname:
            raise ValueError(f"its {name} is no address that can be used")
        return url


@contextmanager
def refusing(provider: str) -> Iterator[None]:
    """Writes into the log why a provider's answer is refused, or cannot be had, and tells the caller that it is."""
    try:
        yield
    except (ProviderUnavailable, ProviderRefused):
        raise
    except (Refused, jwt.PyJWTError, UnicodeEncodeError) as error:
        log.warning("provider refused", provider=provider, error=reason_of(error))
        raise ProviderRefused from None
    except Exception as error:
        if not isinstance(error, (ValueError, TimeoutError, OSError, Unavailable)) and not is_of_http(error):
            raise
        log.warning("provider not reached", provider=provider, error=reason_of(error))
        raise ProviderUnavailable from None


def json_object(status: int, content: bytes) -> dict[str, Any]:
    """The answer of a token endpoint.

    Raises:
        Refused: it refuses the code.
        ValueError: it is broken.
    """
    if status >= 500:
        raise ValueError(f"the answer is {status}")
    answer = orjson.loads(content)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004  # it is the text that is wrong
    if status != 200 or "error" in answer:
        raise Refused(f"{status}, {str(answer.get('error'))[:60]}")
    return answer


def text_of(answer: Mapping[str, Any], name: str) -> str:
    text = answer.get(name)
    if not isinstance(text, str):
        raise Refused(f"there is no {name}")
    return text


def is_of_http(error: Exception) -> bool:
    import httpx2  # noqa: PLC0415  # it has been imported by then, if it is one of its errors

    return isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL))


def reason_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".encode(errors="replace").decode()[:200]
