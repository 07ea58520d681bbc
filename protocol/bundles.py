"""Courier bundles: the same sealed frames in one file, carried on a USB stick where no line goes.

A bundle (``.dlb``) is a plain, uncompressed tar archive that any tar program unpacks:

    manifest.json        who sends what to whom: the ``Manifest`` below
    manifest.sig         128 hex digits: the sender's Ed25519 signature over ``SIGNED_PREFIX`` and the manifest
    frames/…             sealed frames, byte for byte as they go over the wire
    pages/…              or sealed pieces of approved pages, as a draw brings them over the wire (``protocol.draws``)

It says one of four things (``content``). A node *applies* to be enrolled, with the one-time code of its county. A node
*delivers* what it has minted, with its sign of life and the digest of what it publishes. A node brings the *pages* of
an order that its keeper has approved. The hub *replies* with its receipt and, sealed to that node alone, with the
admission that it sends over the line to others.

All of it is repeated state: taking a bundle twice, or after the same frames came over the network, changes nothing.
"""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

import msgspec

from protocol.beats import Beat, Receipt
from protocol.copies import COPY_PAGES_MAX, PAGE_BYTES_MAX
from protocol.draws import HEAD_BYTES, SEAL_BYTES, SESSION_BYTES
from protocol.enrolment import FINGERPRINT_BYTES
from protocol.errors import BadBundle
from protocol.limits import (
    BUNDLE_BYTES_MAX,
    BUNDLE_FRAMES_MAX,
    BUNDLE_LETTERS_BYTES_MAX,
    BUNDLE_MANIFEST_BYTES_MAX,
    BUNDLE_PAGES_SPANS_MAX,
    ENROLMENT_DECISION_BYTES_MAX,
    FRAME_BYTES_MAX,
    NODE_NAME_CHARS_MAX,
    SEQ_MAX,
)
from protocol.wording import Text

FORMAT = "danglian bundle 1"
SIGNED_PREFIX = b"danglian bundle 1\n"
APPLICATION_PREFIX = b"danglian courier enrolment 1"
_LETTERS_SEALED_MAX = BUNDLE_LETTERS_BYTES_MAX + 256
"""Bytes of sealed letters: the seal adds less than a hundred."""
PIECE_BYTES = 768 * 1024
"""Bytes of pages in one piece; both ends count by it, so it stays what it is."""
SUFFIX = ".dlb"
MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.sig"


class BundleFault(StrEnum):
    """Why a bundle was not taken."""

    NOT_A_BUNDLE = "not_a_bundle"
    INCOMPLETE = "incomplete"
    """The file ends too early: the stick was pulled out, or the copy broke off."""
    DAMAGED = "damaged"
    NEWER = "newer"
    """Written by a later version in a format that this one does not know."""
    WRONG_WAY = "wrong_way"
    """Meant for the other end: a hub's reply brought to the hub, a node's delivery to a node."""
    FOREIGN_HUB = "foreign_hub"
    """Of or for another county's hub."""
    FOREIGN_SITE = "foreign_site"
    """For another site, or for another installation of this site."""
    UNKNOWN_KEY = "unknown_key"
    REVOKED_KEY = "revoked_key"
    OUT_OF_ORDER = "out_of_order"
    """What lies before it has not arrived."""
    FORKED = "forked"
    """It contradicts what arrived before; the site is asked to begin anew."""
    DENIED = "denied"
    """An application that the hub turned down."""
    NOT_AWAITED = "not_awaited"
    """Pages of an order that this hub does not know, or of others than those that were approved."""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a bundle's way."""

    site: str
    """Site code; the county's for its hub, empty while a node does not know its site yet."""
    key: str
    """Public NKey; empty where the sender does not know it yet."""


class FrameMember(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed frame in the bundle."""

    previous: int
    last: int
    size_bytes: int
    digest: str
    """SHA-256 of the sealed bytes, as the next frame names it."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="delivery"):
    """What a node brings: events of one epoch after ``previous`` up to ``last``, and how the site is."""

    epoch: str
    previous: int
    last: int
    confirmed: int
    """Position up to which this node has receipts: whoever stands before it has lost something."""
    record_count: int
    digest: str
    """Tally of all records that the site publishes, at the position that the beat names."""
    beat: Beat
    letters: bytes = b""
    """The site's ``CarriedLetters``, sealed to the hub's key (since 1.5)."""


class Compared(StrEnum):
    """What the hub found when it compared the site's records with its copy."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NOT_COMPARED = "not_compared"


class PagesWanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is still missing of the pages of one order, after some of them have come by courier."""

    consignment_id: UUID
    spans: tuple[tuple[int, int], ...]
    """Begin and end of what is missing in the row of bytes; none if all of it is here."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="reply"):
    """What the hub brings: how far it has applied the site's events, and what it wants."""

    receipt: Receipt
    heard: int = 0
    """Serial number of the latest delivery of this node that the hub has seen; 0 for none."""
    heard_epoch: str = ""
    heard_confirmed: int = 0
    """What that delivery said of itself: a receipt before it is no old one, the hub was put back."""
    compared: Compared = Compared.NOT_COMPARED
    """Outcome of the comparison, if it was made at the position of the receipt."""
    admission: bytes = b""
    """The node's ``Admission``, sealed to its key: only that installation can read it."""
    letters: bytes = b""
    """The hub's ``CarriedLetters``, sealed to the node's key (since 1.5)."""
    pages: tuple[PagesWanted, ...] = ()
    """Orders of which some pages are here; of every other one that was approved, all are wanted (since 1.6)."""


class Pages(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="pages"):
    """Pages of an approved order, or a stretch of them: of the row of bytes of its consignment (since 1.6).

    The members are the pieces of that stretch in order, ``PIECE_BYTES`` each and the last one shorter, sealed as over
    the line. Their lengths follow from this; their bytes are proven by the seal, whose key the hub alone can open.
    """

    consignment_id: UUID
    """Also the name of the order."""
    list_digest: str
    """``consignments.list_digest`` of the pages that were approved."""
    total_bytes: int
    """Of all pages."""
    first: int
    """Where the stretch begins in the row."""
    last: int
    """Where it ends."""
    session: str
    """Random name of this sealing, 32 hex digits."""
    sealed_key: bytes
    """The key of the pieces, sealed to the hub's key."""

    def __post_init__(self) -> None:
        """Refuse what cannot be true."""
        is_row = 0 <= self.first < self.last <= self.total_bytes <= COPY_PAGES_MAX * PAGE_BYTES_MAX
        is_named = len(self.session) == 2 * SESSION_BYTES and not set(self.session) - set("0123456789abcdef")
        if not is_row or not is_named or self.last - self.first > BUNDLE_BYTES_MAX:
            message = f"pages {self.first}-{self.last} of {self.total_bytes}, session {self.session[:40]!r}"
            raise ValueError(message)

    @property
    def pieces(self) -> Iterator[tuple[int, int]]:
        """Where each piece begins and ends in the row."""
        for begins in range(self.first, self.last, PIECE_BYTES):
            yield begins, min(begins + PIECE_BYTES, self.last)


class CourierApplication(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="application"
):
    """What an installation brings to become a node; the manifest names and proves its key.

    The code itself does not travel: whoever finds the stick cannot use it. Its secret makes a key pair, of which the
    hub keeps the public half, and what this key signs proves that the applicant holds the code.
    """

    code_key: str
    """Public NKey made from the code's secret."""
    code_signature: bytes
    """By that key, over ``applied_words``."""
    hub_fingerprint: bytes
    name: str = ""
    """What the site calls this installation; never a person's name."""
    home_site: str = ""
    """The site that this home belongs to already, if any."""
    software: str = ""


Content = Delivery | Reply | Pages | CourierApplication


class Manifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a bundle says of itself; signed by its sender."""

    format: str
    sender: Party
    receiver: Party
    serial: int
    """Grows from bundle to bundle of one sender to one receiver: an older one never undoes a newer one."""
    made_at_ms: int
    """By the sender's clock: for display."""
    content: Content
    frames: tuple[FrameMember, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a manifest whose bounds cannot be true."""
        if len(self.frames) > BUNDLE_FRAMES_MAX or not 0 < self.serial <= SEQ_MAX:
            message = f"out of bounds: {len(self.frames)} frames, serial {self.serial}"
            raise ValueError(message)
        letters = self.content.letters if isinstance(self.content, Delivery | Reply) else b""
        if len(letters) > _LETTERS_SEALED_MAX:
            message = f"letters of {len(letters)} bytes"
            raise ValueError(message)
        if not isinstance(self.content, Delivery):
            _check_small(self.content, len(self.frames))
            return
        at = self.content.previous
        for member in self.frames:
            if member.previous != at or not member.previous < member.last <= SEQ_MAX:
                message = f"frame {member.previous}-{member.last} does not follow position {at}"
                raise ValueError(message)
            if not 0 < member.size_bytes <= FRAME_BYTES_MAX:
                message = f"frame of {member.size_bytes} bytes"
                raise ValueError(message)
            at = member.last
        if at != self.content.last:
            message = f"frames end at {at}, not at {self.content.last}"
            raise ValueError(message)


def _check_small(content: Reply | Pages | CourierApplication, frames: int) -> None:
    sealed = len(content.admission) if isinstance(content, Reply) else 0
    sealed = len(content.sealed_key) if isinstance(content, Pages) else sealed
    if isinstance(content, Reply) and sum(1 + len(one.spans) for one in content.pages) > BUNDLE_PAGES_SPANS_MAX:
        message = f"pages of {len(content.pages)} orders"
        raise ValueError(message)
    name = len(content.name) if isinstance(content, CourierApplication) else 0
    if frames or sealed > ENROLMENT_DECISION_BYTES_MAX or name > NODE_NAME_CHARS_MAX:
        message = f"out of bounds: {frames} frames, admission of {sealed} bytes, name of {name} characters"
        raise ValueError(message)


class _Form(msgspec.Struct, frozen=True, kw_only=True):
    """Just enough of a manifest to tell whether this version can read it."""

    format: str = ""


_encoder = msgspec.json.Encoder()
_manifests = msgspec.json.Decoder(Manifest)
_forms = msgspec.json.Decoder(_Form)

COPY_AGAIN = Text(
    zh="请在写出它的电脑上重新写出（bundle out），安全弹出 U 盘后再带来；没有任何内容丢失。",
    en="Write it again where it came from (bundle out) and eject the stick before you pull it out; nothing is lost.",
)


def member_name(number: int, member: FrameMember) -> str:
    """Return the name of the ``number``-th frame in the archive, counted from 1."""
    return f"frames/{number:06d}-{member.previous}-{member.last}.dlf"


def members_of(manifest: Manifest) -> Iterator[tuple[str, int]]:
    """Yield name and size of what follows the signature: frames, or pieces of pages."""
    content = manifest.content
    if not isinstance(content, Pages):
        yield from (
            (member_name(number, member), member.size_bytes) for number, member in enumerate(manifest.frames, 1)
        )
        return
    for number, (begins, ends) in enumerate(content.pieces, 1):
        yield f"pages/{number:06d}-{begins}-{ends}.dlc", HEAD_BYTES + ends - begins + SEAL_BYTES


def hub_fingerprint(hub_key: str) -> bytes:
    """Return what a courier's enrolment code carries of the hub: the first 120 bits of the digest of its key."""
    return hashlib.sha256(b"danglian hub " + hub_key.encode("ascii")).digest()[:FINGERPRINT_BYTES]


def applied_words(node_key: str, fingerprint: bytes) -> bytes:
    """Return what the code's key signs: bound to this node and this hub."""
    return b"\n".join((APPLICATION_PREFIX, node_key.encode("ascii"), fingerprint))


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the JSON of a manifest, newline included."""
    return _encoder.encode(manifest) + b"\n"


def decode_manifest(raw: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        BadBundle: too large, of a later format, or not a manifest.

    """
    if len(raw) > BUNDLE_MANIFEST_BYTES_MAX:
        raise damaged(Text(zh="清单过大", en=f"a manifest of {len(raw)} bytes"))
    try:
        form = _forms.decode(raw).format
        if form.startswith("danglian bundle ") and form != FORMAT:
            raise BadBundle(
                BundleFault.NEWER,
                Text(zh=f"信使包由更新的版本写出（{form}）。", en=f"the bundle has a later format ({form})"),
                Text(zh="请升级本端后再收取，数据不会丢失。", en="Upgrade this end and take it then; nothing is lost."),
            )
        manifest = _manifests.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(Text(zh=f"清单无法解读（{error}）", en=f"unreadable manifest ({error})")) from error
    if manifest.format != FORMAT:
        raise damaged(Text(zh="清单不是信使包的清单", en="its manifest is none of a bundle"))
    return manifest


def damaged(what: Text) -> BadBundle:
    """Return the error of a bundle whose bytes are not those that its sender wrote."""
    return BadBundle(
        BundleFault.DAMAGED,
        Text(
            zh=f"信使包已损坏或被改动：{what.zh}；未收取任何内容。",
            en=f"the bundle is damaged or was altered: {what.en}; nothing was taken",
        ),
        COPY_AGAIN,
    )
