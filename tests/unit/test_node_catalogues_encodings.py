"""Which encoding a text file is in."""

from pathlib import Path

import pytest

from node.catalogues.delimited import text_rows
from node.catalogues.encodings import SCORED_BYTES_MAX, detect_encoding
from node.catalogues.refusals import UnreadableFile

SIMPLIFIED = "序号,档号,题名,责任者,日期,保管期限\r\n1,001-2-15,关于林地承包合同的批复,某镇人民政府,1986年,永久\r\n"
TRADITIONAL = "序號,檔號,題名,責任者,日期,保管期限\r\n1,001-2-15,關於林地承包合同的批覆,某鎮人民政府,1986年,永久\r\n"


def written(tmp_path: Path, raw: bytes) -> Path:
    path = tmp_path / "目录.csv"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (SIMPLIFIED, "gbk", "gb18030"),
        (SIMPLIFIED, "utf-16-le", "utf-16-le"),
        (SIMPLIFIED, "utf-16-be", "utf-16-be"),
        (TRADITIONAL, "utf-8", "utf-8"),
        (TRADITIONAL, "gb18030", "gb18030"),
        (TRADITIONAL, "big5", "cp950"),
        (TRADITIONAL, "utf-16-le", "utf-16-le"),
    ],
)
def test_each_encoding_is_told_from_the_others(tmp_path: Path, text: str, encoding: str, found: str) -> None:
    detected = detect_encoding(written(tmp_path, text.encode(encoding)))
    assert (detected.name, detected.has_mark, detected.is_uncertain) == (found, False, False)


@pytest.mark.parametrize(
    ("encoding", "mark_bytes", "label"),
    [
        ("utf-8", 3, "UTF-8 (BOM)"),
        ("utf-16-le", 2, "UTF-16-LE (BOM)"),
        ("utf-16-be", 2, "UTF-16-BE (BOM)"),
        ("gb18030", 4, "GB18030 (BOM)"),
    ],
)
def test_byte_order_mark_decides(tmp_path: Path, encoding: str, mark_bytes: int, label: str) -> None:
    detected = detect_encoding(written(tmp_path, f"\ufeff{SIMPLIFIED}".encode(encoding)))
    assert (detected.name, detected.mark_bytes, detected.label) == (encoding, mark_bytes, label)


def test_ascii_is_utf_8_for_certain(tmp_path: Path) -> None:
    detected = detect_encoding(written(tmp_path, b"title,date\nForest contract,1986\n"))
    assert (detected.name, detected.is_uncertain) == ("utf-8", False)


def test_character_cut_by_the_end_of_the_sample_is_no_fault(tmp_path: Path) -> None:
    text = SIMPLIFIED + "1" * (SCORED_BYTES_MAX - len(SIMPLIFIED.encode("gb18030")) - 1) + "县档案馆\r\n"
    assert detect_encoding(written(tmp_path, text.encode("gb18030"))).name == "gb18030"


def test_a_file_that_changed_since_its_encoding_was_recognised_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, SIMPLIFIED.encode())
    encoding = detect_encoding(path)
    written(tmp_path, SIMPLIFIED.encode("gb18030"))
    with pytest.raises(UnreadableFile) as raised:
        list(text_rows(path, encoding))
    assert raised.value.finding == "encoding_unreadable"


def test_damage_far_down_is_found_and_its_line_named(tmp_path: Path) -> None:
    """The sample is fine, so only a look at the whole file shows that line 20,001 is in another encoding."""
    raw = SIMPLIFIED.encode() * 10_000 + "第一行\n".encode("gb18030") + b"\xff\xff\xff\n"
    with pytest.raises(UnreadableFile) as raised:
        detect_encoding(written(tmp_path, raw))
    assert raised.value.finding == "encoding_unreadable"
    assert "20001" in raised.value.reason.en or "20002" in raised.value.reason.en


@pytest.mark.parametrize(
    "raw",
    [
        "Catálogo de documentación: señor, año, niño".encode("latin-1"),
        "文書目録カタログ一覧表示データ".encode("shift-jis"),
        "Каталог документов архива".encode("cp1251"),
        bytes(range(256)) * 8,
    ],
)
def test_other_encodings_are_refused_with_a_remedy(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(UnreadableFile) as raised:
        detect_encoding(written(tmp_path, raw))
    assert raised.value.finding == "encoding_unreadable"
    assert "UTF-8" in raised.value.hint.zh


def test_rare_names_alone_are_a_guess_that_is_reported(tmp_path: Path) -> None:
    """Without a header or common words the two Chinese encodings cannot be told apart for certain."""
    assert detect_encoding(written(tmp_path, "鍾善某".encode("gb18030"))).is_uncertain


def test_detection_gives_the_same_answer_every_time(tmp_path: Path) -> None:
    path = written(tmp_path, TRADITIONAL.encode("big5"))
    assert len({detect_encoding(path) for _ in range(20)}) == 1
