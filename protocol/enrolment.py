"""Enrolment: how an installation becomes the node of a site.

The county archive issues a one-time code and hands it over by telephone, on paper or on a USB stick. It is 42
characters in seven groups of six, in the alphabet of Crockford's base32 (no I, L, O, U):

    16 characters  the secret, 80 random bits; the hub keeps only its digest
    24 characters  the first 120 bits of the SHA-256 of the certificate that the hub's enrolment door shows
     2 characters  a checksum over GF(32): every wrong character and every swap of neighbours is noticed

So the first connection is already a proven one: the node compares the certificate before it sends a byte. Then one
line of JSON goes each way: an ``Application``, answered by an ``Admission`` or a ``Denial``. The node's key is born on
the node; only its public half is sent, with a signature that proves that the other half is there.
Repeating the same application brings the same admission, so that a power cut in between does no harm.
"""

import base64
import binascii
import hashlib
import unicodedata
from enum import StrEnum
from typing import TypeVar

import msgspec

from protocol.errors import BadValue
from protocol.limits import ENROLMENT_APPLICATION_BYTES_MAX, ENROLMENT_DECISION_BYTES_MAX, NODE_NAME_CHARS_MAX
from protocol.wording import Text

SECRET_BYTES = 10
FINGERPRINT_BYTES = 15
_GROUP_CHARS = 6
_PAYLOAD_CHARS = 40
_CODE_CHARS = _PAYLOAD_CHARS + 2

BROKER_PORT = 4222
"""Port of the broker unless the county chose another."""

ENROLMENT_PORT = 4223
"""Port of the hub's enrolment door unless the county chose another."""

SIGNED_PREFIX = b"danglian enrolment 1"

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_RFC_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_RFC = str.maketrans(_ALPHABET, _RFC_ALPHABET)
_FROM_RFC = str.maketrans(_RFC_ALPHABET, _ALPHABET)
_LOOK_ALIKES = str.maketrans("OIL", "011")
_FIELD_BITS = 5
_FIELD_POLYNOMIAL = 0b100101
"""x^5 + x^2 + 1, primitive over GF(2)."""


class EnrolmentCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a one-time code carries."""

    secret: bytes
    fingerprint: bytes

    @property
    def written(self) -> str:
        """The code as people copy it: seven groups of six characters."""
        payload = base64.b32encode(self.secret + self.fingerprint).decode("ascii").translate(_FROM_RFC)
        code = payload + _checksum(payload)
        return "-".join(code[start : start + _GROUP_CHARS] for start in range(0, len(code), _GROUP_CHARS))


def fingerprint_of(certificate_der: bytes) -> bytes:
    """Return the part of a certificate's SHA-256 that a code carries."""
    return hashlib.sha256(certificate_der).digest()[:FINGERPRINT_BYTES]


def secret_digest(secret: bytes) -> bytes:
    """Return what the hub keeps of a secret; 80 random bits need no slow hash."""
    return hashlib.sha256(b"danglian enrolment secret" + secret).digest()


def parse_code(typed: str) -> EnrolmentCode:
    """Read a code as somebody typed it: any case, any or no separators, full-width letters, O for 0, I or L for 1.

    Raises:
        BadValue: not a code, or mistyped.

    """
    folded = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(character for character in folded if character.isalnum()).translate(_LOOK_ALIKES)
    if len(code) != _CODE_CHARS:
        raise BadValue(
            Text(
                zh=f"登记码应有 {_CODE_CHARS} 个字符，收到 {len(code)} 个。",
                en=f"an enrolment code has {_CODE_CHARS} characters, got {len(code)}",
            ),
            _COPY_AGAIN,
        )
    foreign = sorted({character for character in code if character not in _VALUES})
    if foreign:
        shown = " ".join(foreign)
        raise BadValue(
            Text(zh=f"登记码中有不可能出现的字符：{shown}", en=f"an enrolment code never has: {shown}"), _COPY_AGAIN
        )
    payload, checksum = code[:_PAYLOAD_CHARS], code[_PAYLOAD_CHARS:]
    if _checksum(payload) != checksum:
        raise BadValue(
            Text(zh="登记码抄写有误（校验不符）。", en="the enrolment code was mistyped (its checksum differs)"),
            _COPY_AGAIN,
        )
    content = base64.b32decode(payload.translate(_TO_RFC))
    return EnrolmentCode(secret=content[:SECRET_BYTES], fingerprint=content[SECRET_BYTES:])


_COPY_AGAIN = Text(
    zh="请逐组核对：7 组、每组 6 个字符；登记码里没有字母 I、L、O、U。",
    en="Compare group by group: seven groups of six characters; the letters I, L, O and U never occur.",
)


def _checksum(payload: str) -> str:
    """Return two check characters: the sum of all characters, and the sum weighted by powers of a primitive element."""
    plain = weighted = 0
    for character in payload:
        value = _VALUES[character]
        plain ^= value
        weighted = _times_primitive(weighted) ^ value
    return _ALPHABET[plain] + _ALPHABET[weighted]


def _times_primitive(value: int) -> int:
    doubled = value << 1
    return doubled ^ _FIELD_POLYNOMIAL if doubled >> _FIELD_BITS else doubled


class Application(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an installation sends to become a node."""

    version: int = 1
    secret: bytes
    public_key: str
    signature: bytes
    """By the key's other half, over ``signed_words``."""
    name: str = ""
    """What the site calls this installation, for the board; never a person's name."""
    site: str = ""
    """The site that this home belongs to already, if any: a code of another site is then refused before it is used."""
    software: str = ""


def signed_words(secret: bytes, public_key: str, fingerprint: bytes) -> bytes:
    """Return what an applicant signs: bound to this code, this key and this hub."""
    return b"\n".join((SIGNED_PREFIX, secret, public_key.encode("ascii"), fingerprint))


class Admission(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="decision", tag="admitted"):
    """All that a node needs to know of its county."""

    site: str
    site_name: str
    county: str
    county_name: str
    hub_key: str
    """Public NKey of the hub."""
    county_key: bytes
    """Secret of the county under which identity numbers are hashed: sites can match persons, nobody else can."""
    broker_urls: tuple[str, ...]
    broker_ca: str
    """Certificates (PEM) that vouch for the broker."""
    records_held: int = 0
    """Records that the hub holds of the site: a new node fetches them before it reads its folder (version 1.1)."""


class DenialCause(StrEnum):
    """Why an application was turned down."""

    WRONG_CODE = "wrong_code"
    USED_CODE = "used_code"
    EXPIRED_CODE = "expired_code"
    SITE_HAS_NODE = "site_has_node"
    OTHER_SITE = "other_site"
    SPENT_KEY = "spent_key"
    BAD_APPLICATION = "bad_application"
    TOO_MANY_TRIES = "too_many_tries"
    HUB_TROUBLE = "hub_trouble"


class Denial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="decision", tag="denied"):
    """A no, with words for the person at the node."""

    cause: DenialCause
    reason: Text
    hint: Text


Decision = Admission | Denial

_encoder = msgspec.json.Encoder()
_applications = msgspec.json.Decoder(Application)
_decisions: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)

_Wire = TypeVar("_Wire", Application, Decision)


def encode(message: Application | Decision) -> bytes:
    """Return one line of JSON, newline included."""
    return _encoder.encode(message) + b"\n"


def decode_application(line: bytes) -> Application:
    """Read an application.

    Raises:
        BadValue: too large, or not an application.

    """
    application = _decode(_applications, line, ENROLMENT_APPLICATION_BYTES_MAX)
    if len(application.secret) != SECRET_BYTES or len(application.name) > NODE_NAME_CHARS_MAX:
        raise BadValue(Text(zh="登记申请内容不合规。", en="an application out of bounds"))
    return application


def decode_decision(line: bytes) -> Decision:
    """Read the hub's decision.

    Raises:
        BadValue: too large, or not a decision.

    """
    return _decode(_decisions, line, ENROLMENT_DECISION_BYTES_MAX)


def _decode(decoder: "msgspec.json.Decoder[_Wire]", line: bytes, bytes_max: int) -> _Wire:
    if len(line) > bytes_max:
        raise BadValue(Text(zh=f"登记消息超过 {bytes_max} 字节。", en=f"enrolment message over {bytes_max} bytes"))
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
        raise BadValue(Text(zh=f"登记消息无法解读：{error}", en=f"unreadable enrolment message: {error}")) from error
