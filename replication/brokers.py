"""The cluster of brokers that keeps a stream: who leads, who follows, and whether they can still agree on anything."""

from typing import Final

import msgspec

from replication.nats_library import ConsumerInfo, JetStreamContext, PeerInfo
from replication.parts import reader_of
from replication.streams import Backlog, Broker, StreamPlan

FAR_BEHIND_FRAMES: Final = 1_000
"""Operations that a follower may lack before it counts as behind: some seconds of a busy load."""


SILENT_S: Final = 10.0
"""Seconds since a follower was last heard by the leader, who hears it every second, after which it counts as away."""

_NS: Final = 1_000_000_000


class CopySigns(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One server that follows, as the leader sees it."""

    server: str
    is_offline: bool = False
    is_current: bool = True
    lag: int = 0
    """Operations that it has not taken yet."""
    silent_s: float | None = 0.0
    """Seconds since the leader heard it last; None if it never did since it leads."""

    @property
    def is_away(self) -> bool:
        """True for one that does not answer: the leader does not call a server offline that was killed."""
        return self.is_offline or self.silent_s is None or self.silent_s > SILENT_S

    @property
    def is_behind(self) -> bool:
        """True for a copy that could not take over now."""
        return self.is_away or (not self.is_current and self.lag > FAR_BEHIND_FRAMES)


class ClusterSigns(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the cluster says of a stream."""

    wanted: int
    """Copies that the settings ask for."""
    leader: str = ""
    copies: tuple[CopySigns, ...] = ()
    """The followers."""

    @property
    def sound(self) -> int:
        """Copies that hold everything, the leader's included."""
        return bool(self.leader) + sum(not one.is_behind for one in self.copies)


async def cluster_of(broker: Broker, plan: StreamPlan) -> ClusterSigns:
    """Return how the copies of a stream are.

    Raises:
        LinkDown, CallTimeout: no server answers for it: the link is away, or fewer than half of the copies are left.
        Refused: there is no such stream.

    """

    async def look(manager: JetStreamContext) -> ClusterSigns:
        found = (await manager.stream_info(plan.name)).cluster
        if found is None:
            return ClusterSigns(wanted=plan.replicas)
        return ClusterSigns(
            wanted=plan.replicas,
            leader=found.leader or "",
            copies=tuple(_copy(peer) for peer in found.replicas or ()),
        )

    return await broker.manage(look)


def _copy(peer: PeerInfo) -> CopySigns:
    heard = bool(peer.active) or bool(peer.current)
    return CopySigns(
        server=peer.name or "",
        is_offline=bool(peer.offline),
        is_current=bool(peer.current),
        lag=peer.lag or 0,
        silent_s=(peer.active or 0) / _NS if heard else None,
    )


async def backlog_of_parts(broker: Broker, plan: StreamPlan, parts: int) -> Backlog:
    """Return how much of a stream the readers of all its parts have not taken, together.

    Raises:
        LinkDown, CallTimeout: the broker is away or slow.
        Refused: the stream or one of the readers is not there.

    """

    async def look(manager: JetStreamContext) -> Backlog:
        stream = await manager.stream_info(plan.name)
        readers: list[ConsumerInfo] = [
            await manager.consumer_info(plan.name, reader_of(part, parts)) for part in range(parts)
        ]
        return Backlog(
            last=stream.state.last_seq,
            pending=sum((one.num_pending or 0) + (one.num_ack_pending or 0) for one in readers),
            # Only whether it moves is looked at: the sum moves whenever any of them does.
            taken=sum(one.ack_floor.stream_seq for one in readers if one.ack_floor is not None),
        )

    return await broker.manage(look)
