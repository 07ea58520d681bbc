"""Deciding on applications: who becomes a node, and the words for those who do not.

A wrong code costs a read, never a place in the queue of writers. A good one is answered when the broker knows the new
key, so that the node can connect at once.
"""

import datetime
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import structlog

from hub.membership import codes
from hub.repair.holdings import count_of
from protocol.enrolment import Admission, Application, Decision, Denial, DenialCause
from protocol.errors import DanglianError
from protocol.wording import Text
from replication.database import Database

log = structlog.get_logger(__name__)


class County(msgspec.Struct, frozen=True, kw_only=True):
    """What every admission says of the county."""

    code: str
    name: str
    hub_key: str
    county_key: bytes
    broker_urls: tuple[str, ...]
    broker_ca: str


class Admissions:
    """Decides on applications: reads, then writes, then has the broker learn the new key."""

    def __init__(
        self,
        database: Database,
        county: County,
        fingerprint: bytes,
        settle: Callable[[], Awaitable[None]],
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._database = database
        self._county = county
        self._fingerprint = fingerprint
        self._settle = settle
        self._now = now

    async def decide(self, application: Application) -> Decision:
        """Return the admission of a good application, or why it is turned down."""
        now, fingerprint = self._now(), self._fingerprint
        verdict = await self._database.read(lambda found: codes.judge(found, application, fingerprint, now))
        if isinstance(verdict, codes.Verdict) and not verdict.is_repeat:
            verdict = await self._database.write(lambda found: codes.admit(found, application, fingerprint, now))
        if isinstance(verdict, DenialCause):
            return denial(verdict)
        try:
            await self._settle()
        except DanglianError as error:
            # The key is on the keyring: the broker learns it at the latest when it starts again.
            log.warning("admission_ahead_of_broker", reason=error.reason.en)
        log.info("node_admitted", site=verdict.site.code, replaced=len(verdict.replaces), repeated=verdict.is_repeat)
        held = await self._database.read(partial(count_of, site=verdict.site.code))
        return admission_of(self._county, verdict.site.code, verdict.site_name, records_held=held)


def admission_of(county: County, site: str, site_name: str, *, records_held: int = 0) -> Admission:
    """Return all that a node of a site needs to know of its county."""
    return Admission(
        site=site,
        site_name=site_name,
        county=county.code,
        county_name=county.name,
        hub_key=county.hub_key,
        county_key=county.county_key,
        broker_urls=county.broker_urls,
        broker_ca=county.broker_ca,
        records_held=records_held,
    )


def denial(cause: DenialCause) -> Denial:
    """Return a no with the words for it."""
    reason, hint = _WORDS[cause]
    return Denial(cause=cause, reason=reason, hint=hint)


_NEW_CODE = Text(
    zh="请向县档案馆索取新的登记码（danglian-hub enrol）。",
    en="Ask the county archive for a new code (danglian-hub enrol).",
)
_LATER = Text(zh="请稍后重试。", en="Try again later.")
_NEW_KEY = Text(
    zh="请换一个新的目录（--home）重新登记，并向县档案馆索取新的登记码。",
    en="Enrol again in a new home (--home), with a new code of the county archive.",
)
_WORDS = {
    DenialCause.WRONG_CODE: (Text(zh="县级枢纽不认识此登记码。", en="the hub does not know this code"), _NEW_CODE),
    DenialCause.USED_CODE: (
        Text(zh="此登记码已被另一台电脑使用。", en="another installation has used this code"),
        _NEW_CODE,
    ),
    DenialCause.EXPIRED_CODE: (Text(zh="此登记码已过期。", en="this code has expired"), _NEW_CODE),
    DenialCause.SITE_HAS_NODE: (
        Text(zh="本站已有在用的节点。", en="the site has a node already"),
        Text(
            zh="若要换机，请县档案馆用 --replace 重新发码。",
            en="For a new PC the county archive issues a code with --replace.",
        ),
    ),
    DenialCause.OTHER_SITE: (
        Text(zh="此登记码属于另一个站点。", en="this code is for another site than this home"),
        Text(zh="请核对登记码，或用 --home 指定新的目录。", en="Check the code, or name a new folder with --home."),
    ),
    DenialCause.SPENT_KEY: (
        Text(zh="本机密钥已停用或属于另一个站点。", en="this installation's key was revoked, or is another site's"),
        _NEW_KEY,
    ),
    DenialCause.BAD_APPLICATION: (
        Text(zh="登记申请无法解读或签名不符。", en="the application is unreadable, or its signature does not hold"),
        Text(zh="请确认两端版本相符后重试。", en="See that both ends have matching versions, and try again."),
    ),
    DenialCause.TOO_MANY_TRIES: (
        Text(zh="错误的尝试过多，暂停登记。", en="too many wrong tries"),
        Text(zh="请十分钟后重试。", en="Try again in ten minutes."),
    ),
    DenialCause.HUB_TROUBLE: (Text(zh="县级枢纽暂时无法处理。", en="the hub cannot do it now"), _LATER),
}
