"""What there is to say about backups, and which of them may go."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.backup.backup_settings import BackupSettings, BackupTarget, TargetKind
from hub.backup.backups import (
    BackupAlarm,
    Drill,
    KeptBackup,
    Ledger,
    Restoration,
    TargetLedger,
    backup_findings,
    forgotten,
    is_sound,
    read_ledger,
    remembered,
    to_prune,
    write_ledger,
)
from protocol.errors import BrokenStore, StorageFull
from protocol.wording import Text
from tests.backups import DAY_MS, NOW_MS

FULL = Text(zh="满", en="full")


def kept(day: int, *, verified: bool = True, damaged: bool = False) -> KeptBackup:
    """A backup made some days ago."""
    made = NOW_MS - day * DAY_MS
    return KeptBackup(
        name=f"b{1000 - day}",
        made_at_ms=made,
        verified_at_ms=made if verified else None,
        damaged_at_ms=NOW_MS if damaged else None,
    )


def targets(*kinds: TargetKind) -> tuple[BackupTarget, ...]:
    return tuple(BackupTarget(name=f"t{number}", kind=kind, path=f"/t{number}") for number, kind in enumerate(kinds))


ALL = targets(TargetKind.ONLINE, TargetKind.ONLINE, TargetKind.OFFLINE, TargetKind.OFF_SITE)
DRILLED = Drill(backup="b", at_ms=NOW_MS - DAY_MS, took_s=1.0, succeeded=True)


def ledger(*backups: KeptBackup, drill: Drill = DRILLED) -> Ledger:
    """Every target with the same backups."""
    known = tuple(TargetLedger(name=one.name, backups=backups) for one in ALL)
    return Ledger(targets=known, last_drill=drill, last_good_drill=drill if drill.succeeded else None)


def said(found: Ledger, settings: BackupSettings | None = None) -> list[tuple[BackupAlarm, str]]:
    settings = BackupSettings(target=ALL) if settings is None else settings
    return [(one.alarm, one.target) for one in backup_findings(settings, found, NOW_MS)]


def test_all_is_well_with_the_rule_met_fresh_backups_and_a_drill() -> None:
    assert said(ledger(kept(1))) == []


def test_an_offline_disk_is_silent_for_a_month_and_an_online_one_for_two_days() -> None:
    """A disk in a safe is meant to be away; its age is what counts."""
    assert said(ledger(kept(3))) == [(BackupAlarm.OLD, "t0"), (BackupAlarm.OLD, "t1")]
    assert said(ledger(kept(36))) == [(BackupAlarm.OLD, name) for name in ("t0", "t1", "t2", "t3")]


def test_an_age_is_told_with_its_limit_in_both_languages() -> None:
    (finding, _) = backup_findings(BackupSettings(target=ALL), ledger(kept(3)), NOW_MS)

    assert finding.text.en == (
        "backup target t0: its newest verified backup is 3 days old, the limit is 2. See the log, or run"
        " danglian-hub backup."
    )
    assert (
        finding.text.zh
        == "备份目标 t0：最近一份核验过的备份已有 3 天，上限 2 天。请查看日志，或运行 danglian-hub backup。"
    )
    assert finding.since_ms == NOW_MS - 3 * DAY_MS


def test_a_limit_of_its_own_replaces_that_of_the_kind() -> None:
    strict = msgspec.structs.replace(ALL[2], age_days_max=1)
    settings = BackupSettings(target=(*ALL[:2], strict, ALL[3]))

    assert said(ledger(kept(2)), settings) == [(BackupAlarm.OLD, "t2")]


def test_unverified_and_damaged_backups_do_not_keep_a_target_young() -> None:
    found = said(ledger(kept(40), kept(1, verified=False), kept(0, damaged=True)))

    assert [one for one in found if one[1] == "t0"] == [(BackupAlarm.OLD, "t0"), (BackupAlarm.DAMAGED, "t0")]


def test_a_new_target_has_never_been_written() -> None:
    assert said(Ledger(last_drill=DRILLED, last_good_drill=DRILLED)) == [
        (BackupAlarm.NEVER, name) for name in ("t0", "t1", "t2", "t3")
    ]


def test_a_failed_attempt_and_readable_keys_are_told() -> None:
    spoilt = TargetLedger(name="t0", backups=(kept(1),), tried_at_ms=NOW_MS, fault=FULL, exposed=True)

    assert said(ledger(kept(1)).with_target(spoilt)) == [(BackupAlarm.FAILED, "t0"), (BackupAlarm.EXPOSED, "t0")]


def test_fewer_targets_than_the_rule_wants_are_told() -> None:
    settings = BackupSettings(target=ALL[:3])
    (finding,) = backup_findings(settings, ledger(kept(1)), NOW_MS)

    assert finding.alarm is BackupAlarm.RULE
    assert "online 2/2, offline 1/1, off-site 0/1" in finding.text.en


def test_no_targets_at_all_is_one_thing_to_say() -> None:
    assert said(Ledger(), BackupSettings()) == [(BackupAlarm.RULE, "")]


def test_a_drill_counts_for_a_quarter() -> None:
    old = Drill(backup="b", at_ms=NOW_MS - 101 * DAY_MS, took_s=1.0, succeeded=True)
    failed = Drill(backup="b", at_ms=NOW_MS, took_s=1.0, succeeded=False, fault=FULL)

    assert said(ledger(kept(1), drill=old)) == [(BackupAlarm.DRILL_OLD, "")]
    assert said(ledger(kept(1)).with_drill(failed)) == [(BackupAlarm.DRILL_FAILED, "")]
    assert said(ledger(kept(1), drill=failed)) == [(BackupAlarm.DRILL_OLD, ""), (BackupAlarm.DRILL_FAILED, "")]


def test_a_restored_keyring_is_told_until_it_is_reviewed() -> None:
    """A node that was revoked after the backup must not come alive in silence."""
    restored = Restoration(backup="b", made_at_ms=NOW_MS - DAY_MS, restored_at_ms=NOW_MS)
    fresh = msgspec.structs.replace(ledger(kept(1)), restored=restored)
    reviewed = msgspec.structs.replace(fresh, restored=msgspec.structs.replace(restored, reviewed_at_ms=NOW_MS))

    assert said(fresh) == [(BackupAlarm.NOT_REVIEWED, "")]
    assert said(reviewed) == []


# Pruning


def test_the_newest_ones_are_kept() -> None:
    assert to_prune([kept(day) for day in range(5)], 3) == [kept(3), kept(4)]


def test_a_damaged_one_is_not_counted_as_kept() -> None:
    found = [kept(4), kept(3), kept(2, damaged=True), kept(1), kept(0, verified=False)]

    assert to_prune(found, 2) == [kept(4)]
    assert to_prune(found, 3) == []


BACKUPS = some.lists(
    some.builds(kept, some.integers(0, 400), verified=some.booleans(), damaged=some.booleans()),
    max_size=30,
    unique_by=lambda one: one.made_at_ms,
)


@given(BACKUPS, some.integers(1, 10))
def test_whatever_there_is_the_last_verified_one_is_never_pruned(found: list[KeptBackup], keep: int) -> None:
    gone = to_prune(found, keep)
    sound = sorted((one for one in found if is_sound(one)), key=lambda one: one.made_at_ms)

    assert [one for one in gone if one in sound[-keep:]] == []
    assert len([one for one in sound if one not in gone]) == min(len(sound), keep)


# The ledger


def test_what_is_known_survives_the_file(tmp_path: Path) -> None:
    whole = ledger(kept(3), kept(1, damaged=True)).with_target(TargetLedger(name="x", fault=FULL))
    write_ledger(tmp_path / "backups.json", whole)

    assert read_ledger(tmp_path / "backups.json") == whole
    assert (tmp_path / "backups.json").stat().st_mode & 0o777 == 0o600


def test_a_home_without_a_ledger_knows_nothing_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "backups.json") == Ledger()
    (tmp_path / "backups.json").write_bytes(b"{")

    with pytest.raises(BrokenStore, match="ledger"):
        read_ledger(tmp_path / "backups.json")


def test_a_ledger_that_cannot_be_written_is_our_error(tmp_path: Path) -> None:
    (tmp_path / "backups.json").mkdir()

    with pytest.raises(StorageFull, match="ledger"):
        write_ledger(tmp_path / "backups.json", Ledger())


def test_a_backup_is_remembered_once_and_in_order() -> None:
    known = TargetLedger(name="t0")
    for one in (kept(1), kept(3), kept(2), kept(1, damaged=True)):
        known = remembered(known, one)

    assert known.backups == (kept(3), kept(2), kept(1, damaged=True))
    assert known.last_verified == kept(2)
    assert forgotten(known, {kept(2).name}).last_verified == kept(3)
