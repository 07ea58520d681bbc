"""Real codes and sheets of single items name no volume: none of them holds lists of volumes, and nothing is guessed."""

import csv
import shutil
from pathlib import Path
from uuid import UUID

import pytest

from node.volumes import named_volume
from protocol.records import Record
from protocol.reference_codes import parse_code
from tests.node_site import node_site

SHEETS = (
    ("02_government_documents/gov_docs_guangdong.csv", 4_678),
    ("02_government_documents/original_xlsx/Chongqing Municipal Government.xlsx", 1_502),
    ("06_archival_catalogues/naa_closed-20190101.csv", 11_953),
    ("08_import_samples/aspace_Box36UploadDIDNT_WORK_test.xlsx", 28),
    ("13_messy_spreadsheets/sub-county-diff_2014-2018.xlsx", 3_034),
)


@pytest.mark.parametrize(("name", "records"), SHEETS)
async def test_real_sheet_without_volumes_is_linked_to_none(
    name: str, records: int, shared_data: Path, tmp_path: Path
) -> None:
    async with node_site(tmp_path / "home") as site:
        shutil.copyfile(shared_data / name, site.folder / Path(name).name)
        await site.take(Path(name).name)
        counted = await site.database.fetch(
            "SELECT count(*), total(volume_code <> ''),"
            " total(json_extract(CAST(body AS TEXT), '$.parent_id') IS NOT NULL) FROM record"
        )
    assert counted == [(records, 0.0, 0.0)]


def test_codes_seen_in_practice_name_a_volume_only_where_they_have_its_number(shared_data: Path) -> None:
    path = shared_data / "12_test_vectors" / "catalogue_field_vectors_seen_in_public_code.csv"
    with path.open(encoding="utf-8-sig", newline="") as source:
        codes = [row["input"] for row in csv.DictReader(source) if row["field"] == "档号"]
    named = [
        named_volume(
            Record(
                record_id=UUID(int=1),
                repository_id="330523108204",
                title="件",
                ref_code=code.folded,
                fonds_no=code.fonds_no,
                volume_no=code.volume_no,
                item_no=code.item_no,
            )
        )
        for code in map(parse_code, codes)
    ]
    in_volumes = [(code, volume) for code, volume in zip(codes, named, strict=True) if volume]
    assert (len(codes), len(in_volumes)) == (26, 3)
    assert all(code.count("-") == 3 and code.startswith(f"{volume}-") for code, volume in in_volumes)
