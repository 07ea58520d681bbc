"""Passwords: the rules for a new one, and sealing with argon2id (RFC 9106), which is slow on purpose.

The rules are few, because many rules make people write passwords down: long enough, not the name, not digits alone, not
one of the commonest.
"""

import asyncio
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from protocol.errors import BadValue, CallTimeout
from protocol.wording import Text

T = TypeVar("T")

PASSWORD_CHARS_MIN = 10
"""Characters of a new password at least."""

PASSWORD_CHARS_MAX = 128
"""Characters of a password at most: what is longer costs time to seal and protects nobody better."""

DISTINCT_CHARS_MIN = 5
"""Different characters of a new password at least."""

SEALINGS_AT_ONCE = 2
"""Passwords that are sealed or compared at once, each with 64 MiB: who comes beyond waits."""

SEALING_S = 15.0
"""Seconds for one sealing or comparison, the waiting before it included."""

_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_BUSY = Text(zh="登录服务繁忙。", en="too many sign-ins at once")
_AGAIN = Text(zh="请稍候再试。", en="Try again in a moment.")
_HINT = Text(
    zh=f"至少 {PASSWORD_CHARS_MIN} 个字符。建议用几个不相干的词连成一句，容易记，不易猜。",
    en=f"{PASSWORD_CHARS_MIN} characters at least. Some unrelated words in a row are easy to keep and hard to guess.",
)


def checked_password(password: str, *, login: str, name: str) -> str:
    """Return a new password in the form in which it is sealed.

    Raises:
        BadValue: it breaks a rule; says which.

    """
    plain = normal(password)
    fault = _fault_of(plain, (login, name))
    if fault is not None:
        raise BadValue(fault, _HINT)
    return plain


def normal(password: str) -> str:
    """Return a password as it is compared: keyboards compose the same character in different ways."""
    return unicodedata.normalize("NFC", password)


def _fault_of(password: str, names: tuple[str, str]) -> Text | None:
    if len(password) < PASSWORD_CHARS_MIN:
        return Text(
            zh=f"密码太短：至少 {PASSWORD_CHARS_MIN} 个字符。",
            en=f"the password is too short: {PASSWORD_CHARS_MIN} characters at least",
        )
    if len(password) > PASSWORD_CHARS_MAX:
        return Text(
            zh=f"密码太长：至多 {PASSWORD_CHARS_MAX} 个字符。",
            en=f"the password is too long: {PASSWORD_CHARS_MAX} characters at most",
        )
    folded = password.casefold()
    if any(len(one) > 1 and one.casefold() in folded for one in names):
        return Text(zh="密码中不能有登录名或姓名。", en="the password holds the login or the name")
    if password.isdecimal():
        return Text(zh="密码不能全是数字。", en="the password is digits alone")
    if len(set(folded)) < DISTINCT_CHARS_MIN:
        return Text(zh="密码中重复的字符太多。", en="the password repeats too few characters")
    if _AROUND.sub("", folded) in _commonest() or folded in _commonest():
        return Text(zh="这是最常见的密码之一，很容易被猜到。", en="this is one of the commonest passwords")
    return None


@cache
def _commonest() -> frozenset[str]:
    lines = Path(__file__).with_name("commonest_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


class Sealer:
    """Seals and compares passwords in threads, a few at once.

    ``hasher`` says how much time and memory each takes; tests take less.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turns = asyncio.Semaphore(SEALINGS_AT_ONCE)
        self._nobodys = ""

    async def sealed(self, password: str) -> str:
        """Return what is stored of a password.

        Raises:
            CallTimeout: too many people sign in at once.

        """
        return await self._in_turn(lambda: self._hasher.hash(normal(password)))

    async def opens(self, sealed: str, password: str) -> bool:
        """Tell whether a password is the sealed one; for an account without one it takes as long and is wrong.

        Raises:
            CallTimeout: too many people sign in at once.

        """
        if not sealed and not self._nobodys:
            self._nobodys = await self.sealed("nobody")
        # In the form in which it was measured when it was sealed; a form's field bounds what comes here.
        tried = normal(password)[:PASSWORD_CHARS_MAX]
        is_right = await self._in_turn(lambda: self._compared(sealed or self._nobodys, tried))
        return is_right and bool(sealed)

    def _compared(self, sealed: str, password: str) -> bool:
        try:
            return self._hasher.verify(sealed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(SEALING_S), self._turns:
                return await asyncio.to_thread(work)
        except TimeoutError as error:
            raise CallTimeout(_BUSY, _AGAIN) from error
