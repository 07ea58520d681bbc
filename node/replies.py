"""Taking what a courier brings to a site: the hub's reply, with its receipt and its wishes.

The receipt is put through the publisher, as if it had come over the network. One thing is different on a stick: a
receipt may be weeks old. A reply therefore names the latest delivery that the hub had seen, and what that said to be
confirmed. Only a hub that stands before what this very delivery called confirmed was put back; any other receipt from
before the outbox begins is an old one.
"""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from node import couriers, store
from node.config import NodeConfig
from node.deliveries import describe_all, hub_key_of
from node.epochs import Epochs
from protocol.beats import Receipt, Want
from protocol.bundles import BundleFault, CourierApplication, Manifest, Reply
from protocol.errors import BadBundle, LinkDown, Retryable
from protocol.wording import Text
from replication import outbox
from replication.bundles import Bundle
from replication.carriage import Carried, Outcome
from replication.courier_letters import Postman, TakenOut
from replication.database import Database
from replication.keys import Identity
from replication.letters import HUB_PEER
from replication.outbox import Extent, FrameWriter
from replication.publisher import Publisher


class _NoLink:
    """Stands for the network that a courier does without."""

    is_connected = False

    async def publish_durable(self, subject: str, payload: bytes, message_id: str, deadline_s: float) -> int:
        """Refuse: nothing is published from here."""
        _ = payload, message_id, deadline_s
        raise LinkDown(Text(zh="信使不经网络。", en=f"a courier publishes nothing to {subject}"))


def check_sender(config: NodeConfig, identity: Identity, manifest: Manifest) -> Reply:
    """Return what a bundle says, if it is of our hub and for this installation.

    Raises:
        BadBundle: it is for somebody else, or goes the other way.
        BadSetting: the settings do not name the hub's key.

    """
    if not isinstance(manifest.content, Reply):
        raise wrong_way(manifest)
    if manifest.sender.key != hub_key_of(config):
        raise _foreign_hub(manifest)
    if manifest.receiver.site != config.site or manifest.receiver.key != identity.public_key:
        raise _foreign_site(manifest, config.site)
    return manifest.content


class Replies:
    """Takes the replies of the hub; made once per command, beside the daemon or without it."""

    def __init__(
        self,
        database: Database,
        config: NodeConfig,
        identity: Identity,
        clock_ms: Callable[[], int],
        postman: Postman | None = None,
    ) -> None:
        self._database = database
        self._postman = postman
        self._config = config
        self._identity = identity
        self._clock_ms = clock_ms
        self._writer = FrameWriter(config.site, identity, clock_ms)
        self._epochs = Epochs(database, self._writer, lambda: None)

    async def take(self, bundle: Bundle) -> Carried:
        """Take one reply and return what became of it.

        Raises:
            BadBundle: it is not for us, or damaged.
            Retryable: the database cannot be used now; taking it again goes on.

        """
        manifest = bundle.manifest
        reply = check_sender(self._config, self._identity, manifest)
        bundle.check(set(), "")
        log = await self._database.read(couriers.read)
        before = await self._database.read(outbox.extent)
        if manifest.serial <= log.taken_serial:
            outcome = Outcome.OLDER if manifest.serial < log.taken_serial else Outcome.REPEATED
            post = await self._database.write(lambda connection: self._letters(connection, reply, is_latest=False))
            return self._carried(bundle, outcome, reply, before, post)
        if before is None:
            # The daemon has never run: there is nothing yet that a receipt could be about.
            return self._carried(bundle, Outcome.TAKEN, reply, before)
        await self._confirm(reply, before)
        after = await self._database.read(outbox.extent)
        post = await self._database.write(lambda connection: self._remember(connection, manifest.serial, reply, after))
        return self._carried(bundle, Outcome.TAKEN, reply, after, post)

    def _letters(self, connection: Connection, reply: Reply, *, is_latest: bool) -> TakenOut:
        if self._postman is None:
            return TakenOut()
        return self._postman.take(connection, HUB_PEER, reply.letters, is_latest=is_latest)

    async def _confirm(self, reply: Reply, before: Extent) -> None:
        receipt = reply.receipt
        publisher = Publisher(
            self._database, _NoLink(), self._writer, self._config.parsed_site, store, self._epochs.diverged
        )
        await publisher.confirm(receipt)
        held = await self._database.read(outbox.extent)
        if held is None or held.end.epoch != before.end.epoch:
            # A new epoch began, which says everything again.
            await describe_all(self._database, self._writer)
            return
        if receipt.epoch == held.end.epoch and held.start.seq < min(receipt.applied, held.end.seq):
            raise _put_off()
        if is_put_back(reply, held):
            await self._epochs.diverged(receipt, Want.NOTHING)
        await describe_all(self._database, self._writer)

    def _remember(self, connection: Connection, serial: int, reply: Reply, held: Extent | None) -> TakenOut:
        log = msgspec.structs.replace(
            couriers.read(connection),
            taken_serial=serial,
            taken_at_ms=self._clock_ms(),
            behind_epoch="",
            behind_at=0,
            pages_wanted=reply.pages,
            pages_written=(),
        )
        if held is not None and is_put_back(reply, held):
            log = msgspec.structs.replace(log, behind_epoch=held.end.epoch, behind_at=applied_in(reply.receipt, held))
        couriers.write(connection, log)
        return self._letters(connection, reply, is_latest=True)

    def _carried(
        self, bundle: Bundle, outcome: Outcome, reply: Reply, held: Extent | None, post: TakenOut | None = None
    ) -> Carried:
        post = post or TakenOut()
        return Carried(
            file=str(bundle.path),
            outcome=outcome,
            site=self._config.site,
            made_at_ms=bundle.manifest.made_at_ms,
            frames=0,
            last=held.start.seq if held is not None else 0,
            compared=reply.compared,
            letters=post.count,
            letters_left=post.left,
            letters_fault=post.fault,
        )


def applied_in(receipt: Receipt, held: Extent) -> int:
    """Return up to where a receipt covers the present epoch."""
    return receipt.applied if receipt.epoch == held.end.epoch else 0


def is_put_back(reply: Reply, held: Extent) -> bool:
    """Tell whether the hub has lost what it had confirmed: it stands before what the delivery that it saw said."""
    return (
        reply.heard_epoch == held.end.epoch
        and applied_in(reply.receipt, held) < reply.heard_confirmed <= held.start.seq
    )


def wrong_way(manifest: Manifest) -> BadBundle:
    """Return the error of a bundle that a site has written and that was brought to a site."""
    named = manifest.sender.site or manifest.sender.key[:8]
    kind = (
        Text(zh="登记申请", en="application")
        if isinstance(manifest.content, CourierApplication)
        else Text(zh="信使包", en="bundle")
    )
    return BadBundle(
        BundleFault.WRONG_WAY,
        Text(
            zh=f"这是站点 {named} 写给县级的{kind.zh}。", en=f"this is the {kind.en} of {named}, to be taken at the hub"
        ),
        Text(
            zh="请带到县档案馆运行 danglian-hub bundle in；本命令收取县级写出的回执。",
            en="Take it to the county (danglian-hub bundle in); this command takes what the hub has written.",
        ),
    )


def _foreign_hub(manifest: Manifest) -> BadBundle:
    return BadBundle(
        BundleFault.FOREIGN_HUB,
        Text(
            zh=f"此信使包来自另一个县级枢纽（{manifest.sender.site}），未收取。",
            en=f"it comes from another hub ({manifest.sender.site}); not taken",
        ),
        Text(
            zh="请核对文件；若本县更换过县级枢纽的密钥，请重新登记本站。",
            en="Check the file. If the county's hub got new keys, enrol this site again.",
        ),
    )


def _foreign_site(manifest: Manifest, site: str) -> BadBundle:
    return BadBundle(
        BundleFault.FOREIGN_SITE,
        Text(
            zh=f"此信使包写给站点 {manifest.receiver.site} 的另一台电脑，本机是站点 {site}；未收取。",
            en=f"it is for an installation of site {manifest.receiver.site}, and this one is of site {site}; not taken",
        ),
        Text(
            zh="请收取写给本机的文件；本站若换过电脑，请在县级重新写出回执。",
            en="Take the file for this PC; if the site has a new PC, have the hub write its reply again.",
        ),
    )


def _put_off() -> Retryable:
    return Retryable(
        Text(zh="回执暂时无法记入数据库（磁盘已满或被占用）。", en="the receipt could not be stored now"),
        Text(zh="请腾出磁盘空间后重新运行同一条命令。", en="Free some disk space and run the same command again."),
    )
