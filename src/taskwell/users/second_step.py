"""The second step of a sign-in: the code, after the password."""

from taskwell.database import Lane, now
from taskwell.errors import InvalidCredentials, LinkOver
from taskwell.users import one_time_tokens, totp
from taskwell.users.errors import ChallengeOver
from taskwell.users.known_groups import remember_group
from taskwell.users.profile import BY_ID
from taskwell.users.sign_in import STILL_THERE, SignedIn
from taskwell.users.user import User


async def challenged(lane: Lane, challenge: str) -> User | None:
    """Who has to answer the challenge with a code; None where it is over."""
    try:
        found = await one_time_tokens.find(lane, one_time_tokens.SIGN_IN, challenge)
    except LinkOver:
        return None
    return await lane.row(BY_ID, user_id=found.user_id)


async def answer(lane: Lane, user: User, *, challenge: str, code: str, group: str) -> SignedIn:
    """Signs in who had the right password before; a wrong code leaves the challenge as it is.

    Raises:
        ChallengeOver: it has just been used, or has ended.
        InvalidCredentials: the code is wrong, or was used before.
    """
    as_of = now()
    async with lane.transaction() as transaction:
        still = await transaction.row(STILL_THERE, user_id=user.id)
        try:
            await one_time_tokens.use(transaction, one_time_tokens.SIGN_IN, challenge)
        except LinkOver:
            still = None
        if still is None:
            raise ChallengeOver
        used = await totp.use_code(transaction, user.id, code)
        if used is None:
            raise InvalidCredentials("The code is wrong, or was used before; wait for the next one.")
        await remember_group(transaction, user.id, group)
    return SignedIn(still.user, still.no_earlier(as_of), used=used)
