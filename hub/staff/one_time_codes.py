"""One-time codes of an authenticator (TOTP, RFC 6238): six digits, a new one every 30 seconds."""

import pyotp

STEP_S = 30
"""Seconds that a code stands."""

STEPS_AROUND = 1
"""Steps before and after the present one whose codes count as well: the clock of a telephone is a little off."""


def new_secret() -> str:
    """Return the secret that an authenticator is given, in base 32."""
    return pyotp.random_base32()


def address_of(secret: str, login: str) -> str:
    """Return what the picture for an authenticator says; short, so that the picture is coarse and easily read."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Danglian")


def step_of(secret: str, code: str, now_ms: int, after_step: int = 0) -> int | None:
    """Return the step of time of which this is the code; None if it is the code of no step that counts.

    Steps up to ``after_step`` do not count: a code that somebody looked on at is not good a second time.
    """
    given = "".join(one for one in code if one.isascii() and one.isdigit())
    now_step = now_ms // 1000 // STEP_S
    codes = pyotp.TOTP(secret)
    for step in range(now_step - STEPS_AROUND, now_step + STEPS_AROUND + 1):
        if step > after_step and pyotp.utils.strings_equal(codes.generate_otp(step), given):
            return step
    return None
