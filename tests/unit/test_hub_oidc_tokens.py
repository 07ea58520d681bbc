"""What a provider says of a person: one thing wrong at a time, and nobody is believed."""

import hmac
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from hub import config
from hub.staff.oidc_journeys import challenge_of
from hub.staff.oidc_settings import is_safe
from hub.staff.oidc_tokens import AGE_S_MAX, LEEWAY_S, BadIdentity, Expected, proved
from protocol.errors import BadSetting

NOW_S = float(int(time.time()))
KEY = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig"})
CURVE = ECKey.generate_key("P-256", parameters={"kid": "two"})
KEYS = KeySet([KEY, CURVE])
EXPECTED = Expected(issuer="https://sso.example", client_id="danglian", nonce="n-1", claim="sub")
CLAIMS: dict[str, Any] = {
    "iss": "https://sso.example",
    "aud": "danglian",
    "sub": "7f1c",
    "exp": NOW_S + 300,
    "iat": NOW_S,
    "nonce": "n-1",
}


def token(key: RSAKey | ECKey = KEY, alg: str = "RS256", kid: str = "one", **other: object) -> str:
    claims = {name: value for name, value in {**CLAIMS, **other}.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": kid}, claims, key, algorithms=[alg])


def why_not(text: str, expected: Expected = EXPECTED) -> str:
    with pytest.raises(BadIdentity) as told:
        proved(text, KEYS, expected, NOW_S)
    return str(told.value.why)


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"aud": ["danglian"]},
        {"aud": ["danglian", "other"], "azp": "danglian"},
        {"exp": NOW_S - LEEWAY_S + 1},
        {"iat": NOW_S + LEEWAY_S - 1},
        {"key": CURVE, "alg": "ES256", "kid": "two"},
        {"alg": "PS256"},
    ],
)
def test_a_true_token_says_who_it_is(good: dict[str, Any]) -> None:
    assert proved(token(**good), KEYS, EXPECTED, NOW_S) == "7f1c"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"iss": "https://sso.example/"}, "issuer"),
        ({"aud": "other"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": ["danglian", "other"]}, "audience"),
        ({"azp": "other"}, "audience"),
        ({"exp": NOW_S - LEEWAY_S}, "expired"),
        ({"iat": NOW_S - AGE_S_MAX}, "expired"),
        ({"nbf": NOW_S + LEEWAY_S + 1}, "not_yet"),
        ({"iat": NOW_S + LEEWAY_S + 1}, "not_yet"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"sub": None}, "no_subject"),
        ({"sub": ""}, "no_subject"),
        ({"sub": 7}, "no_subject"),
        ({"sub": "a\nb"}, "no_subject"),
        ({"exp": None}, "unreadable"),
        ({"iss": 7}, "unreadable"),
        ({"key": OTHER}, "signature"),
        ({"kid": "three"}, "unknown_key"),
        ({"alg": "RS512"}, "signature"),
    ],
)
def test_one_thing_wrong_is_enough(wrong: dict[str, Any], why: str) -> None:
    assert why_not(token(**wrong)) == why


def test_no_signature_and_one_by_a_public_key_as_secret_are_refused() -> None:
    """The two oldest tricks with such tokens."""
    head = urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
    unsigned = f"{head}.{token().split('.')[1]}."
    head = urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
    signed = f"{head}.{token().split('.')[1]}"
    mac = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    confused = f"{signed}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    assert [why_not(one) for one in (unsigned, confused)] == ["signature", "signature"]


@pytest.mark.parametrize("text", ["", "a.b.c", "...", "x" * 20_000, "ey.ey.ey", "е.е.е"])
def test_what_is_no_token_is_refused(text: str) -> None:
    assert why_not(text) in ("signature", "unreadable")


def test_a_password_asked_for_long_ago_is_not_enough_where_it_is_asked_again() -> None:
    strict = Expected(issuer="https://sso.example", client_id="danglian", nonce="n-1", claim="sub", asked_at_s=NOW_S)

    assert why_not(token(auth_time=NOW_S - 3600), strict) == "stale"
    assert proved(token(auth_time=NOW_S), KEYS, strict, NOW_S) == "7f1c"


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("https://sso.example/realms/x", True),
        ("http://127.0.0.1:9400", True),
        ("http://localhost:9400", True),
        ("http://sso.example", False),
        ("https://", False),
        ("javascript:alert(1)", False),
        ("https://a@sso.example", False),
        ("https://sso.example/#x", False),
        ("https://sso.example/\nx", False),
        ("https://[", False),
    ],
)
def test_secrets_go_over_tls_or_stay_on_this_machine(address: str, is_good: bool) -> None:
    assert is_safe(address) == is_good


@pytest.mark.parametrize(
    ("lines", "setting"),
    [
        ('issuer = "http://sso.example"', r"web\.oidc\.issuer"),
        ('issuer = "https://sso.example"\nscopes = ["email"]', r"web\.oidc\.scopes"),
        ('issuer = "https://sso.example"\nrole-claim = "groups"', r"role-claim"),
    ],
)
def test_settings_that_would_be_unsafe_are_refused_by_name(lines: str, setting: str) -> None:
    """There is no claim that gives a role, so a setting for one is unknown."""
    county = 'county = "330523000000"\nname = "某县档案馆"\n[web]\nport = 4225\n'
    with pytest.raises(BadSetting, match=setting):
        config.parse(f'{county}[web.oidc]\nclient-id = "x"\nclient-secret-file = "s"\n{lines}')
