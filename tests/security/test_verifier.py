"""Each issuer's tokens are judged by that issuer's own keys and algorithms, whatever a token says of itself."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from taskwell.database import now
from taskwell.security import tokens
from taskwell.security.claims import ExternalClaims, TokenClaims
from taskwell.security.external import origin_of
from taskwell.security.verifier import Verifier
from tests.conftest import SECRET
from tests.security.conftest import refused, settings_with
from tests.support.issuer import KEYS, SHARED, SUBJECT, Issuer, shared_secret_token

OURS = "01938d1b-1111-7222-8333-444455556666"
PREVIOUS = "before-the-rotation-0123456789-abcdefghijkl"


def own_token(key: str = SECRET, **changes: object) -> str:
    claims = jwt.decode(
        tokens.issue(OURS, key=key, algorithm="HS256", now=now(), lifetime=timedelta(days=1)).text,
        options={"verify_signature": False},
    )
    return jwt.encode({k: v for k, v in (claims | changes).items() if v is not None}, key, algorithm="HS256")


async def test_our_own_token_is_good(verifier: Verifier):
    claims = await verifier.verify(own_token())

    assert isinstance(claims, TokenClaims)
    assert claims.subject == OURS


async def test_the_previous_key_verifies_and_does_not_sign():
    verifier = Verifier(settings_with(secret_key_previous=PREVIOUS))

    assert await verifier.verify(own_token(PREVIOUS)) is not None
    assert await verifier.verify(own_token()) is not None
    await refused(Verifier(settings_with()), own_token(PREVIOUS))
    assert settings_with(secret_key_previous=PREVIOUS).signing_key == SECRET


@pytest.mark.parametrize("algorithm", sorted(KEYS))
async def test_better_auths_token_is_good_in_each_of_its_algorithms(verifier: Verifier, issuer: Issuer, algorithm):
    claims = await verifier.verify(issuer.token(algorithm))

    assert isinstance(claims, ExternalClaims)
    assert (claims.issuer, claims.subject, claims.email, claims.name) == (
        issuer.url,
        SUBJECT,
        "grace@example.com",
        "Grace Hopper",
    )


async def test_an_e_mail_and_a_name_need_not_be_there(verifier: Verifier, issuer: Issuer):
    for email, name in ((None, None), (7, ["x"]), ("", "")):
        claims = await verifier.verify(issuer.token(email=email, name=name))

        assert isinstance(claims, ExternalClaims)
        assert not claims.email
        assert not claims.name


async def test_an_audience_may_be_one_of_several(verifier: Verifier, issuer: Issuer):
    assert await verifier.verify(issuer.token(aud=["https://other.example", issuer.url])) is not None


async def test_issuer_and_audience_are_what_the_settings_say(issuer: Issuer):
    verifier = Verifier(
        settings_with(
            better_auth_url=f"{issuer.url}/api/auth/",
            better_auth_issuer="https://app.example",
            better_auth_audience="api",
        )
    )

    claims = await verifier.verify(issuer.token(iss="https://app.example", aud="api"))
    assert isinstance(claims, ExternalClaims)
    assert claims.issuer == "https://app.example"
    await refused(verifier, issuer.token())
    await refused(verifier, issuer.token(iss="https://app.example"))


async def test_a_token_is_named_by_its_jti_or_by_itself(verifier: Verifier, issuer: Issuer):
    first, twin = issuer.token(jti="one"), issuer.token(jti="one", exp=int(time.time()) + 60)
    nameless, other = issuer.token(), issuer.token(exp=int(time.time()) + 60)
    elses = issuer.token(jti="one", sub="somebody-else")

    claims = [await verifier.verify(token) for token in (first, twin, nameless, other, elses)]
    names = [each.token_id for each in claims]

    assert names[0] == names[1]
    assert len(set(names)) == 4


PEM = KEYS["RS256"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed_by_hand(header: object, claims: object, key: bytes = PEM) -> str:
    """A token that no library would make."""
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


HOSTILE_CLAIMS: dict[str, dict[str, Any]] = {
    "an issuer that is not ours": {"iss": "https://evil.example"},
    "the issuer in another case": {"iss": "HTTP://127.0.0.1"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "https://evil.example"},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "no subject": {"sub": None},
    "a number as subject": {"sub": 7},
    "an object as subject": {"sub": {"$ne": ""}},
    "an empty subject": {"sub": ""},
    "a subject of 256 characters": {"sub": "x" * 256},
    "NUL in the subject": {"sub": "a\x00b"},
    "no expiry": {"exp": None},
    "an expiry in the past": {"exp": 1_600_000_000},
    "an expiry a moment ago": {"exp": int(time.time()) - 1},
    "an expiry that is no number": {"exp": "tomorrow"},
    "an expiry in a string": {"exp": "4000000000"},
    "an expiry beyond time": {"exp": 10**18},
    "a start in the future": {"nbf": 4_000_000_000},
    "a start that is no number": {"nbf": [1]},
    "a start in a string": {"nbf": "1600000000"},
    "an issue in the future": {"iat": 4_000_000_000},
    "an issue in a string": {"iat": "1600000000"},
    "an issue that is true": {"iat": True},
    "a jti that is no string": {"jti": 5},
    "half a character": {"name": "\ud800"},
}


@pytest.mark.parametrize("what", HOSTILE_CLAIMS)
async def test_a_well_signed_token_with_wrong_claims_is_refused(verifier: Verifier, issuer: Issuer, what: str):
    await refused(verifier, issuer.token(**HOSTILE_CLAIMS[what]))


@pytest.mark.parametrize(
    "what",
    [w for w in HOSTILE_CLAIMS if w not in ("no issuer", "no audience", "an empty audience", "a number as subject")],
)
async def test_so_it_is_with_the_shared_secret(verifier: Verifier, issuer: Issuer, what: str):
    claims = issuer.claims(**HOSTILE_CLAIMS[what]) | ({"id": None} if what == "no subject" else {})

    token = shared_secret_token(SHARED, **({"exp": None} | claims))

    await refused(verifier, token)


@pytest.mark.parametrize(
    "what",
    ["no issuer", "another audience", "no subject", "no expiry", "an expiry in the past", "an expiry in a string"],
)
async def test_so_it_is_with_our_own(verifier: Verifier, what: str):
    await refused(verifier, own_token(**HOSTILE_CLAIMS[what]))


async def test_tokens_without_a_good_signature_are_refused(verifier: Verifier, issuer: Issuer):
    claims = issuer.claims()
    good = issuer.token()
    head, payload, signature = good.split(".")
    for what, token in {
        "alg none": jwt.encode(claims, "", algorithm="none", headers={"kid": "key-EdDSA"}),
        "our issuer and alg none": jwt.encode(claims | {"iss": "taskwell"}, "", algorithm="none"),
        "HS256 with the public key": signed_by_hand({"alg": "HS256", "kid": "key-RS256"}, claims),
        "our issuer and the public key": signed_by_hand({"alg": "HS256"}, claims | {"iss": "taskwell"}),
        "HS256 with an empty key": signed_by_hand({"alg": "HS256"}, claims, b""),
        "our issuer by their secret": own_token(SHARED),
        "their issuer by our secret": shared_secret_token(SECRET, **claims),
        "our issuer by their key": issuer.token(iss="taskwell", aud="taskwell", jti="x"),
        "no signature": f"{head}.{payload}.",
        "another's signature": f"{head}.{payload}.{issuer.token(exp=claims['exp'] + 1).split('.')[2]}",
        "two parts": f"{head}.{payload}",
        "five parts": f"{head}.{payload}.{signature}.a.b",
        "the key in the header": issuer.token(header={"kid": "mine", "jwk": issuer.keys[0]}),
        "the key elsewhere": issuer.token(header={"kid": "mine", "jku": f"{issuer.url}/api/auth/jwks"}),
        "no kid": issuer.token(header={}),
        "a path as kid": issuer.token(header={"kid": "../../../../etc/passwd"}),
        "SQL as kid": issuer.token(header={"kid": "' OR 1=1; DROP TABLE users; --"}),
        "another key's kid": issuer.token("ES256", header={"kid": "key-ES512"}),
        "the kid of another algorithm": issuer.token("PS256", header={"kid": "key-RS256"}),
        "an unknown critical header": issuer.token(header={"kid": "key-EdDSA", "crit": ["x"], "x": 1}),
        "an unencoded payload": signed_by_hand(
            {"alg": "HS256", "b64": False, "crit": ["b64"]}, claims, SHARED.encode()
        ),
        "a list as payload": signed_by_hand({"alg": "HS256"}, [claims], SHARED.encode()),
        "a list as header": signed_by_hand(["HS256"], claims, SHARED.encode()),
        "a list of issuers": signed_by_hand({"alg": "HS256"}, claims | {"iss": [issuer.url]}, SHARED.encode()),
        "a kid that is no string": signed_by_hand({"alg": "RS256", "kid": {"a": 1}}, claims),
        "an alg that is no string": signed_by_hand({"alg": ["RS256"], "kid": "key-RS256"}, claims),
        "half a character that must be understood": signed_by_hand({"alg": "HS256", "crit": ["\ud800"]}, claims),
        "infinity": f"{head}.{encoded(b'[1e999]')}.{signature}",
        "depth": f"{head}.{encoded(b'[' * 9000)}.{signature}",
        "nothing": "",
        "dots": "..",
        "other characters": "\xe4.\xf6.\xfc",
    }.items():
        assert await refused(verifier, token), what
    assert await verifier.verify(good) is not None


async def test_forged_tokens_cost_one_fetch(verifier: Verifier, issuer: Issuer):
    await verifier.verify(issuer.token())

    for n in range(100):
        await refused(verifier, issuer.token(header={"kid": f"forged-{n}"}))
        await refused(verifier, issuer.token(header={"kid": f"wrong-{n}"}, iss="https://evil.example"))

    assert issuer.fetches == 2


async def test_a_kind_of_token_that_is_not_set_up_is_refused(issuer: Issuer):
    neither = Verifier(settings_with())
    only_keys = Verifier(settings_with(better_auth_url=issuer.url))
    only_secret = Verifier(settings_with(better_auth_secret=SHARED))

    await refused(neither, issuer.token())
    await refused(neither, shared_secret_token(SHARED, sub=SUBJECT))
    await refused(only_keys, shared_secret_token(SHARED, sub=SUBJECT))
    await refused(only_secret, issuer.token())
    assert issuer.fetches == 0


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://Auth.Example.com:443/base", "https://auth.example.com"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str):
    assert origin_of(url) == origin


def test_nothing_of_better_auth_is_loaded_until_it_is_set(tmp_path: Path):
    import subprocess
    import sys

    script = "import sys, taskwell.security.verifier; sys.exit('httpx2' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=tmp_path).returncode == 0
