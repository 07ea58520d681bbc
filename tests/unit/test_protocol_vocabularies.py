from collections.abc import Callable

import pytest

from protocol.vocabularies import (
    LIVELIHOOD_KINDS,
    AccessStatus,
    Disclosure,
    Form,
    Level,
    Secrecy,
    parse_access_status,
    parse_disclosure,
    parse_form,
    parse_level,
    parse_secrecy,
)


@pytest.mark.parametrize(
    ("parse", "raw", "expected"),
    [
        (parse_level, "案卷级", Level.VOLUME),
        (parse_level, " 文件级 ", Level.ITEM),
        (parse_level, "全宗", Level.FONDS),
        (parse_level, "series", Level.SERIES),
        (parse_level, "", Level.ITEM),
        (parse_access_status, "开放", AccessStatus.OPEN),
        (parse_access_status, "控制使用", AccessStatus.RESTRICTED),
        (parse_access_status, "不开放", AccessStatus.RESTRICTED),
        (parse_access_status, "延期 开放", AccessStatus.DEFERRED),
        (parse_access_status, "", AccessStatus.UNREVIEWED),
        (parse_disclosure, "依申请公开", Disclosure.ON_REQUEST),
        (parse_disclosure, "", None),
        (parse_form, "原生", Form.BORN_DIGITAL),
        (parse_form, "数字化", Form.DIGITISED),
        (parse_form, "纸质", Form.PAPER),
        (parse_form, "", None),
    ],
)
def test_the_words_of_the_standard_are_known(
    parse: Callable[[str], tuple[object, tuple[str, ...]]], raw: str, expected: object
) -> None:
    assert parse(raw) == (expected, ())


@pytest.mark.parametrize(
    ("parse", "raw", "expected"),
    [
        (parse_level, "Fonds", Level.FONDS),
        (parse_level, "Series", Level.SERIES),
        (parse_level, "Sub-series", Level.SERIES),
        (parse_level, "File", Level.VOLUME),
        (parse_level, "Item", Level.ITEM),
        (parse_level, "ITEM", Level.ITEM),
        (parse_access_status, "Open", AccessStatus.OPEN),
        (parse_access_status, "Closed", AccessStatus.RESTRICTED),
        (parse_access_status, "Open with exception", AccessStatus.RESTRICTED),
        (parse_access_status, "Not yet examined", AccessStatus.UNREVIEWED),
    ],
)
def test_the_words_of_english_exports_are_known(
    parse: Callable[[str], tuple[object, tuple[str, ...]]], raw: str, expected: object
) -> None:
    """ISAD(G)'s levels, and the access words that national archives publish."""
    assert parse(raw) == (expected, ())


@pytest.mark.parametrize(
    "raw", ["Opened by mistake", "Reopen?", "partly open", "Open/Closed", "opening", "Closed until 2040"]
)
def test_a_phrase_that_only_holds_an_access_word_opens_nothing(raw: str) -> None:
    assert parse_access_status(raw) == (AccessStatus.UNREVIEWED, ("access_status_unreadable",))


@pytest.mark.parametrize(
    ("parse", "expected"),
    [
        (parse_level, (Level.ITEM, ("level_unreadable",))),
        (parse_access_status, (AccessStatus.UNREVIEWED, ("access_status_unreadable",))),
        (parse_disclosure, (None, ("disclosure_unreadable",))),
        (parse_form, (None, ("form_unreadable",))),
        (parse_secrecy, (Secrecy.CONFIDENTIAL, ("secrecy_unreadable",))),
    ],
)
def test_an_unknown_word_gets_the_safe_value_and_is_reported(
    parse: Callable[[str], tuple[object, tuple[str, ...]]], expected: object
) -> None:
    assert parse("是") == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", Secrecy.NONE),
        ("无", Secrecy.NONE),
        ("非密", Secrecy.NONE),
        ("不涉密", Secrecy.NONE),
        ("内部", Secrecy.INTERNAL),
        ("秘密", Secrecy.CONFIDENTIAL),
        ("机密", Secrecy.SECRET),
        ("機密", Secrecy.SECRET),
        ("绝密", Secrecy.TOP_SECRET),
        ("机密★10年", Secrecy.SECRET),
        ("秘密★长期", Secrecy.CONFIDENTIAL),
        ("绝 密 ★", Secrecy.TOP_SECRET),
        ("秘密、机密", Secrecy.SECRET),
        ("工作秘密", Secrecy.CONFIDENTIAL),
        ("top_secret", Secrecy.TOP_SECRET),
        ("None", Secrecy.NONE),
        (" Internal", Secrecy.INTERNAL),
    ],
)
def test_a_mark_is_read_with_or_without_its_period(raw: str, expected: Secrecy) -> None:
    assert parse_secrecy(raw) == (expected, ())


@pytest.mark.parametrize("raw", ["★", "密", "1", "已解密", "原机密已降密", "非秘密", "敏感", "内部不公开", "?"])
def test_a_doubtful_mark_does_not_travel(raw: str) -> None:
    """Promise 8: a mistake here must keep the entry at home, never let it out."""
    secrecy, findings = parse_secrecy(raw)

    assert (secrecy.travels, findings) == (False, ("secrecy_unreadable",))


def test_only_unmarked_and_internal_entries_travel() -> None:
    assert {secrecy for secrecy in Secrecy if secrecy.travels} == {Secrecy.NONE, Secrecy.INTERNAL}


def test_there_are_thirty_kinds_with_both_names() -> None:
    assert len(LIVELIHOOD_KINDS) == 30
    assert all(kind.id == key and kind.zh and kind.en for key, kind in LIVELIHOOD_KINDS.items())
