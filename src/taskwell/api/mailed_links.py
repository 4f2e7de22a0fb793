"""What following a mailed link does, for clients that send its token and for our own pages."""

from taskwell import users
from taskwell.api.attempts import group_of, note
from taskwell.api.call import RequestContext
from taskwell.delivery import webhooks


async def verify_email(call: RequestContext, token: str) -> None:
    """Confirms the e-mail to which the token was sent.

    Raises:
        LinkOver: the token is not good any more.
        EmailTaken: another account got the e-mail meanwhile.
    """
    confirmed = await users.verify_email(call.lane, token, group=group_of(call))
    note(call, "email_changed" if confirmed.is_change else "email_verified", user_id=confirmed.user_id)


async def reset_password(call: RequestContext, token: str, password: str) -> None:
    """Gives the account to which the token was sent another password, and ends every other way in.

    Raises:
        LinkOver: the token is not good any more.
        Invalid: the password breaks a rule.
    """
    new = await users.new_password(call.lane, token, password)
    async with call.lane.transaction() as transaction:
        await users.reset_password(transaction, token, new, group=group_of(call))
        await webhooks.remove_of_user(transaction, new.user_id)
    call.services.identities.forget({users.name_of_user(new.user_id)})
    note(call, "password_reset", user_id=new.user_id)
