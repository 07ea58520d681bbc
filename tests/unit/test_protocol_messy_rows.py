"""The seven messy rows that every importer must survive: what their codes, dates, periods and numbers mean."""

import pytest

from protocol.dates import contradicts_year, parse_date
from protocol.document_numbers import fold_doc_no
from protocol.findings import RejectedValue
from protocol.reference_codes import Dialect, parse_code
from protocol.retention import RetentionKind, parse_retention


def test_look_alike_separators_are_folded_and_the_date_is_read() -> None:
    code = parse_code("Z109—WS・2011—Y—BGS—0001 ")

    assert (code.folded, code.filing_year, code.findings) == ("Z109-WS·2011-Y-BGS-0001", 2011, ())
    assert parse_date("2011.3.5").edtf == "2011-03-05"
    assert fold_doc_no("某政〔2011〕3号") == ("某政〔2011〕3号", ())


def test_an_old_code_has_a_year_and_a_legacy_period() -> None:
    code, date, retention = parse_code("001-2-15"), parse_date("1986年"), parse_retention("长期")

    assert (code.dialect, code.findings) == (Dialect.DAT13_1994, ())
    assert (date.edtf, str(date.earliest), str(date.latest)) == ("1986", "1986-01-01", "1986-12-31")
    assert (retention.kind, retention.text) == (RetentionKind.LEGACY, "长期")


def test_a_month_without_a_day_is_a_month() -> None:
    date = parse_date("19861200")

    assert (date.edtf, str(date.earliest), str(date.latest), date.findings) == (
        "1986-12",
        "1986-12-01",
        "1986-12-31",
        (),
    )


def test_a_code_that_became_a_date_rejects_its_row_and_a_serial_number_is_a_day() -> None:
    with pytest.raises(RejectedValue) as raised:
        parse_code("3月5日")

    assert raised.value.finding == "ref_code_damaged_by_spreadsheet"
    assert parse_date("41703").edtf == "2014-03-05"
    assert fold_doc_no("无") == ("", ())


def test_width_zero_and_impossible_day_are_warnings() -> None:
    code, date = parse_code("A002-WS·2015·D10·003-7"), parse_date("2015-02-30")

    assert (code.item_no, code.findings) == ("7", ("width_unusual",))
    assert fold_doc_no("某〔2015〕012号") == ("某〔2015〕12号", ("doc_no_irregular",))
    assert (date.edtf, date.findings) == ("2015-02", ("date_impossible",))
    assert parse_retention("10").code() == "D10"


def test_a_hundred_years_are_a_period_and_the_date_contradicts_the_year() -> None:
    code, date = parse_code("H001-ZY·HY·1979·D100-003-012"), parse_date("民国卅六年")

    assert (code.retention_code, code.filing_year, code.findings) == ("D100", 1979, ())
    assert (date.edtf, code.filing_year is not None and contradicts_year(date, code.filing_year)) == ("1947", True)
    assert parse_retention("100年").years == 100
    assert fold_doc_no("婚字第12号") == ("婚字第12号", ())


def test_a_subtotal_row_has_no_code() -> None:
    with pytest.raises(RejectedValue) as raised:
        parse_code("")

    assert raised.value.finding == "ref_code_missing"
