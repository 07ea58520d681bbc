"""The short form of ``make rehearsal``: a transfer behind a village's line, both ends killed, the broker wiped."""

import os
from pathlib import Path

import pytest

from tests.chaos.rehearsal import ITEMS_SHORT, rehearsed

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(600)]

SEED = int(os.environ.get("DANGLIAN_CHAOS_SEED", "1"))


async def test_a_transfer_comes_through_kills_and_a_wiped_broker_with_every_file_and_both_signatures(
    tmp_path: Path,
) -> None:
    told = await rehearsed(tmp_path, ITEMS_SHORT, SEED)
    if told.skipped:
        pytest.skip(told.skipped)

    assert told.is_good, f"{told.failure}\n" + "\n".join(told.schedule)
    assert told.proof is not None
    assert (told.proof.custody_moved, told.proof.signatures, told.faults["broker wiped"]) == (ITEMS_SHORT, 2, 1)
