"""GitHub, which speaks OAuth 2 only: who somebody is, its API says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from taskwell.security.claims import ProviderIdentity
from taskwell.security.issuer_client import IssuerClient
from taskwell.security.openid import Refused, json_object, refusing, text_of

SCOPE = "read:user user:email"


@dataclass(frozen=True, slots=True)
class GitHubAddresses:
    site: str = "https://github.com"
    api: str = "https://api.github.com"


class GitHub:
    """The user's number is the subject, since a login can be given up and taken by another."""

    name = "github"
    title = "GitHub"
    issuer = "https://github.com"
    trusted = False

    def __init__(
        self, client_id: str, secret: str, client: IssuerClient, addresses: GitHubAddresses | None = None
    ) -> None:
        self._client_id = client_id
        self._secret = secret
        self._client = client
        self._at = addresses or GitHubAddresses()

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        parameters = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._at.site}/login/oauth/authorize?{urlencode(parameters)}"

    async def identity(
        self,
        *,
        code: str,
        issuer: str | None,
        redirect_uri: str,
        nonce: str,
        verifier: str,
    ) -> ProviderIdentity:
        form = {
            "client_id": self._client_id,
            "client_secret": self._secret,
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        with refusing(self.name):
            url = f"{self._at.site}/login/oauth/access_token"
            token = text_of(json_object(*await self._client.post(url, form, {})), "access_token")
            user, emails = await self._ask("/user", token), await self._ask("/user/emails?per_page=100", token)
            if not isinstance(user, dict) or type(user.get("id")) is not int or not isinstance(emails, list):
                raise Refused("its API does not say who it is")
            email = _primary(emails)
            name = user.get("name") or user.get("login")
            return ProviderIdentity(
                self.issuer,
                str(user["id"]),
                email["email"] if email else None,
                bool(email) and email.get("verified") is True,
                name if isinstance(name, str) else None,
            )

    async def _ask(self, path: str, token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"}
        return orjson.loads(await self._client.fetch(f"{self._at.api}{path}", headers))


def _primary(emails: Sequence[Any]) -> dict[str, Any]:
    found = [each for each in emails if isinstance(each, dict) and each.get("primary") is True]
    return next((each for each in found if isinstance(each.get("email"), str)), {})
