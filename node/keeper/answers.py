"""Answering lookups: the site's policy decides what leaves (promise 8), and the log says so in the same transaction.

Both ways in, the live call and the letter, come to ``answered``: it searches, applies the policy record by record,
writes the line, and returns what may be told. What does not fit into an answer is not told and not logged as told.
Whether a question is over the asker decides, by its own clock: those of village PCs are wrong by days.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy import Connection

from node import indexing
from node.keeper import audit, county_heads
from node.keeper.audit import Action, NodeAuditEntry, ReadDetail, Told
from node.search import Finding, FoundRecord, find_in
from protocol.audit_chain import head_of
from protocol.audit_letters import AUDIT_HEAD
from protocol.calls import LookedUp, LookedUpHit, Lookup, Outcome, Refusal, question_digest
from protocol.codec import decode_record, encode_question
from protocol.errors import BadValue
from protocol.identity_numbers import mask_identity_numbers
from protocol.letters import Letter
from protocol.lookup_cases import CASE_REF_CHARS_MAX, CODE_CHARS_MAX, checked_case
from protocol.lookup_policy import Policy, Treatment
from protocol.lookups import LOOKUP_ANSWERED, LOOKUP_ASKED, LookupAnswered, decoded_lookup
from protocol.masking import said_words, treated
from protocol.search_calls import query_of
from protocol.wording import Text
from replication import letters, outbox
from replication.answering import Handler, Said
from replication.database import Database
from replication.letters import HUB_PEER, Handlers, LetterHandler

ANSWER_FILL_BYTES: Final = 56 * 1024
"""Bytes of records after which no more join an answer: what stands around them leaves it below a reply's bound."""

LIVE: Final = "live"
LETTER: Final = "letter"


def lookup_handler(database: Database, policy: Policy, clock_ms: Callable[[], int]) -> Handler:
    """Return what answers ``Lookup``."""

    async def answer(question: Lookup) -> Said:
        digest = question_digest(encode_question(question))
        return await database.write(lambda connection: answered(connection, policy, question, LIVE, digest, clock_ms()))

    return answer


def letter_handler(policy: Policy, clock_ms: Callable[[], int]) -> LetterHandler:
    """Return what answers the letter ``lookup_asked``, with a letter."""

    def take(connection: Connection, peer: str, letter: Letter) -> None:
        now_ms = clock_ms()
        question, digest = decoded_lookup(letter.body), question_digest(bytes(letter.body))
        outcome, body = answered(connection, policy, question, LETTER, digest, now_ms)
        here = outbox.head(connection)
        told = LookupAnswered(
            lookup_id=question.lookup_id,
            question_digest=digest,
            outcome=outcome,
            body=body,
            epoch=here.epoch if here is not None else "",
            seq=here.seq if here is not None else 0,
            answered_at_ms=now_ms,
        )
        letters.write(
            connection, peer, kind=LOOKUP_ANSWERED, topic=letter.topic, body=told, now_ms=now_ms, expires_at_ms=0
        )

    return take


def keeper_letters(policy: Policy, clock_ms: Callable[[], int]) -> Handlers:
    """Return what the site does with the letters about lookups and about the two audit logs."""
    return {
        LOOKUP_ASKED: letter_handler(policy, clock_ms),
        AUDIT_HEAD: county_heads.head_letter_handler(clock_ms),
    }


def answered(
    connection: Connection, policy: Policy, question: Lookup, way: str, digest: str, now_ms: int
) -> tuple[Outcome, LookedUp | Refusal]:
    """Search, decide record by record what is told, write it down, and return it; one transaction.

    Args:
        connection: of the writer.
        policy: the site's.
        question: what is asked, under which case.
        way: ``live`` or ``letter``.
        digest: of the question's bytes.
        now_ms: the site's clock.

    """
    county_heads.keep(connection, question.head, question.asked_at_ms, now_ms)
    try:
        checked_case(question.case)
    except BadValue as error:
        return _refused(connection, question, way, digest, error.reason, now_ms)
    # What waits outside of the index is put in first: of a case, "nothing" has to mean all that the site has read.
    indexing.finish(connection)
    finding = find_in(connection, question)
    hits, told, withheld = _treated(finding, policy, question)
    outcome = _outcome(finding, hits)
    entry = _entry(question, way, digest, policy.name)
    detail = msgspec.structs.replace(entry.detail, total=finding.total, withheld=withheld, told=told)
    is_refused = outcome is Outcome.REFUSED
    line = audit.append(
        connection,
        msgspec.structs.replace(
            entry, detail=detail, outcome=audit.Outcome.REFUSED if is_refused else audit.Outcome.DONE
        ),
        now_ms,
    )
    return outcome, LookedUp(total=finding.total, hits=hits, withheld=withheld, policy=policy.name, head=head_of(line))


def _outcome(finding: Finding, hits: tuple[LookedUpHit, ...]) -> Outcome:
    if hits:
        return Outcome.ANSWERED
    return Outcome.REFUSED if finding.total else Outcome.NOTHING


def _treated(
    finding: Finding, policy: Policy, question: Lookup
) -> tuple[tuple[LookedUpHit, ...], tuple[Told, ...], int]:
    """Return what is told, the same for the log, and how many records the policy keeps back."""
    said = said_words(query_of(question).parts, (one.text for one in question.readings))
    hits: list[LookedUpHit] = []
    told: list[Told] = []
    withheld = filled = 0
    for found in finding.best:
        treatment, body = _told(found, policy, question, said)
        if body is None:
            withheld += 1
            continue
        filled += len(body)
        if hits and filled > ANSWER_FILL_BYTES:
            break
        hits.append(LookedUpHit(record=msgspec.Raw(body), seq=found.seq, stage=found.stage, treatment=treatment.value))
        told.append(Told(record_id=decode_record(found.body).record_id, treatment=treatment.value))
    return tuple(hits), tuple(told), withheld


def _told(
    found: FoundRecord, policy: Policy, question: Lookup, said: tuple[str, ...]
) -> tuple[Treatment, bytes | None]:
    record = decode_record(found.body)
    treatment = policy.treatment(record.livelihood_kind, record.access_status, question.case)
    return treatment, treated(found.body, treatment, said)


def _refused(
    connection: Connection, question: Lookup, way: str, digest: str, reason: Text, now_ms: int
) -> tuple[Outcome, Refusal]:
    """Write down that a question was not answered, and return why."""
    entry = _entry(question, way, digest, "")
    detail = msgspec.structs.replace(entry.detail, reason=reason)
    refused = msgspec.structs.replace(entry, action=Action.LOOKUP_REFUSED, outcome=audit.Outcome.REFUSED, detail=detail)
    audit.append(connection, refused, now_ms)
    return Outcome.REFUSED, Refusal(reason_zh=reason.zh, reason_en=reason.en)


def _entry(question: Lookup, way: str, digest: str, policy: str) -> NodeAuditEntry:
    case = question.case
    return NodeAuditEntry(
        who=HUB_PEER,
        action=Action.LOOKED_UP,
        request_id=str(case.request_id),
        origin=way,
        detail=ReadDetail(
            lookup_id=question.lookup_id,
            case_ref=mask_identity_numbers(case.case_ref[:CASE_REF_CHARS_MAX])[0],
            purpose=case.purpose[:CODE_CHARS_MAX],
            requester=case.requester[:CODE_CHARS_MAX],
            question=digest,
            policy=policy,
        ),
    )
