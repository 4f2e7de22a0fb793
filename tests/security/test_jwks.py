"""The published keys of an issuer: fetched as seldom as possible, and never believed too far."""

import asyncio
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from taskwell.errors import Unavailable
from taskwell.security.issuer_client import MAX_BYTES
from taskwell.security.jwks import MAX_AGE_SECONDS, PATIENCE_SECONDS, PublishedKeys, readable_keys
from tests.support.issuer import KEYS, Issuer, public_jwk


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> PublishedKeys:
    return PublishedKeys(f"{issuer.url}/api/auth/jwks", clock)


async def test_the_keys_are_fetched_once_for_all_who_wait(issuer: Issuer, keys: PublishedKeys):
    issuer.delay = 0.1

    found = await asyncio.gather(*(keys.find("key-EdDSA", "EdDSA") for _ in range(20)))

    assert all(key is not None for key in found)
    assert issuer.fetches == 1


async def test_a_key_that_is_known_costs_no_fetch(issuer: Issuer, keys: PublishedKeys):
    for algorithm in KEYS:
        assert await keys.find(f"key-{algorithm}", algorithm) is not None

    assert issuer.fetches == 1


async def test_keys_are_kept_for_five_minutes_and_then_for_five_more(
    issuer: Issuer, keys: PublishedKeys, clock: Clock
):
    await keys.find("key-EdDSA", "EdDSA")

    for fetches in (2, 3):
        clock.now += MAX_AGE_SECONDS
        running = asyncio.all_tasks()
        await keys.find("key-EdDSA", "EdDSA")
        assert asyncio.all_tasks() <= running, "a fetch began"

        clock.now += 1
        await keys.find("key-EdDSA", "EdDSA")
        await asyncio.gather(*asyncio.all_tasks() - running)
        assert issuer.fetches == fetches


async def test_the_keys_are_asked_for_as_they_are_read(issuer: Issuer, keys: PublishedKeys):
    await keys.find("key-EdDSA", "EdDSA")

    assert b"accept: application/json\r\naccept-encoding: identity\r\n" in issuer.asked.lower()


async def test_a_new_key_is_good_at_once_after_a_fetch_that_found_what_it_was_for(
    issuer: Issuer, keys: PublishedKeys
):
    await keys.find("key-EdDSA", "EdDSA")
    issuer.keys.append(public_jwk("EdDSA", "new", ed25519.Ed25519PrivateKey.generate()))

    assert await keys.find("new", "EdDSA") is not None


async def test_unknown_keys_cost_one_fetch_in_five_seconds(issuer: Issuer, keys: PublishedKeys, clock: Clock):
    await keys.find("key-EdDSA", "EdDSA")

    for n in range(50):
        assert await keys.find(f"unknown-{n}", "EdDSA") is None
    assert issuer.fetches == 2

    issuer.keys.append(public_jwk("EdDSA", "new", ed25519.Ed25519PrivateKey.generate()))
    assert await keys.find("new", "EdDSA") is None
    clock.now += PATIENCE_SECONDS
    assert await keys.find("new", "EdDSA") is not None
    assert issuer.fetches == 3


async def test_keys_stay_good_while_the_issuer_is_down(issuer: Issuer, keys: PublishedKeys, clock: Clock):
    await keys.find("key-EdDSA", "EdDSA")
    await issuer.stop()

    for _ in range(3):
        clock.now += MAX_AGE_SECONDS + 1
        assert await keys.find("key-EdDSA", "EdDSA") is not None
        await asyncio.sleep(0.02)
    assert await keys.find("unknown", "EdDSA") is None


async def test_old_keys_are_fetched_again_beside_the_request(issuer: Issuer, keys: PublishedKeys, clock: Clock):
    await keys.find("key-EdDSA", "EdDSA")
    issuer.keys = [public_jwk("RS256")]
    clock.now += MAX_AGE_SECONDS + 1

    assert await keys.find("key-EdDSA", "EdDSA") is not None
    for _ in range(100):
        await asyncio.sleep(0.01)
        if await keys.find("key-EdDSA", "EdDSA") is None:
            return
    pytest.fail("the withdrawn key stayed")


async def test_an_issuer_that_never_answered_makes_no_judgement(issuer: Issuer, keys: PublishedKeys, clock: Clock):
    await issuer.stop()

    for _ in range(5):
        with pytest.raises(Unavailable):
            await keys.find("key-EdDSA", "EdDSA")

    await issuer.start()
    with pytest.raises(Unavailable):
        await keys.find("key-EdDSA", "EdDSA")
    clock.now += PATIENCE_SECONDS
    assert await keys.find("key-EdDSA", "EdDSA") is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"keys": {}}', b'{"keys": null}', b"[" * 5000, b" " * (MAX_BYTES + 1), b"\xff\xfe"],
)
async def test_an_answer_that_is_no_jwks_changes_nothing(
    issuer: Issuer, keys: PublishedKeys, clock: Clock, body: bytes
):
    await keys.find("key-EdDSA", "EdDSA")
    issuer.body = body

    assert await keys.find("unknown", "EdDSA") is None
    assert await keys.find("key-EdDSA", "EdDSA") is not None


async def test_redirects_are_followed_within_the_origin(issuer: Issuer, keys: PublishedKeys):
    issuer.path = "/keys/"
    issuer.redirects = {"/api/auth/jwks": "/api/auth/jwks/", "/api/auth/jwks/": f"{issuer.url}/keys/"}

    assert await keys.find("key-EdDSA", "EdDSA") is not None
    assert issuer.fetches == 3


async def test_a_redirect_to_another_origin_is_not_followed(issuer: Issuer, keys: PublishedKeys):
    async with Issuer() as other:
        for elsewhere in (f"{other.url}/api/auth/jwks", f"http://localhost:{issuer.port}/keys", "file:///etc/passwd"):
            issuer.redirects = {"/api/auth/jwks": elsewhere}
            with pytest.raises(ValueError, match="another origin"):
                await keys.download()

    assert other.fetches == 0
    assert issuer.fetches == 3


async def test_redirects_in_a_circle_end(issuer: Issuer, keys: PublishedKeys):
    issuer.redirects = {"/api/auth/jwks": "/there", "/there": "/api/auth/jwks"}

    with pytest.raises(ValueError, match="more than 3 times"):
        await keys.download()


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_an_answer_that_is_not_200_changes_nothing(issuer: Issuer, keys: PublishedKeys, status: int):
    await keys.find("key-EdDSA", "EdDSA")
    issuer.status, issuer.body = status, json.dumps({"keys": []}).encode()

    assert await keys.find("unknown", "EdDSA") is None
    assert await keys.find("key-EdDSA", "EdDSA") is not None


async def test_an_issuer_that_hangs_is_given_up(issuer: Issuer, keys: PublishedKeys, monkeypatch):
    monkeypatch.setattr("taskwell.security.issuer_client.FETCH_SECONDS", 0.1)
    issuer.delay = 5

    with pytest.raises(Unavailable):
        await asyncio.wait_for(keys.find("key-EdDSA", "EdDSA"), 2)


def keys_of(*published: object) -> dict:
    return readable_keys(json.dumps({"keys": published}).encode())


def test_keys_that_cannot_be_read_are_skipped():
    good = public_jwk("EdDSA")
    broken = [
        None,
        7,
        "key",
        {},
        {"kid": 7, "kty": "OKP"},
        {"kid": "a"},
        {"kid": "b", "kty": ["RSA"]},
        {"kid": "c", "kty": "OKP", "crv": "Ed25519"},
        {"kid": "d", "kty": "OKP", "crv": "Ed25519", "x": "!!"},
        {"kid": "e", "kty": "OKP", "crv": {"a": 1}, "x": "AA"},
        {"kid": "f", "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kid": "g", "kty": "RSA", "n": 5, "e": "AQAB"},
        {"kid": "h", "kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {"kid": "i", "kty": "future", "alg": "ML-DSA-65", "pub": "AA"},
        good | {"kid": None},
    ]

    assert {key_id for key_id, _ in keys_of(*broken, good)} == {"key-EdDSA"}


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": 7},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": "RS384"},
        {"alg": ["RS256"]},
        {"kty": "oct"},
        {"kty": "EC"},
    ],
)
def test_a_key_for_another_use_or_algorithm_is_not_used(change: dict):
    assert keys_of(public_jwk("RS256") | change) == {}


@pytest.mark.parametrize("change", [{}, {"use": "sig"}, {"key_ops": ["verify"]}, {"d": "AAAA"}])
def test_a_key_for_signatures_is_used_and_its_private_members_are_not(change: dict):
    found = keys_of(public_jwk("EdDSA") | change)

    assert isinstance(found["key-EdDSA", "EdDSA"].key, ed25519.Ed25519PublicKey)


def test_an_rsa_key_without_an_algorithm_verifies_both_of_its_own():
    jwk = public_jwk("RS256")
    del jwk["alg"]

    assert set(keys_of(jwk)) == {("key-RS256", "RS256"), ("key-RS256", "PS256")}


def test_short_rsa_keys_and_other_curves_are_not_used():
    short = rsa.generate_private_key(public_exponent=65_537, key_size=1024)
    other = ec.generate_private_key(ec.SECP384R1())

    assert keys_of(public_jwk("RS256", key=short), public_jwk("ES384", key=other)) == {}
