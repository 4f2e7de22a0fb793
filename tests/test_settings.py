"""Settings: what they may be, and in which words what they may not be is told."""

import stat

import pytest
from pydantic import ValidationError

from taskwell.mail import links
from taskwell.settings import InvalidSettings, Settings, read_settings
from tests.conftest import SECRET


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An empty folder, and nothing set."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def refusal(environment: pytest.MonkeyPatch, **values: str) -> str:
    for name, value in values.items():
        environment.setenv(name, value)
    with pytest.raises(InvalidSettings) as refused:
        read_settings()
    sentence = str(refused.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY needs at least 32 bytes"),
        ({"SECRET_KEY": "x" * 64}, "SECRET_KEY is a known default"),
        ({"SECRET_KEY": "your-secret-key-change-in-production"}, "SECRET_KEY is a known default"),
        ({"SECRET_KEY": "change-me-change-me-change-me-change-me"}, "SECRET_KEY is a known default"),
        ({"SECRET_KEY": "SUPER_SECRET_PASSWORD_secret-key-secretkey-1"}, "SECRET_KEY is a known default"),
        ({"SECRET_KEY_PREVIOUS": "short"}, "SECRET_KEY_PREVIOUS needs at least 32 bytes"),
        ({"DEBUG": "true"}, "DEBUG must be off"),
        ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS must name each origin"),
        ({"ALLOWED_ORIGINS": "https://a.example,*"}, "ALLOWED_ORIGINS must name each origin"),
        ({"SMTP_HOST": "mail.example.com"}, "MAIL_FROM is missing"),
        ({"SMTP_HOST": "mail.example.com", "MAIL_FROM": "t@example.com"}, "PUBLIC_URL is missing"),
        ({"REQUIRE_VERIFIED_EMAIL": "true"}, "REQUIRE_VERIFIED_EMAIL needs mail"),
    ],
)
def test_production_refuses_what_is_not_safe(environment, values: dict[str, str], words: str):
    sentence = refusal(environment, **{"ENVIRONMENT": "production", "SECRET_KEY": SECRET} | values)

    assert sentence.startswith(words)
    assert SECRET not in sentence


def test_production_accepts_what_is_safe(environment):
    environment.setenv("ENVIRONMENT", "production")
    environment.setenv("SECRET_KEY", SECRET)

    assert read_settings().is_production


def test_development_takes_any_key(environment):
    environment.setenv("SECRET_KEY", "short")

    assert read_settings().signing_key == "short"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("MAIL_FROM", "Taskwell"),
        ("PUBLIC_URL", "tasks.example.com"),
        ("PUBLIC_URL", "ftp://tasks.example.com"),
        ("PUBLIC_URL", "https://ada:hidden@tasks.example.com"),
        ("FRONTEND_URL", "https://app.example.com/?page=1"),
        ("FRONTEND_URL", "https://"),
        ("MAX_MAILS_PER_DAY", "-1"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgresql://ada:hidden@localhost:port/x"),
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("DEBUG", "perhaps"),
        ("ENVIRONMENT", "prod"),
        ("LOG_LEVEL", "loud"),
        ("ALLOWED_ORIGINS", "example.com"),
        ("ALLOWED_ORIGINS", "https://example.com/app"),
        ("ALLOWED_ORIGINS", "https://example.com?x=1"),
        ("ALLOWED_ORIGINS", "https://*.example.com"),
        ("ALLOWED_ORIGINS", "https://example.com:port"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_HOSTS", "https://example.com"),
        ("ALLOWED_HOSTS", "example.com:8000"),
        ("ALLOWED_HOSTS", "example.com/app"),
        ("ALLOWED_HOSTS", "api.*.example.com"),
        ("HOST", "http://0.0.0.0"),
        ("HOST", "0.0.0.0:8000"),
        ("SMTP_HOST", "smtp://mail.example.com"),
        ("SMTP_HOST", "mail.example.com:587"),
        ("BETTER_AUTH_URL", "auth.example.com"),
        ("BETTER_AUTH_URL", "https://ada:hidden@auth.example.com"),
        ("SENTRY_DSN", "hidden"),
        ("ROOT_PATH", "https://example.com/app"),
        ("ROOT_PATH", "/a b"),
        ("ROOT_PATH", "/a/../b"),
        ("ROOT_PATH", "/."),
        ("TRUSTED_PROXIES", "proxy.example.com"),
        ("ALLOWED_ORIGINS", "https://ada:hidden@example.com"),
        ("ACCESS_TOKEN_EXPIRE_DAYS", "0"),
        ("ACCESS_TOKEN_EXPIRE_DAYS", "nan"),
        ("DATABASE_POOL_SIZE", "0"),
        ("MAX_BODY_BYTES", "1.5"),
        ("ALGORITHM", "none"),
        ("REDIS_URL", "http://localhost:6379"),
        ("REDIS_URL", "redis://:hidden@localhost:port/0"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_name(environment, name: str, value: str):
    sentence = refusal(environment, **{name: value})

    assert sentence.startswith(f"{name}: ")
    assert "hidden" not in sentence
    assert "\n" not in sentence


def test_the_links_in_mails_begin_with_the_front_end_or_with_our_own_pages(environment):
    def begin() -> list[str]:
        settings = read_settings(port=8123)
        return [link(settings, "x") for link in (links.verify_email, links.reset_password, links.unsubscribe)]

    paths = ["/verify-email?token=x", "/reset-password?token=x", "/unsubscribe?token=x"]
    assert begin() == [f"http://127.0.0.1:8123/account{path}" for path in paths]
    environment.setenv("PUBLIC_URL", " https://Tasks.Example.com/app/ ")
    own = [f"https://tasks.example.com/app/account{path}" for path in paths]
    assert begin() == own
    environment.setenv("FRONTEND_URL", "https://app.example.com/")
    assert begin() == [*(f"https://app.example.com{path}" for path in paths[:2]), own[2]]


def test_every_wrong_setting_is_named_at_once(environment):
    sentence = refusal(environment, PORT="abc", DEBUG="perhaps")

    assert "PORT: " in sentence
    assert "DEBUG: " in sentence


def test_an_env_file_that_is_not_text_is_told(environment, tmp_path):
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")

    assert refusal(environment).startswith(".env ")


def test_the_environment_wins_over_the_env_file(environment, tmp_path):
    (tmp_path / ".env").write_text("PORT=1\nHOST=0.0.0.0\nUNKNOWN=ignored\n")
    environment.setenv("PORT", "2")

    settings = read_settings()

    assert (settings.port, settings.host) == (2, "0.0.0.0")


def test_settings_do_not_change_once_they_are_read(environment):
    with pytest.raises(ValidationError):
        read_settings().port = 1  # type: ignore[misc]


def test_secrets_are_not_shown(environment):
    environment.setenv("SECRET_KEY", SECRET)

    assert SECRET not in repr(read_settings())


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", ()),
        ("https://a.example", ("https://a.example",)),
        (" https://a.example/ , http://localhost:3000,", ("https://a.example", "http://localhost:3000")),
        ('["https://a.example", "https://b.example"]', ("https://a.example", "https://b.example")),
        ("tauri://localhost", ("tauri://localhost",)),
        ("https://app.example.com:443,http://LOCALHOST:80", ("https://app.example.com", "http://localhost")),
        ("HTTPS://App.Example.com,http://[::0001]:3000", ("https://app.example.com", "http://[::1]:3000")),
        ("https://bücher.example", ("https://xn--bcher-kva.example",)),
    ],
)
def test_origins_are_a_list_in_either_spelling(environment, value: str, origins: tuple[str, ...]):
    environment.setenv("ALLOWED_ORIGINS", value)

    assert read_settings().allowed_origins == origins


def test_local_front_ends_may_call_and_those_of_vite_in_development_alone(environment):
    local, vite = (
        ("http://localhost:3000", "http://localhost:8000"),
        ("http://localhost:5173", "http://localhost:5174"),
    )
    environment.setenv("SECRET_KEY", SECRET)
    for name, origins in {"development": local + vite, "test": local, "production": local}.items():
        environment.setenv("ENVIRONMENT", name)
        assert read_settings().allowed_origins == origins


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("ALLOWED_HOSTS", "API.Example.com, *.Example.org,[::1]", ("api.example.com", "*.example.org", "::1")),
        ("ALLOWED_HOSTS", "bücher.example", ("xn--bcher-kva.example",)),
        ("HOST", "[::1]", "::1"),
        ("SMTP_HOST", "Mail.example.com", "mail.example.com"),
        ("BETTER_AUTH_URL", "https://Auth.example.com:443/api/auth/", "https://auth.example.com"),
        ("ROOT_PATH", "taskwell/", "/taskwell"),
        ("ROOT_PATH", "/", ""),
    ],
)
def test_hosts_and_addresses_are_written_as_a_browser_writes_them(
    environment, name: str, value: str, written: object
):
    environment.setenv(name, value)

    assert getattr(read_settings(), name.lower()) == written


@pytest.mark.parametrize(
    ("url", "is_sqlite"),
    [
        ("sqlite:///f.db", True),
        ("sqlite+aiosqlite:///f.db", True),
        ("sqlite:////tmp/f.db", True),
        ("postgres://u:p@h/d", False),
        ("postgresql://u:p@h/d", False),
        ("postgresql+asyncpg://u:p@h:5432/d", False),
        ("postgresql+psycopg://u:p@h/d?sslmode=require&channel_binding=require", False),
    ],
)
def test_every_spelling_of_a_database_is_taken(environment, url: str, is_sqlite: bool):  # noqa: FBT001
    environment.setenv("DATABASE_URL", url)

    assert read_settings().is_sqlite is is_sqlite


def test_in_development_a_key_is_made_once_and_kept_beside_the_database(environment, tmp_path):
    (tmp_path / "kept").mkdir()
    environment.setenv("DATABASE_URL", "sqlite:///kept/taskwell.db")
    first, second = read_settings(), read_settings()

    assert first.signing_key == second.signing_key
    assert len(first.signing_key) == 64
    (file,) = (tmp_path / "kept").iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == (".taskwell-secret-key", 0o600)


def test_a_key_that_cannot_be_kept_is_told(environment):
    environment.setenv("DATABASE_URL", "sqlite:////proc/taskwell.db")

    with pytest.raises(InvalidSettings, match="SECRET_KEY is not set, and none can be kept in /proc"):
        assert read_settings().signing_key


@pytest.mark.parametrize("content", ["", "abc"])
def test_a_damaged_kept_key_is_told(environment, tmp_path, content: str):
    (tmp_path / ".taskwell-secret-key").write_text(content)

    with pytest.raises(InvalidSettings, match="damaged"):
        assert read_settings().signing_key
