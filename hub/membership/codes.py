"""One-time codes: issued by the county, spent by one installation each.

A site has at most one open code; a new one takes the place of the one before. An admission is one transaction: the code
is spent, the key is on the keyring, and a node that it replaces is revoked, or nothing of that has happened.
"""

import datetime

import msgspec
from sqlalchemy import Connection, Delete, Insert, Row, Select, delete, func, insert, select, update

from hub.membership import keyring
from hub.membership.broker_config import is_public_key
from hub.membership.keyring_tables import enrolled_node, enrolment_code, expected_site
from protocol.bundles import CourierApplication
from protocol.enrolment import Application, DenialCause, secret_digest, signed_words
from protocol.errors import Refused
from protocol.limits import NODE_NAME_CHARS_MAX
from protocol.sites import Site, parse_site
from protocol.wording import Text
from replication.courier_codes import code_identity, is_proven
from replication.keys import verified

REPLACED = "replaced"
"""Why a node was revoked whose site got a new one."""


class CodeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a code is to be good for."""

    site: Site
    name: str = ""
    """What the county calls the site; empty keeps the name it has."""
    valid_days: int
    replaces: bool = False
    """Whether the node that it admits takes the place of the one that the site has."""
    by_courier: bool = False
    """Whether the application comes by courier; such a code is of no use at the enrolment door."""


class OpenCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code that nobody has used yet."""

    site: str
    site_name: str
    replaces: bool
    issued_at_ms: int
    expires_at_ms: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A yes: the site that the applicant speaks for from now on."""

    site: Site
    site_name: str
    code: bytes
    """Digest of the code's secret."""
    replaces: tuple[str, ...] = ()
    """Keys that are revoked by the admission."""
    is_repeat: bool = False
    """The same application was granted before: nothing is left to do."""


def open_codes_statement(now_ms: int) -> Select[tuple[str, str, int, int, int]]:
    """Select codes that can still be used, in the order of their sites."""
    return (
        select(
            enrolment_code.c.site,
            func.coalesce(expected_site.c.name, "").label("site_name"),
            enrolment_code.c.replaces,
            enrolment_code.c.issued_at_ms,
            enrolment_code.c.expires_at_ms,
        )
        .outerjoin(expected_site, expected_site.c.site == enrolment_code.c.site)
        .where(enrolment_code.c.used_at_ms.is_(None), enrolment_code.c.expires_at_ms > now_ms)
        .order_by(enrolment_code.c.site)
    )


def unused_of(site: str) -> Delete:
    """Delete the codes of a site that nobody has used."""
    return delete(enrolment_code).where(enrolment_code.c.site == site, enrolment_code.c.used_at_ms.is_(None))


def newcomer(public_key: str, application: Application | CourierApplication, site: Site, now_ms: int) -> Insert:
    """Put an applicant on the keyring."""
    return insert(enrolled_node).values(
        public_key=public_key,
        site=site.code,
        name=_printable(application.name),
        software=_printable(application.software),
        enrolled_at_ms=now_ms,
    )


def open_codes(connection: Connection, now_ms: int) -> list[OpenCode]:
    """Return codes that can still be used."""
    return [
        OpenCode(
            site=row.site,
            site_name=row.site_name,
            replaces=bool(row.replaces),
            issued_at_ms=row.issued_at_ms,
            expires_at_ms=row.expires_at_ms,
        )
        for row in connection.execute(open_codes_statement(now_ms))
    ]


def issue(connection: Connection, order: CodeOrder, secret: bytes, now: datetime.datetime) -> datetime.datetime:
    """Store a new code, expect its site, and return when the code ends.

    Raises:
        Refused: the site has a node, and the order does not say that it is to be replaced.

    """
    code = order.site.code
    if not order.replaces and keyring.nodes(connection, site=order.site):
        raise Refused(
            Text(zh=f"站点 {code} 已有在用的节点。", en=f"site {code} has a node already"),
            Text(
                zh="若要换机，请加 --replace：新节点登记成功时，旧节点立即停用。",
                en="For a new PC add --replace: the old node is cut off at the moment the new one is admitted.",
            ),
        )
    expires = now + datetime.timedelta(days=order.valid_days)
    connection.execute(unused_of(code))
    connection.execute(
        insert(enrolment_code).values(
            secret_digest=secret_digest(secret),
            site=code,
            replaces=int(order.replaces),
            issued_at_ms=_ms(now),
            expires_at_ms=_ms(expires),
            courier_key=code_identity(secret).public_key if order.by_courier else "",
        )
    )
    keyring.expect(connection, order.site, order.name, now.date())
    return expires


def judge(
    connection: Connection, application: Application, fingerprint: bytes, now: datetime.datetime
) -> Verdict | DenialCause:
    """Decide on an application without changing anything."""
    key = application.public_key
    if not is_public_key(key) or not verified(
        key, application.signature, signed_words(application.secret, key, fingerprint)
    ):
        return DenialCause.BAD_APPLICATION
    digest = secret_digest(application.secret)
    code = connection.execute(select(enrolment_code).where(enrolment_code.c.secret_digest == digest)).one_or_none()
    return _judged(connection, code, key, application.site, now)


def judge_carried(
    connection: Connection, key: str, application: CourierApplication, now: datetime.datetime
) -> Verdict | DenialCause:
    """Decide on an application that came by courier, and whose manifest the holder of ``key`` signed."""
    if not is_public_key(key) or not application.code_key or not is_proven(application, key):
        return DenialCause.BAD_APPLICATION
    named = select(enrolment_code).where(enrolment_code.c.courier_key == application.code_key)
    return _judged(connection, connection.execute(named).one_or_none(), key, application.home_site, now)


def _judged(
    connection: Connection, code: Row[tuple[object, ...]] | None, key: str, home_site: str, now: datetime.datetime
) -> Verdict | DenialCause:
    """Decide whether a code is good for a key, whose holder has proved that it holds both."""
    if code is None:
        return DenialCause.WRONG_CODE
    site = parse_site(code.site)
    if home_site not in ("", site.code):
        return DenialCause.OTHER_SITE
    known = keyring.node(connection, key)
    if known is not None and (known.revoked_at_ms is not None or known.site != site.code):
        return DenialCause.SPENT_KEY
    verdict = Verdict(site=site, site_name=keyring.expected_name(connection, site), code=code.secret_digest)
    if code.used_at_ms is not None:
        return msgspec.structs.replace(verdict, is_repeat=True) if code.used_by == key else DenialCause.USED_CODE
    if code.expires_at_ms <= _ms(now):
        return DenialCause.EXPIRED_CODE
    others = tuple(other.public_key for other in keyring.nodes(connection, site=site) if other.public_key != key)
    if others and not code.replaces:
        return DenialCause.SITE_HAS_NODE
    return msgspec.structs.replace(verdict, replaces=others)


def admit(
    connection: Connection, application: Application, fingerprint: bytes, now: datetime.datetime
) -> Verdict | DenialCause:
    """Put the applicant on the keyring if its code is good; the same application again brings the same answer."""
    verdict = judge(connection, application, fingerprint, now)
    if isinstance(verdict, Verdict):
        _spend(connection, verdict, application.public_key, application, _ms(now))
    return verdict


def admit_carried(
    connection: Connection, key: str, application: CourierApplication, now: datetime.datetime
) -> Verdict | DenialCause:
    """Do the same for an application that came by courier."""
    verdict = judge_carried(connection, key, application, now)
    if isinstance(verdict, Verdict):
        _spend(connection, verdict, key, application, _ms(now))
    return verdict


def _spend(
    connection: Connection, verdict: Verdict, key: str, application: Application | CourierApplication, now_ms: int
) -> None:
    if verdict.is_repeat:
        return
    keyring.revoke(connection, verdict.replaces, now_ms, REPLACED)
    if keyring.node(connection, key) is None:
        connection.execute(newcomer(key, application, verdict.site, now_ms))
    connection.execute(
        update(enrolment_code)
        .where(enrolment_code.c.secret_digest == verdict.code)
        .values(used_at_ms=now_ms, used_by=key)
    )


def _printable(text: str) -> str:
    """Return what may be shown on a terminal or a page of a text that came from outside."""
    return "".join(character for character in text if character.isprintable())[:NODE_NAME_CHARS_MAX]


def _ms(moment: datetime.datetime) -> int:
    return int(moment.timestamp() * 1000)
