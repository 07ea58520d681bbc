"""What a person orders about one site, in the console or by a command, each with its line in the audit log.

To describe everything again, a code with which a PC enrols, that one of its keys speaks no more, and who looks after an
alarm.
"""

import datetime

from sqlalchemy import Connection

from hub import audit
from hub.alarm import alarm_book
from hub.alarm.alarms import Alarm
from hub.audit import Action, AuditEntry
from hub.membership import codes, keyring
from hub.staff.administration import Actor
from protocol.beats import Want
from protocol.errors import BadValue, Refused
from protocol.sites import Site
from protocol.wording import Text
from replication.watermarks import marks_of, set_want


def ask_baseline(connection: Connection, actor: Actor, site: Site, now_ms: int) -> bool:
    """Want a site to describe everything again; False if it is asked already. Its next receipts say so.

    Raises:
        Refused: nothing of the site has arrived yet, so it describes everything anyway.

    """
    mark = marks_of(connection, [site.code])[site.code]
    if not mark.epoch:
        raise Refused(
            Text(zh="该站点还没有上报过内容。", en="nothing of this site has arrived yet"),
            Text(zh="首次连接时它会完整上报，无须要求。", en="It describes everything when it first connects."),
        )
    if mark.want is not Want.NOTHING:
        return False
    set_want(connection, site.code, Want.BASELINE)
    _tell(connection, actor, Action.BASELINE_ASKED, site.code, now_ms)
    return True


def revoke(connection: Connection, actor: Actor, site: Site, key: str, because: str, now_ms: int) -> bool:
    """Take the right to speak for a site from a key, for good; False if it has none (any more).

    Raises:
        BadValue: no reason is given.

    """
    if not because:
        raise BadValue(
            Text(zh="没有写明停用的原因。", en="no reason is given"),
            Text(zh="例如：电脑丢失、报废、换机。", en="For example: lost, scrapped, replaced."),
        )
    if all(one.public_key != key for one in keyring.nodes(connection, site=site)):
        return False
    keyring.revoke(connection, [key], now_ms, because)
    _tell(connection, actor, Action.KEY_REVOKED, f"{site.code} {key}", now_ms, because)
    return True


def void_codes(connection: Connection, actor: Actor, site: Site, now_ms: int) -> bool:
    """Make the codes of a site void that nobody has used; False if there is none."""
    if not connection.execute(codes.unused_of(site.code)).rowcount:
        return False
    _tell(connection, actor, Action.CODE_VOIDED, site.code, now_ms)
    return True


def issue_code(
    connection: Connection, actor: Actor, order: codes.CodeOrder, secret: bytes, now: datetime.datetime
) -> datetime.datetime:
    """Issue a one-time code and return until when it is good; the audit log never has the code.

    Raises:
        Refused: the site has a node already, or an open code of another kind.

    """
    expires = codes.issue(connection, order, secret, now)
    detail = " ".join(word for word, holds in (("replaces", order.replaces), ("courier", order.by_courier)) if holds)
    _tell(connection, actor, Action.CODE_ISSUED, order.site.code, int(now.timestamp() * 1000), detail)
    return expires


def attend(connection: Connection, actor: Actor, alarm_id: int, name: str, note: str, now_ms: int) -> Alarm:
    """Note who looks after an alarm.

    Raises:
        BadValue: there is no such alarm.

    """
    alarm = alarm_book.acknowledge(connection, alarm_id, name, note, now_ms)
    _tell(connection, actor, Action.ALARM_ATTENDED, f"{alarm.site} #{alarm.id}", now_ms, note)
    return alarm


def _tell(connection: Connection, actor: Actor, action: Action, named: str, now_ms: int, detail: str = "") -> None:
    entry = AuditEntry(who=actor.who, action=action, object=named, origin=actor.origin, detail=detail)
    audit.append(connection, entry, now_ms)
