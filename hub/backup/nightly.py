"""The nightly backup: the daemon writes its online targets, without stopping and without hurry.

A night that was missed, because the machine was off or the target away, is made up for as soon as that is possible.
What fails is noted in the ledger and told by its age; it never ends the daemon.
"""

import asyncio
import datetime
import random
from collections.abc import Awaitable, Callable

import structlog

from hub.backup import backing_up
from hub.backup.backing_up import Outcome
from hub.backup.backup_settings import BackupTarget
from hub.backup.backups import TargetLedger, backup_findings
from hub.config import HubConfig
from hub.home import HubHome
from hub.keeping.course import Course
from protocol.county_time import ZONE
from protocol.errors import DanglianError

LOOK_S = 300.0
"""Seconds between looks whether a target is due."""

JITTER_S = 1_800.0
"""Seconds over which the hubs of several counties on one file server are spread."""

RETRY_MS = 3_600_000
"""Milliseconds before a target that failed is tried again: a file server may be back within the night."""

BACKUP_S_MAX = 6 * 3_600.0
"""Seconds that one backup may take: 10 million records through a slow link end before the offices open."""

REST = 1.0
"""Seconds of rest for every second of copying: half the disk stays with those who work."""

log = structlog.get_logger(__name__)


def is_due(known: TargetLedger, at: str, now: datetime.datetime, delay: datetime.timedelta) -> bool:
    """Tell whether a target has missed its last night, and was not tried just now.

    Args:
        known: what the ledger says of it.
        at: the time of day of the nightly backup, in the time zone of ``now``.
        now: the present moment.
        delay: how long after that time of day this hub begins.

    """
    hour, minute = map(int, at.split(":"))
    tonight = now.replace(hour=hour, minute=minute, second=0, microsecond=0) + delay
    last_night = tonight if tonight <= now else tonight - datetime.timedelta(days=1)
    now_ms = int(now.timestamp() * 1000)
    if known.fault is not None and known.tried_at_ms is not None and 0 <= now_ms - known.tried_at_ms < RETRY_MS:
        return False
    last = known.last_verified
    # A backup from the future was made before the clock was set right: it proves nothing.
    return last is None or not last_night.timestamp() * 1000 <= last.made_at_ms <= now_ms


class Nightly:
    """Backs up when it is due; ``run`` is its loop."""

    def __init__(
        self,
        home: HubHome,
        settings: HubConfig,
        now: Callable[[], datetime.datetime],
        *,
        jitter: Callable[[float, float], float] = random.uniform,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._home = home
        self._settings = settings
        self._now = now
        self._delay = datetime.timedelta(seconds=jitter(0.0, JITTER_S))
        self._sleep = sleep

    async def run(self) -> None:
        """Back up every night, for ever."""
        for finding in backup_findings(self._settings.backup, backing_up.ledger_of(self._home), self._now_ms()):
            log.warning("backups_need_attention", alarm=finding.alarm.value, target=finding.target)
        while True:
            await self._sleep(LOOK_S)
            await self.step()

    async def step(self) -> list[Outcome]:
        """Back up to every online target that is due now."""
        ledger = backing_up.ledger_of(self._home)
        now = self._now().astimezone(ZONE)
        due = [
            target
            for target in self._settings.backup.nightly
            if is_due(ledger.of(target.name), self._settings.backup.at, now, self._delay)
        ]
        outcomes = [await self._back_up(target) for target in due]
        return [outcome for outcome in outcomes if outcome is not None]

    async def _back_up(self, target: BackupTarget) -> Outcome | None:
        course = Course()
        try:
            async with asyncio.timeout(BACKUP_S_MAX):
                outcome = await asyncio.to_thread(
                    backing_up.back_up, self._home, self._settings, target, self._now_ms, course, REST
                )
        except DanglianError as error:
            log.warning("backup_failed", target=target.name, reason=error.reason.en)
            return None
        except TimeoutError:
            log.warning("backup_took_too_long", target=target.name, seconds=BACKUP_S_MAX)
            return None
        except OSError as error:
            # The target was pulled out behind its last file.
            log.warning("backup_failed", target=target.name, fault=error.strerror)
            return None
        finally:
            # Its thread goes on after a cancellation until it is told.
            course.stop()
        log.info(
            "backup_made",
            target=target.name,
            backup=outcome.backup,
            records=outcome.records,
            bytes=outcome.bytes,
            seconds=outcome.took_s,
            pruned=len(outcome.pruned),
        )
        return outcome

    def _now_ms(self) -> int:
        return int(self._now().timestamp() * 1000)
