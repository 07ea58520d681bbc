"""The statement of completeness 查询范围说明: what an answer rests on, above all an empty one (promise 10); pure.

For every question of a request it says which sites were asked, which not and why, what each said, how old each
copy was, which fonds, years and kinds each is known to hold, and what of it is not catalogued. "Not found" without it
is no proof. It is canonical JSON, signed by the hub's key: one statement has one form of bytes, so any change shows.

    {"key":"U…","signature":"<128 hex digits>","statement":{…}}

The signature is Ed25519 over ``SIGNED_PREFIX`` and the bytes of the statement. Keys of objects stand in the order of
their code points, without blanks; a reader MUST refuse any other form.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from protocol.errors import BadValue
from protocol.lookups import OPEN_OUTCOMES, LookupState, Route, SiteOutcome, state_of
from protocol.wording import Text

FORMAT: Final = "danglian completeness 1"
SIGNED_PREFIX: Final = b"danglian completeness 1\n"

HOLDINGS_TOLD_MAX: Final = 40
"""Lines of one site's holdings that are told; more fonds and kinds than that are summed up in one."""

STATEMENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes of a signed statement: twenty questions to 232 sites."""

_canonical = msgspec.json.Encoder(order="sorted")

Verify = Callable[[str, bytes, bytes], bool]
"""Tells whether a signature is that of a message by the holder of a public key (``replication.keys.verified``)."""


class HoldingLine(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one fonds and kind that a site is known to hold."""

    fonds_no: str
    livelihood_kind: str
    level: str
    entries: int
    undated: int = 0
    year_from: int | None = None
    year_to: int | None = None


class SiteLine(msgspec.Struct, frozen=True, kw_only=True):
    """One site: whether it was asked, what it said, and what is known of it."""

    site: str
    name: str
    route: Route
    why: Text
    outcome: SiteOutcome
    total: int | None = None
    """What the site counted; None if it did not speak for itself."""
    withheld: int = 0
    """Records that its policy did not let it tell."""
    index_total: int | None = None
    """What the hub's copy had."""
    reason: Text | None = None
    answered_at_ms: int | None = None
    epoch: str = ""
    seq: int = 0
    """As of: the site's position when it answered, else that of the copy."""
    copied_at_ms: int | None = None
    """When the copy last moved; None if there is none."""
    seen_at_ms: int | None = None
    """When the site was last heard, before the question."""
    holdings: tuple[HoldingLine, ...] = ()
    holdings_left_out: int = 0
    """Further lines of its holdings that are not told."""
    rejected_rows: int = 0
    """Rows of its catalogues that could not be read, and so are not in any answer."""
    unread_folders: int = 0
    volumes_only: bool = False
    """Nothing below volumes is described: what lies within one cannot be found by its own words."""
    rebuilding: bool = False
    """The copy was being rebuilt and may lack entries."""


class QuestionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One question of the request."""

    lookup_id: str
    words: str
    period_from: str = ""
    period_to: str = ""
    fonds_no: str = ""
    livelihood_kind: str = ""
    places: tuple[str, ...] = ()
    state: LookupState
    found: int
    """Records that were found and may be told of."""
    asked_at_ms: int
    expires_at_ms: int
    ended_at_ms: int | None = None
    is_expired: bool = False
    widened_because: str = ""
    sites: tuple[SiteLine, ...]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """All questions of one request, as they stood at one moment."""

    format: str = FORMAT
    statement_id: str
    county: str
    """Site code of the hub."""
    county_name: str
    request_id: str
    request_number: str = ""
    """Number in the register, where there is one."""
    case_ref: str
    purpose: str
    made_at_ms: int
    made_by: str
    questions: tuple[QuestionLine, ...]


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A statement with its signature, as it is kept, sent and embedded."""

    key: str
    signature: str
    statement: msgspec.Raw


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many sites had which outcome, over all questions; a site counts once for each."""

    asked: int
    outcomes: dict[SiteOutcome, int]
    is_proof: bool
    """Nothing was found, every site asked spoke for itself, and none told less than it found."""


def canonical(statement: Statement) -> bytes:
    """Return the bytes of a statement."""
    return _canonical.encode(statement)


def signed_bytes(statement: Statement, key: str, sign: Callable[[bytes], bytes]) -> bytes:
    """Return a statement signed by a key."""
    body = canonical(statement)
    signature = sign(SIGNED_PREFIX + body).hex()
    return _canonical.encode(Signed(key=key, signature=signature, statement=msgspec.Raw(body)))


def verified_statement(raw: bytes, verify: Verify, keys: Sequence[str] = ()) -> tuple[Statement, str]:
    """Return a statement whose signature is right, and the key that signed it.

    Args:
        raw: the bytes.
        verify: checks an Ed25519 signature.
        keys: public keys that are trusted; without any, the caller judges the key that is returned.

    Raises:
        BadValue: it is no statement, of a later format, altered, of another key, or contradicts itself.

    """
    if len(raw) > STATEMENT_BYTES_MAX:
        raise BadValue(Text(zh="文件过大，不是查询范围说明。", en=f"{len(raw)} bytes are no statement"))
    try:
        signed = msgspec.json.decode(raw.strip(), type=Signed)
        signature = bytes.fromhex(signed.signature)
        statement = msgspec.json.decode(signed.statement, type=Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise BadValue(
            Text(zh="不是查询范围说明，或已损坏。", en=f"not a statement of completeness: {error}"),
            Text(zh="请核对文件是否完整。", en="See whether the file is whole."),
        ) from error
    if statement.format != FORMAT:
        raise BadValue(
            Text(zh="说明的格式较新。", en=f"a later format: {statement.format}"),
            Text(zh="请升级本程序后再验证。", en="Upgrade this program, then verify it."),
        )
    if canonical(statement) != bytes(signed.statement):
        raise _altered("not in canonical form")
    if keys and signed.key not in keys:
        raise BadValue(
            Text(zh="不是本县的密钥签署的。", en="signed by another key than the county's"),
            Text(zh="请核对县档案馆公布的公钥。", en="Compare the public key that the county archive publishes."),
        )
    if not verify(signed.key, signature, SIGNED_PREFIX + bytes(signed.statement)):
        raise _altered("the signature is wrong")
    check_consistent(statement)
    return statement, signed.key


def check_consistent(statement: Statement) -> None:
    """Check that a statement's own figures agree; one that does not was not made by this program.

    Raises:
        BadValue: a question's state does not follow from what its sites said.

    """
    for question in statement.questions:
        outcomes = [one.outcome for one in question.sites]
        state = state_of(outcomes, hits=question.found, is_live=SiteOutcome.WAITING in outcomes)
        untold = any((one.outcome is SiteOutcome.NOT_ASKED) != (one.route is Route.NOT_ASKED) for one in question.sites)
        if state is not question.state or untold or len({one.site for one in question.sites}) != len(question.sites):
            raise BadValue(Text(zh="说明内容自相矛盾。", en=f"question {question.lookup_id} contradicts itself"))


def tally(statement: Statement) -> Tally:
    """Return how many sites had which outcome, and whether the statement proves that there is nothing."""
    outcomes: dict[SiteOutcome, int] = {}
    lines = [line for question in statement.questions for line in question.sites]
    for line in lines:
        outcomes[line.outcome] = outcomes.get(line.outcome, 0) + 1
    is_proof = bool(statement.questions) and all(
        question.state is LookupState.NOT_FOUND for question in statement.questions
    )
    return Tally(
        asked=sum(line.outcome is not SiteOutcome.NOT_ASKED for line in lines),
        outcomes=outcomes,
        is_proof=is_proof and not any(line.withheld or line.outcome in OPEN_OUTCOMES for line in lines),
    )


def _altered(why: str) -> BadValue:
    return BadValue(
        Text(zh="说明已被改动，签名不符。", en=f"the statement was altered: {why}"),
        Text(zh="请以县档案馆重新出具的为准。", en="Only one that the county archive issues anew counts."),
    )
