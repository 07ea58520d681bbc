"""Taking what couriers bring to the county: deliveries of sites, their pages, and applications to become a node.

A bundle is judged by its manifest first (for this hub? from a key that may speak?), then checked to its last byte, then
put through the same inbox as the frames of the network. What is refused changes nothing but one note: that this
delivery was seen, which the next reply says.
"""

import datetime
from collections.abc import Callable

import msgspec
import structlog
from sqlalchemy import Connection

from hub.application import Application
from hub.catalogue import tally_from, tally_statement
from hub.courier import couriers
from hub.courier.carried_pages import PageIntake
from hub.courier.couriers import CourierState
from hub.membership import codes, keyring
from hub.membership.enrolment import denial
from hub.membership.keyring import Keyring
from hub.repair import comparisons
from hub.repair.comparisons import Comparison, Sameness
from hub.sites import board
from protocol.beats import Want
from protocol.bundles import (
    BundleFault,
    Compared,
    CourierApplication,
    Delivery,
    Manifest,
    Pages,
    Reply,
    hub_fingerprint,
)
from protocol.enrolment import DenialCause
from protocol.errors import BadBundle
from protocol.sites import Site, parse_site
from protocol.wording import Text
from replication import quarantine
from replication.bundles import Bundle, OnMore
from replication.carriage import Carried, Outcome
from replication.courier_letters import Postman, TakenOut
from replication.database import Database
from replication.deliveries import Arrival, Delivered, arrival, take_frames
from replication.inbox import Inbox
from replication.watermarks import Watermark, marks_of, retired_of, set_want

log = structlog.get_logger(__name__)


class Deliveries:
    """Takes bundles; made once per command, beside the daemon or without it."""

    def __init__(
        self,
        database: Database,
        county: str,
        hub_key: str,
        clock_ms: Callable[[], int],
        postman: Postman | None = None,
        pages: PageIntake | None = None,
    ) -> None:
        self._database = database
        self._postman = postman
        self._pages = pages
        self._county = county
        self._hub_key = hub_key
        self._clock_ms = clock_ms
        self._keyring = Keyring(database)
        self._inbox = Inbox(database, Application(clock_ms), self._keyring.keys_of, clock_ms)

    def is_for_us(self, manifest: Manifest) -> bool:
        """Tell whether a bundle is meant for this hub at all; a stick carries others too."""
        if isinstance(manifest.content, CourierApplication):
            return manifest.content.hub_fingerprint == hub_fingerprint(self._hub_key)
        return isinstance(manifest.content, Delivery | Pages) and manifest.receiver.key == self._hub_key

    async def take(self, bundle: Bundle, on_frames: OnMore) -> Carried:
        """Take one bundle and return what became of it.

        Args:
            bundle: its manifest is signed by whom it names.
            on_frames: told of each frame twice, when it is checked and when it is taken; of each piece of pages once.

        Raises:
            BadBundle: it is not for us, not from a node of ours, damaged, or does not follow what is here.
            Retryable: the file or the database cannot be used now; taking it again goes on.

        """
        manifest = bundle.manifest
        if isinstance(manifest.content, Reply):
            raise _wrong_way()
        if not self.is_for_us(manifest):
            raise _foreign(manifest)
        if isinstance(manifest.content, CourierApplication):
            bundle.check(set(), "", on_frames)
            return await self._admit(bundle, manifest.content)
        if isinstance(manifest.content, Pages):
            return await self._take_pages(bundle, on_frames)
        return await self._take_delivery(bundle, manifest.content, on_frames)

    # Applications

    async def _admit(self, bundle: Bundle, application: CourierApplication) -> Carried:
        key = bundle.manifest.sender.key
        now = datetime.datetime.fromtimestamp(self._clock_ms() / 1000, datetime.UTC)

        def admit(connection: Connection) -> codes.Verdict | DenialCause:
            verdict = codes.admit_carried(connection, key, application, now)
            if isinstance(verdict, codes.Verdict):
                couriers.expect(connection, key, verdict.site.code)
            return verdict

        verdict = await self._database.write(admit)
        if isinstance(verdict, DenialCause):
            words = denial(verdict)
            raise BadBundle(BundleFault.DENIED, words.reason, words.hint)
        log.info("node_admitted", site=verdict.site.code, replaced=len(verdict.replaces), repeated=verdict.is_repeat)
        outcome = Outcome.REPEATED if verdict.is_repeat else Outcome.ADMITTED
        return Carried(
            file=str(bundle.path), outcome=outcome, site=verdict.site.code, made_at_ms=bundle.manifest.made_at_ms
        )

    # Deliveries

    async def _take_delivery(self, bundle: Bundle, delivery: Delivery, on_frames: OnMore) -> Carried:
        manifest = bundle.manifest
        site = await self._sender(manifest, delivery)
        bundle.check(self._keyring.keys_of(site), delivery.epoch, on_frames)
        mark, retired = await self._database.read(lambda connection: _standing(connection, site))
        heard = await self._database.write(lambda connection: couriers.hear(connection, manifest, delivery))
        found = arrival(mark, retired, delivery)
        is_news = manifest.serial > heard.taken_serial and found is not Arrival.OLD_EPOCH
        done = Delivered()
        if found is not Arrival.OLD_EPOCH:
            done = await take_frames(bundle, site, mark, self._inbox, on_frames)
        noted = await self._database.write(
            lambda connection: self._note(connection, manifest, delivery, heard, is_news=is_news)
        )
        return self._carried(bundle, site, done, noted, is_news=is_news)

    def _carried(self, bundle: Bundle, site: Site, done: Delivered, noted: "_Noted", *, is_news: bool) -> Carried:
        manifest = bundle.manifest
        return Carried(
            file=str(bundle.path),
            outcome=Outcome.TAKEN if done.events or is_news else Outcome.REPEATED,
            site=site.code,
            made_at_ms=manifest.made_at_ms,
            frames=len(manifest.frames),
            events=done.events,
            quarantined=done.quarantined,
            last=noted.position,
            compared=noted.compared,
            letters=noted.letters.count,
            letters_left=noted.letters.left,
            letters_fault=noted.letters.fault,
        )

    async def _take_pages(self, bundle: Bundle, on_pieces: OnMore) -> Carried:
        if self._pages is None:
            message = "nothing here takes pages"
            raise RuntimeError(message)
        site = await self._enrolled(bundle.manifest)
        return await self._pages.take(bundle, site, on_pieces)

    async def _enrolled(self, manifest: Manifest) -> Site:
        """Return the site that a sender may speak for."""
        sender = manifest.sender
        known = await self._database.read(lambda connection: keyring.node(connection, sender.key))
        if known is None:
            raise _unknown(sender.site)
        if known.revoked_at_ms is not None:
            raise _revoked(known.site)
        if known.site != sender.site:
            raise _not_its_site(sender.site, known.site)
        return parse_site(known.site)

    async def _sender(self, manifest: Manifest, delivery: Delivery) -> Site:
        """Return the site that a delivery is of, if its sender may speak for it."""
        site, beat = await self._enrolled(manifest), delivery.beat
        if not (beat.site == site.code and beat.node == manifest.sender.key and beat.epoch == delivery.epoch):
            raise _not_its_site(manifest.sender.site, site.code)
        await self._keyring.refresh()
        return site

    def _note(
        self, connection: Connection, manifest: Manifest, delivery: Delivery, heard: CourierState, *, is_news: bool
    ) -> "_Noted":
        """Note how the site was, as far as nothing later is known, and whether both ends hold the same."""
        site, now_ms = manifest.sender.site, self._clock_ms()
        mark = marks_of(connection, [site])[site]
        taken = TakenOut()
        if self._postman is not None:
            taken = self._postman.take(connection, site, delivery.letters, is_latest=is_news)
        if not is_news:
            return _Noted(position=mark.position, letters=taken)
        couriers.take(connection, manifest.sender.key, manifest.serial, now_ms)
        if not _is_overtaken(connection, delivery, heard.taken_at_ms, now_ms):
            board.record_beats(connection, [delivery.beat], now_ms)
        compared = _compare(connection, mark, delivery, now_ms)
        return _Noted(position=mark.position, compared=compared, letters=taken)


class _Noted(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    compared: Compared = Compared.NOT_COMPARED
    letters: TakenOut = TakenOut()


def _standing(connection: Connection, site: Site) -> tuple[Watermark, set[str]]:
    code = site.code
    return marks_of(connection, [code])[code], retired_of(connection, [code])[code]


def _is_overtaken(connection: Connection, delivery: Delivery, taken_at_ms: int, now_ms: int) -> bool:
    """Tell whether the site has said something later over the network, or is on the line now."""
    seen = board.node_state_of(connection, delivery.beat.site)
    if seen is None:
        return False
    on_line = seen.seen_at_ms > taken_at_ms and not board.is_offline(seen.seen_at_ms, now_ms)
    return on_line or (seen.epoch == delivery.epoch and seen.seq > delivery.beat.seq)


def _compare(connection: Connection, mark: Watermark, delivery: Delivery, now_ms: int) -> Compared:
    """Compare the site's tally with the hub's, if everything up to where it was made is applied, and nothing more.

    A site that differs is asked to describe everything again, unless the reason is known: events that this version
    cannot read.
    """
    here = (delivery.epoch, delivery.beat.seq)
    if (mark.epoch, mark.position) != here:
        return Compared.NOT_COMPARED
    held = tally_from(connection.execute(tally_statement(mark.site)).one())
    is_equal = (held.count, held.digest) == (delivery.record_count, delivery.digest)
    comparisons.keep(
        connection,
        Comparison(
            site=mark.site,
            state=Sameness.EQUAL if is_equal else Sameness.DIFFERENT,
            epoch=mark.epoch,
            seq=mark.position,
            site_records=delivery.record_count,
            hub_records=held.count,
            compared_at_ms=now_ms,
        ),
    )
    if not is_equal and mark.want is Want.NOTHING and not quarantine.counts(connection).get(mark.site):
        set_want(connection, mark.site, Want.BASELINE)
    return Compared.EQUAL if is_equal else Compared.DIFFERENT


def _wrong_way() -> BadBundle:
    return BadBundle(
        BundleFault.WRONG_WAY,
        Text(zh="这是县级写给站点的回执，不能在县级收取。", en="this is a reply of a hub, to be taken at its site"),
        Text(
            zh="请带到该站运行 danglian-node bundle in；本命令收取站点写出的信使包。",
            en="Take it to that site (danglian-node bundle in); this command takes what sites have written.",
        ),
    )


def _foreign(manifest: Manifest) -> BadBundle:
    county = manifest.receiver.site
    named = Text(zh=f"（{county}）", en=f" ({county})") if county else Text(zh="", en="")
    return BadBundle(
        BundleFault.FOREIGN_HUB,
        Text(zh=f"此信使包写给另一个县级枢纽{named.zh}，未收取。", en=f"it is for another hub{named.en}; not taken"),
        Text(
            zh="请送交它所写明的县；若本县更换过密钥，请该站重新登记。",
            en="Bring it to the county that it names. If this hub got new keys, the site must be enrolled again.",
        ),
    )


def _unknown(site: str) -> BadBundle:
    return BadBundle(
        BundleFault.UNKNOWN_KEY,
        Text(
            zh=f"发送方自称站点 {site}，但其密钥未在本县登记。",
            en=f"its sender says {site}, but its key is not enrolled",
        ),
        Text(
            zh="请用 danglian-hub enrol 站点代码 --courier 签发登记码，并由该站重新申请。",
            en="Issue a code (danglian-hub enrol SITE --courier) and have the site apply with it.",
        ),
    )


def _revoked(site: str) -> BadBundle:
    return BadBundle(
        BundleFault.REVOKED_KEY,
        Text(zh=f"发送方的密钥（站点 {site}）已被停用。", en=f"the key of its sender (site {site}) was revoked"),
        Text(
            zh="若该站换了电脑，请收取新电脑写出的信使包；否则请重新登记。",
            en="If the site has a new PC, take that one's bundle; otherwise enrol the site again.",
        ),
    )


def _not_its_site(named: str, enrolled: str) -> BadBundle:
    return BadBundle(
        BundleFault.FOREIGN_SITE,
        Text(
            zh=f"信使包自称站点 {named}，但发送方登记为站点 {enrolled}。",
            en=f"it says that it is of {named}, but its sender is enrolled for {enrolled}",
        ),
        Text(zh="请核对该站的 node.toml 与登记信息。", en="Check the site's node.toml and how it is enrolled."),
    )
