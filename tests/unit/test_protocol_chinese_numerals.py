import pytest

from protocol.chinese_numerals import read_number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("36", 36),
        ("036", 36),
        ("３６", 36),
        ("三十六", 36),
        ("卅六", 36),
        ("廿", 20),
        ("十", 10),
        ("十一", 11),
        ("二十", 20),
        ("一百", 100),
        ("一百零五", 105),
        ("元", 1),
        ("一九八六", 1986),
        ("二〇一四", 2014),
        ("二○○九", 2009),
        ("贰零壹肆", 2014),
        ("", None),
        ("十十", None),
        ("年", None),
        ("3.5", None),
        ("²", None),
        ("1234567890", None),
    ],
)
def test_a_numeral_is_read_in_every_script(text: str, expected: int | None) -> None:
    assert read_number(text) == expected
