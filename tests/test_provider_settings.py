"""Settings of providers that cannot be used are told before anybody signs in."""

import json
from typing import Any

import pytest

from taskwell.settings import InvalidSettings, Settings, read_settings
from tests.conftest import SECRET

LAB = {"name": "lab", "issuer": "https://lab.example.com/", "client_id": "taskwell", "client_secret": "hunter2"}


def read(*providers: dict[str, Any], **changes: Any) -> Settings:
    return read_settings(_env_file=None, oidc_providers=json.dumps(providers), **changes)


def refusal(*providers: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(InvalidSettings) as refused:
        read(*providers, **changes)
    assert "hunter2" not in str(refused.value)
    return str(refused.value)


def test_a_provider_is_taken_as_it_is_written():
    (provider,) = read(LAB).oidc_providers

    assert (provider.issuer, provider.trusted, provider.title) == ("https://lab.example.com/", False, None)


@pytest.mark.parametrize("text", ["", "[]"])
def test_without_a_provider_there_is_none(text: str):
    assert not read_settings(_env_file=None, oidc_providers=text).has_providers


@pytest.mark.parametrize("text", ["lab", "{}", '"lab"', "[", "null"])
def test_what_is_no_json_list_is_told(text: str):
    with pytest.raises(InvalidSettings, match="OIDC_PROVIDERS: it must be a JSON list"):
        read_settings(_env_file=None, oidc_providers=text)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": "Lab"}, "0.name"),
        ({"name": "a/b"}, "0.name"),
        ({"name": ""}, "0.name"),
        ({"issuer": "lab.example.com"}, "0.issuer"),
        ({"issuer": "https://lab.example.com/?a=b"}, "0.issuer"),
        ({"issuer": "https://ada:pass@lab.example.com"}, "0.issuer"),
        ({"client_id": ""}, "0.client_id"),
        ({"client_secret": ""}, "0.client_secret"),
        ({"secret": "hunter2"}, "0.secret"),
        ({"trusted": "perhaps"}, "0.trusted"),
    ],
    ids=str,
)
def test_the_member_that_is_wrong_is_named(changes: dict[str, Any], place: str):
    assert refusal(LAB | changes).startswith(f"OIDC_PROVIDERS: {place}: ")


def test_two_providers_have_two_names_and_two_issuers():
    assert "two providers have the name lab" in refusal(LAB, LAB | {"issuer": "https://other.example.com"})
    assert "two providers have the issuer" in refusal(LAB, LAB | {"name": "other"})


def test_github_needs_both_of_its_settings_and_its_name():
    assert "belong together" in refusal(github_client_id="x")
    assert "belong together" in refusal(github_client_secret="hunter2")
    assert "choose another" in refusal(LAB | {"name": "github"}, github_client_id="x", github_client_secret="hunter2")
    assert read(github_client_id="x", github_client_secret="y").has_providers
    assert not read(github_client_id="", github_client_secret="").has_providers


@pytest.mark.parametrize("by", [{"oidc_providers": [LAB]}, {"github_client_id": "x", "github_client_secret": "y"}])
def test_production_names_its_own_address_where_a_provider_is_set(by: dict[str, Any]):
    production = {"environment": "production", "secret_key": SECRET, "allowed_origins": "https://app.example.com"}

    with pytest.raises(InvalidSettings, match="PUBLIC_URL is missing"):
        read_settings(_env_file=None, **production, **by)

    assert read_settings(_env_file=None, **production, **by, public_url="https://tasks.example.com").has_providers
