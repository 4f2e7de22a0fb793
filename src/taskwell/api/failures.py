"""Every error code with examples and what a caller does about it: for the documents, the pages and docs/errors.md."""

from dataclasses import dataclass
from typing import Any

from taskwell import errors, provider_errors
from taskwell.api.problems import Internal
from taskwell.database.lanes import DatabaseFull
from taskwell.errors import AppError, Invalid
from taskwell.users.errors import AlreadyOn, ChallengeOver, TotpRequired, WrongCode


@dataclass(frozen=True, slots=True)
class Failure:
    """An error code.

    Attributes:
        examples: The error as it is raised; several where the code says several things.
        advice: What whoever gets it can do.
    """

    examples: tuple[AppError, ...]
    advice: str

    @property
    def error(self) -> AppError:
        return self.examples[0]


def _failure(advice: str, *examples: AppError) -> Failure:
    return Failure(examples, advice)


_ALL = (
    _failure(
        "Look at `detail`: the request cannot be understood as it is.",
        errors.BadRequest("The request cannot be understood."),
    ),
    _failure(
        "Send JSON (RFC 8259) in UTF-8: double quotes, no trailing commas, no NaN.",
        errors.MalformedBody("The body is not valid JSON."),
    ),
    _failure(
        "Send the values flat: no field needs deeply nested JSON.",
        errors.TooDeep("The body is nested too deeply."),
    ),
    _failure(
        "Call the service by a host name that it knows; the operator sets them as ALLOWED_HOSTS.",
        errors.UnknownHost("This host name is not served here."),
    ),
    _failure(
        "Start the list again without `cursor`; a cursor is good for one filter, sort and order.",
        errors.InvalidCursor(),
    ),
    _failure(
        "Send the header once and in the form that `detail` gives.",
        errors.InvalidHeader("If-Match must be '*' or a list of quoted ETags."),
    ),
    _failure("Sign in, and send the token as `Authorization: Bearer …`.", errors.Unauthorized()),
    _failure(
        "`detail` says why the token is refused. Sign in again and use the new one.",
        errors.InvalidToken(),
    ),
    _failure(
        "Check the e-mail and the password; which of them is wrong is not told.",
        errors.InvalidCredentials(),
    ),
    _failure(
        "Ask for the code of the authenticator app. `POST /api/v1/auth/login/totp` takes it with `challenge`.",
        TotpRequired("rJ1Yx0Qe4cGkq2mZ8v7bT5nLw9sHd3fUo6iPaXyEzKQ"),
    ),
    _failure("Sign in with the password again; a challenge lasts for five minutes.", ChallengeOver()),
    _failure(
        "Put your own user id into the path, or use the address without one. What another service keeps, such as a "
        "password of Better Auth, is changed there.",
        errors.Forbidden("The path names another user; use your own id."),
    ),
    _failure(
        "Follow the link in the mail that was just sent, then sign in. The operator set REQUIRE_VERIFIED_EMAIL.",
        errors.SignInUnconfirmed(),
    ),
    _failure(
        "Send a token that has the scope that `WWW-Authenticate` names. Accounts take no personal token: sign in.",
        errors.InsufficientScope("write"),
        errors.InsufficientScope("account"),
    ),
    _failure("Type the code that your app shows next, or a recovery code.", WrongCode()),
    _failure(
        "Sign in again, then send the request with the new token. A renewal does not make the sign-in newer.",
        errors.SignInAgain(),
    ),
    _failure(
        "Begin the sign-in again, and finish it in the same browser within ten minutes. The front end must call "
        "`authorize` at the address that PUBLIC_URL has.",
        provider_errors.InvalidState(),
    ),
    _failure("The person said no at the provider. Offer the sign-in again.", provider_errors.AccessDenied()),
    _failure(
        "Sign in again. Where that does not help, the operator's log has the reason as `provider refused`.",
        provider_errors.ProviderRefused(),
    ),
    _failure(
        "Ask an owner of the space for the role of an editor; reminders of your own are always yours to set.",
        errors.ReadOnly(),
    ),
    _failure("Ask an owner of the space to do it, or to make you one.", errors.NotOwner()),
    _failure(
        "Show the change only to the comment's author, and the deletion to owners too.",
        errors.NotAuthor("Only its author can change a comment."),
    ),
    _failure(
        "Sign in with the account whose e-mail was invited, and confirm it; or ask for an invitation by link.",
        errors.NotInvited(),
    ),
    _failure("Send the account's current password.", errors.WrongPassword("The password is wrong.")),
    _failure(
        "Check the address and the id. What belongs to somebody else is not found either.",
        errors.NotFound("There is no such task."),
    ),
    _failure("Use one of the methods in the `Allow` header.", errors.MethodNotAllowed("POST", ["GET", "HEAD"])),
    _failure(
        "Read the current state, then decide again.", errors.Conflict("It was changed in between; read it again.")
    ),
    _failure(
        "Give the thing a new id, or look at the one that is there; it may be in the trash.",
        errors.IdTaken("The other space has a task with this id, in its trash perhaps."),
    ),
    _failure("Sign in instead, or use another e-mail.", errors.EmailTaken()),
    _failure("`DELETE /api/v1/auth/totp` turns it off, with the password and a code.", AlreadyOn()),
    _failure("Make another member an owner first, or delete the space.", errors.LastOwner()),
    _failure(
        "Delete what nobody needs any more. For tasks the operator can also set a higher MAX_TASKS_PER_SPACE.",
        errors.LimitReached("A space may hold 100,000 tasks that are not in the trash; delete some first."),
        errors.LimitReached("A user may have 50 personal tokens; delete one first."),
    ),
    _failure(
        "Sign in with the password or another provider, then `POST /api/v1/auth/{provider}/link`.",
        provider_errors.AccountExists(),
    ),
    _failure(
        "Sign in to the other account with this provider, and unlink it there first.",
        provider_errors.IdentityTaken(),
    ),
    _failure(
        "Set a password (`POST /api/v1/auth/password/forgot`), or link another provider, then unlink this one.",
        provider_errors.LastWayIn(),
    ),
    _failure(
        "Confirm the e-mail: `POST /api/v1/auth/email/verification` sends a link to it. Then send the request again.",
        errors.EmailUnverified(),
    ),
    _failure(
        "Ask for a new mail and follow the link in it. A link works once, and only for a limited time.",
        errors.LinkOver(),
    ),
    _failure(
        "Wait a second and send the same request with the same key again.",
        errors.RequestInProgress("The first request with this Idempotency-Key is still running."),
    ),
    _failure(
        "Somebody wrote in between. GET the task, apply your change to it, and send its new ETag.",
        errors.PreconditionFailed("The task has changed since you read it; read it again."),
    ),
    _failure(
        "Send less at once. The limit is MAX_BODY_BYTES.", errors.TooLarge("The body may hold 1048576 bytes at most.")
    ),
    _failure(
        "Send `Content-Type: application/json`, or what `detail` names where a form or a file is expected.",
        errors.UnsupportedMediaType("Send the body as JSON, with 'Content-Type: application/json'."),
    ),
    _failure(
        "This server asks for `If-Match` (REQUIRE_IF_MATCH). Send the ETag that you read.",
        errors.PreconditionRequired("Send If-Match with the ETag that you read."),
    ),
    _failure(
        "Correct the fields that `errors` names and send the request again. Nothing was stored.",
        Invalid.field("title", "String should have at most 200 characters", "string_too_long"),
        Invalid.field("title", "This field is required.", "missing"),
    ),
    _failure(
        "Use a new key for a new request; repeat a request with exactly the same body.",
        errors.IdempotencyKeyReused.field(
            "Idempotency-Key",
            "This key was used for another request body.",
            "idempotency_key_reused",
            location="header",
        ),
    ),
    _failure(
        "Wait for as many seconds as `Retry-After` says, then try again.",
        errors.TooManyRequests("Too many requests; try again in 30 seconds.", headers={"Retry-After": "30"}),
    ),
    _failure(
        "It is our fault and is in the server's log under `request_id`. Tell the operator that id.",
        Internal(),
    ),
    _failure(
        "Wait for as many seconds as `Retry-After` says, then try again.",
        errors.Unavailable("The database cannot be reached; try again shortly."),
    ),
    _failure(
        "Nothing was stored. Tell the operator: the database's disk is full. Reading still works.",
        DatabaseFull("There is no room left to store this."),
    ),
    _failure(
        "Wait for as many seconds as `Retry-After` says, or sign in another way. `taskwell doctor` says why.",
        provider_errors.ProviderUnavailable(),
    ),
    _failure(
        "Tell the operator: SMTP_HOST is not set. `taskwell users verify EMAIL` confirms an e-mail without mail.",
        errors.MailNotConfigured(),
    ),
    _failure(
        "The request was stopped. Ask for less at once, or try again.",
        errors.TimedOut("The request took too long and was stopped."),
    ),
)

FAILURES: dict[str, Failure] = {failure.error.code: failure for failure in _ALL}


def raises(*kinds: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """For ``responses=`` of a route: failures of its verb that its path and parameters do not tell already."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        answer = by_status.setdefault(kind.status, {"description": kind.title, "x-failures": []})
        answer["x-failures"].append(kind.code)
    return by_status
