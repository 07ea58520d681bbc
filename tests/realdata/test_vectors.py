"""Our readers against values that other programs' authors and scholars wrote down.

The expected values of the public vectors are those programs' own rules. Where ours differ on purpose, the difference
and its reason stand in a table here.
"""

import contextlib
import csv
import datetime
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from protocol.analysis import fold, index_terms
from protocol.dates import parse_date
from protocol.document_numbers import fold_doc_no
from protocol.eras import ERAS, simplified, year_of_era, years_of_cycle
from protocol.errors import BadValue
from protocol.identity_numbers import is_identity_number, mask_identity_numbers
from protocol.reference_codes import code_sort_key, parse_code
from tests.plain_queries import match_query

VECTORS = "12_test_vectors"


def rows(shared_data: Path, name: str) -> list[dict[str, str]]:
    with (shared_data / VECTORS / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def vectors(shared_data: Path, kind: str, field: str) -> Iterator[tuple[str, str]]:
    for row in rows(shared_data, "catalogue_field_vectors_seen_in_public_code.csv"):
        if (row["kind"], row["field"]) == (kind, field):
            yield row["input"], row["expected_by_that_code_or_note"]


FOLDED_DIFFERENTLY = {
    # Their program pads serial numbers to four digits; we keep what is printed on the document, and sort by value.
    "1031-WS ·2006-Y-001": "1031-WS·2006-Y-001",
    "1031-ws·1980-y-11": "1031-WS·1980-Y-11",
    "1031-WS ·2009-D30-0029": "1031-WS·2009-D30-0029",
    # It also guesses that a wrong category was meant to be WS; we never change what a code says.
    "1012-s·1980-Y-11": "1012-S·1980-Y-11",
    "1001-IS-2013-D30-1": "1001-IS-2013-D30-1",
}


def test_codes_are_folded_without_being_rewritten(shared_data: Path) -> None:
    """Theirs are folded to lower case, padded and corrected; ours to capitals, as the standard writes them."""
    folded = {given: parse_code(given).folded for given, _ in vectors(shared_data, "norm", "档号")}

    assert folded == FOLDED_DIFFERENTLY


def test_a_forgotten_separator_does_not_hide_the_parts(shared_data: Path) -> None:
    """They put the separator in; we leave the code as printed, and read the same parts from it."""
    pairs = [
        (parse_code(given), parse_code(expected.partition(" ")[0]))
        for given, expected in vectors(shared_data, "sequence", "档号")
    ]

    assert len(pairs) == 7
    for ours, theirs in pairs:
        assert (ours.fonds_no, ours.category_code, ours.filing_year, ours.retention_code) == (
            theirs.fonds_no,
            theirs.category_code,
            theirs.filing_year,
            theirs.retention_code,
        )
        assert (ours.org_or_subject, ours.item_no) == (theirs.org_or_subject, theirs.item_no)
        assert ours.findings == ("profile_unknown",)


NUMBER_NOT_LAST = {
    # A page suffix behind the item's number, which only a profile could explain.
    "Q1-WS-2024001-0001_P001"
}


def test_codes_seen_in_public_are_read(shared_data: Path) -> None:
    seen = [given for given, _ in vectors(shared_data, "seen", "档号")]
    codes = {given: parse_code(given) for given in seen}

    assert {given for given, code in codes.items() if not (code.item_no or code.volume_no)} == set()
    assert {given for given, code in codes.items() if not code.item_no} == NUMBER_NOT_LAST
    assert sorted(seen, key=code_sort_key)


DOC_NO_FOLDED_DIFFERENTLY = {
    # Theirs keeps ASCII brackets, ours the hexagonal ones of GB/T 9704.
    "安工字【2013】1号": "安工字〔2013〕1号",
    "吉工民字[2010].2号": "吉工民字〔2010〕2号",
    "赣工（【2009】39号": "赣工〔2009〕39号",
    # They add 号; without a year in brackets we do not know that one is missing.
    "第22；": "第22",
    "": "",
}


def test_document_numbers_are_folded_to_the_standard_form(shared_data: Path) -> None:
    pairs = dict(vectors(shared_data, "norm", "文号"))

    assert {given: fold_doc_no(given)[0] for given in pairs} == DOC_NO_FOLDED_DIFFERENTLY
    agreeing = [
        given for given in pairs if fold(fold_doc_no(given)[0]).replace("(", "[").replace(")", "]") == pairs[given]
    ]
    assert len(agreeing) == 4


def test_compact_dates_agree(shared_data: Path) -> None:
    """Theirs only says good or bad; ours keeps the year of an impossible month."""
    results = {given: parse_date(given) for given, _ in vectors(shared_data, "check", "日期")}

    assert {given: (span.edtf, span.findings) for given, span in results.items()} == {
        "20110000": ("2011", ()),
        "20110300": ("2011-03", ()),
        "20180927": ("2018-09-27", ()),
        "20188927": ("2018", ("date_impossible",)),
        "2019000": ("", ("date_unreadable",)),
    }


NOT_A_COUNTED_REIGN = {
    # Reigned for two months in one town; no document of the county can carry it.
    "紹武"
}


def test_every_reign_year_lies_in_its_interval(shared_data: Path) -> None:
    checked = 0
    for row in rows(shared_data, "era_years_1596_onwards.csv"):
        if row["era"] in NOT_A_COUNTED_REIGN:
            continue
        span = parse_date(f"{row['era']}{row['year_no']}年")
        first, last = (datetime.date.fromisoformat(row[f"{end}_gregorian"]) for end in ("first", "last"))

        assert span.earliest is not None, row
        assert span.latest is not None, row
        assert span.earliest <= first <= last <= span.latest, row
        checked += 1

    assert checked == 380


def test_every_cyclical_year_is_a_year_of_its_reign(shared_data: Path) -> None:
    """The Republic's first weeks still belonged to the lunar year before, which is the one exception."""
    missed = [
        (row["era"], row["year_no"])
        for row in rows(shared_data, "era_years_1596_onwards.csv")
        if row["era"] not in NOT_A_COUNTED_REIGN
        and year_of_era(era := ERAS[simplified(row["era"])], int(row["year_no"]))
        not in years_of_cycle(era, row["year_ganzhi"])
    ]

    assert missed == [("民國", "1")]


AREA_NOT_JUDGED = {
    # Their list of areas is today's; areas are abolished and the numbers stay valid.
    "110111198012010078",
    "110201199312010077",
    "360426199113010079",
    "990426199112010074",
}


def test_identity_numbers_agree_but_for_abolished_areas(shared_data: Path) -> None:
    vectors = {row["number"]: row["expected"] == "valid" for row in rows(shared_data, "cn_resident_id_vectors.csv")}
    different = {number for number, valid in vectors.items() if is_identity_number(number) != valid}

    assert different <= AREA_NOT_JUDGED
    assert all(mask_identity_numbers(number)[1] == 1 for number, valid in vectors.items() if valid)


def test_unified_social_credit_codes_are_not_taken_for_people(shared_data: Path) -> None:
    masked = [
        row["number"] for row in rows(shared_data, "cn_uscc_vectors.csv") if mask_identity_numbers(row["number"])[1]
    ]

    assert masked == []


SIMPLIFYING = ("t2s", "hk2s")


def test_both_forms_of_a_sentence_fold_alike_but_for_whole_phrases(shared_data: Path) -> None:
    """OpenCC picks by context (鍾 is 钟 or 锺); a search folds characters one by one."""
    pairs = [
        (row["input"], row["expected"])
        for row in rows(shared_data, "opencc_conversion_cases_A.csv")
        if row["config"] in SIMPLIFYING
    ]
    characters = [
        (a, b) for given, expected in pairs if len(given) == len(expected) for a, b in zip(given, expected, strict=True)
    ]
    agreeing = sum(fold(a) == fold(b) for a, b in characters)

    assert len(characters) > 100
    assert agreeing / len(characters) > 0.95


def test_hostile_strings_hurt_nothing(shared_data: Path) -> None:
    """Every naughty string as a title and a query, as a code, a date and a document number."""
    strings: list[str] = json.loads((shared_data / VECTORS / "big_list_of_naughty_strings.json").read_text("utf-8"))
    lost = []
    with closing(sqlite3.connect(":memory:")) as store:
        store.execute("create virtual table terms using fts5(title, tokenize='unicode61 remove_diacritics 0')")
        store.executemany("insert into terms (title) values (?)", [(index_terms(text),) for text in strings])
        for rowid, text in enumerate(strings, 1):
            expression = match_query(text)
            if expression is None:
                continue
            found = store.execute("select count(*) from terms where terms match ? and rowid = ?", (expression, rowid))
            if found.fetchone() != (1,):
                lost.append(text)
    for text in strings:
        parse_date(text)
        fold_doc_no(text)
        with contextlib.suppress(BadValue):
            parse_code(text)

    assert lost == []
