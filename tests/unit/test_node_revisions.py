"""Revisions: what makes a new version of a record, and how ids are minted."""

import random
import uuid

from node.revisions import record_ids

NOW_MS = 1_700_000_000_000


def test_ids_are_of_version_7_and_tell_their_time() -> None:
    minted = record_ids(NOW_MS, 200)
    assert {(one.version, one.variant) for one in minted} == {(7, uuid.RFC_4122)}
    assert {one.int >> 80 for one in minted} == {NOW_MS}


def test_ids_grow() -> None:
    """Indexes take what grows side by side, here and at the hub."""
    minted = [*record_ids(NOW_MS, 500), *record_ids(NOW_MS + 1, 500)]
    assert minted == sorted(minted)


def test_ids_differ_and_spread_over_all_buckets() -> None:
    minted = record_ids(NOW_MS, 5_000, random.Random(1).randbytes)
    assert len(set(minted)) == 5_000
    assert {one.int & 0xFF for one in minted} == set(range(256))


def test_ids_are_random_in_every_bit_but_version_and_variant() -> None:
    minted = [one.int & (2**80 - 1) for one in record_ids(NOW_MS, 2_000, random.Random(2).randbytes)]
    always, ever = minted[0], 0
    for one in minted:
        always &= one
        ever |= one
    assert always == 0x7 << 76 | 0x2 << 62
    assert ever == 2**80 - 1 ^ (0x8 << 76 | 0x1 << 62)


def test_no_ids_are_minted_for_nothing() -> None:
    assert record_ids(NOW_MS, 0) == []
