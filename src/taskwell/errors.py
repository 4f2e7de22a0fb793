"""Every failure that a caller may be told about, each with its HTTP status and stable code.

AppError
├── BadRequest           400  the request itself cannot be understood
├── Unauthorized         401  no token, or one that is not valid
├── Forbidden            403  the path names another user, the role does not allow it, or the password given is wrong
├── NotFound             404
├── MethodNotAllowed     405
├── Conflict             409
├── LinkOver             410
├── PreconditionFailed   412
├── PreconditionRequired 428
├── TooLarge             413
├── UnsupportedMediaType 415
├── Invalid              422  with the fields that break a rule
├── TooManyRequests      429
├── Internal             500
├── Unavailable          503
├── MailNotConfigured    503
└── TimedOut             504
The domain raises them in product words; ``taskwell.api.problems`` renders them once for each contract.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

Location = Literal["body", "query", "path", "header"]


class AppError(Exception):
    """A failure with a sentence for the caller.

    Attributes:
        detail: One sentence that a person can act on; never SQL, a secret or a task's text.
        headers: Response headers that belong to the failure, such as ``Retry-After``.
        index: Which operation of a bulk has failed.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal server error"

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.index: int | None = None


class BadRequest(AppError):
    status, code, title = 400, "bad_request", "Bad request"


class MalformedBody(BadRequest):
    code, title = "malformed_body", "Malformed body"


class TooDeep(BadRequest):
    code, title = "body_too_deep", "Body nested too deeply"


class UnknownHost(BadRequest):
    code, title = "unknown_host", "Unknown host"


class InvalidCursor(BadRequest):
    code, title = "invalid_cursor", "Invalid cursor"

    def __init__(self) -> None:
        super().__init__("The cursor does not belong to this list; start again without it.")


class InvalidHeader(BadRequest):
    code, title = "invalid_header", "Invalid header"


class Unauthorized(AppError):
    """The caller is not known; ``WWW-Authenticate`` says so as RFC 6750 section 3 asks."""

    status, code, title = 401, "unauthorized", "Not signed in"

    def __init__(self, detail: str = "Sign in and send the token as 'Authorization: Bearer …'.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class InvalidToken(Unauthorized):
    code, title = "invalid_token", "Token refused"

    def __init__(
        self, detail: str = "The token was revoked, or its account is gone or disabled; sign in again."
    ) -> None:
        super().__init__(detail)
        self.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'


class InvalidCredentials(Unauthorized):
    code, title = "invalid_credentials", "Wrong credentials"

    def __init__(self, detail: str = "The e-mail or the password is wrong.") -> None:
        super().__init__(detail)


class Forbidden(AppError):
    status, code, title = 403, "forbidden", "Forbidden"


class InsufficientScope(Forbidden):
    """The token does not allow this; ``WWW-Authenticate`` says so as RFC 6750 section 3.1 asks."""

    code, title = "insufficient_scope", "Token does not allow this"

    def __init__(self, scope: str) -> None:
        what = "A personal token does not reach accounts" if scope == "account" else f"The token allows no {scope}"
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        super().__init__(f"{what}; send a token that does.", headers={"WWW-Authenticate": challenge})


class NotAuthor(Forbidden):
    code, title = "not_author", "Not the author"


class WrongPassword(Forbidden):
    code, title = "wrong_password", "Wrong password"


class SignInAgain(Forbidden):
    code, title = "sign_in_again", "Sign in again"

    def __init__(self) -> None:
        super().__init__("You signed in too long ago for this; sign in again and use the new token.")


class SignInUnconfirmed(Forbidden):
    code, title = "sign_in_unconfirmed", "E-mail not confirmed"

    def __init__(self) -> None:
        super().__init__("Confirm your e-mail first: follow the link that was sent to it.")


class ReadOnly(Forbidden):
    code, title = "read_only", "Read only"

    def __init__(self) -> None:
        super().__init__("You may read this space and not change it; ask an owner for the role of an editor.")


class NotOwner(Forbidden):
    code, title = "not_owner", "Not an owner"

    def __init__(self) -> None:
        super().__init__("Only an owner of the space may do this.")


class NotInvited(Forbidden):
    code, title = "not_invited", "Not invited"

    def __init__(self) -> None:
        super().__init__("This invitation is for another e-mail, or yours is not confirmed yet.")


class NotFound(AppError):
    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(AppError):
    status, code, title = 405, "method_not_allowed", "Method not allowed"

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        methods = ", ".join(sorted(allowed))
        super().__init__(f"{method} is not allowed here; use {methods}.", headers={"Allow": methods})


class Conflict(AppError):
    status, code, title = 409, "conflict", "Conflict"


class IdTaken(Conflict):
    code, title = "id_taken", "Id taken"


class EmailTaken(Conflict):
    code, title = "email_taken", "E-mail taken"

    def __init__(self) -> None:
        super().__init__("An account with this e-mail exists already.")


class LimitReached(Conflict):
    code, title = "limit_reached", "Limit reached"


class LastOwner(Conflict):
    code, title = "last_owner", "Last owner"

    def __init__(self) -> None:
        super().__init__("The space would have no owner; make another member its owner first, or delete it.")


class EmailUnverified(Conflict):
    code, title = "email_unverified", "E-mail not confirmed"

    def __init__(self) -> None:
        super().__init__("Confirm your e-mail first: POST /api/v1/auth/email/verification sends the link.")


class RequestInProgress(Conflict):
    code, title = "request_in_progress", "Request in progress"


class LinkOver(AppError):
    status, code, title = 410, "link_over", "Link over"

    def __init__(self) -> None:
        super().__init__("This link or code was used, has ended, or never was one; ask for another.")


class PreconditionFailed(AppError):
    status, code, title = 412, "precondition_failed", "Precondition failed"


class TooLarge(AppError):
    status, code, title = 413, "body_too_large", "Body too large"


class UnsupportedMediaType(AppError):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class PreconditionRequired(AppError):
    status, code, title = 428, "precondition_required", "Precondition required"


class TooManyRequests(AppError):
    status, code, title = 429, "rate_limited", "Too many requests"


class Unavailable(AppError):
    status, code, title = 503, "unavailable", "Service unavailable"

    def __init__(self, detail: str, *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class MailNotConfigured(AppError):
    status, code, title = 503, "mail_not_configured", "No mail set up"

    def __init__(self) -> None:
        super().__init__("This server sends no mail; its operator can set SMTP_HOST, or confirm your e-mail.")


class TimedOut(AppError):
    status, code, title = 504, "timed_out", "Timed out"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule.

    Attributes:
        field: Dotted path from the body or query down to the value, such as ``operations.3.data.title``.
        type: Stable machine-readable name of the rule, such as ``string_too_long``.
    """

    location: Location
    field: str
    message: str
    type: str

    def __str__(self) -> str:
        return f"{self.field or self.location}: {self.message}"


MOST_TOLD = 100
"""Errors of one request; the sentence counts them all."""


class Invalid(AppError):
    """Values that break a rule; nothing was stored."""

    status, code, title = 422, "validation_failed", "Validation failed"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        first = errors[0]
        more = len(errors) - 1
        rest = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
        super().__init__(f"{first}{rest}")
        self.errors = tuple(errors[:MOST_TOLD])

    @classmethod
    def field(cls, field: str, message: str, rule: str, *, location: Location = "body") -> "Invalid":
        return cls([FieldError(location, field, message, rule)])

    def under(self, path: str) -> "Invalid":
        """The same of a value that lies deeper in the body, at ``path``."""
        return type(self)([replace(each, field=f"{path}.{each.field}".rstrip(".")) for each in self.errors])


class IdempotencyKeyReused(Invalid):
    code, title = "idempotency_key_reused", "Idempotency key reused"
