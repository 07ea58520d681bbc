"""A ready sign-in for the demonstration's console: invented persons, with a password made up anew each time."""

import secrets

import msgspec
from sqlalchemy import Connection

from deploy.demo.foundation import Foundation
from hub.staff import accounts
from hub.staff.passwords import Sealer
from hub.staff.roles import Role
from hub.storage import store
from replication.wall_clock import clock_ms

PASSWORD_BYTES = 9
"""Random bytes of the password: nobody guesses it, and it is typed in one go."""

PERSONS = {
    "demo": ("演示人员", (Role.CLERK, Role.ARCHIVIST, Role.ADMINISTRATOR)),
    "review": ("演示审核员", (Role.REVIEWER,)),
    "audit": ("演示审计员", (Role.AUDITOR,)),
}
"""Name and roles by login: who administers, who decides on access and who reads the audit log are three persons."""


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Where the console is, and how one gets in."""

    url: str
    logins: tuple[str, ...]
    password: str


async def ready_sign_in(foundation: Foundation) -> SignIn:
    """Make the accounts in the hub's store, before the hub runs."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    sealed, now_ms = await Sealer().sealed(password), clock_ms()

    def make(connection: Connection) -> None:
        for login, (name, roles) in PERSONS.items():
            made = accounts.add(connection, login, name, roles, now_ms)
            accounts.set_password(connection, made.id, sealed, now_ms)

    async with store.opened(foundation.hub) as database:
        await database.write(make)
    return SignIn(url=foundation.settings.web.url, logins=tuple(PERSONS), password=password)
