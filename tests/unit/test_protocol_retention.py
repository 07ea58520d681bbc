import msgspec
import pytest

from protocol.retention import Retention, RetentionKind, parse_retention
from protocol.wording import Text


@pytest.mark.parametrize(
    ("raw", "kind", "years", "code"),
    [
        ("永久", RetentionKind.PERMANENT, None, "Y"),
        ("Y", RetentionKind.PERMANENT, None, "Y"),
        ("永 久", RetentionKind.PERMANENT, None, "Y"),
        ("30年", RetentionKind.YEARS, 30, "D30"),
        ("D30", RetentionKind.YEARS, 30, "D30"),
        ("d30", RetentionKind.YEARS, 30, "D30"),
        ("Ｄ３０", RetentionKind.YEARS, 30, "D30"),
        ("30", RetentionKind.YEARS, 30, "D30"),
        ("30.0", RetentionKind.YEARS, 30, "D30"),
        ("三十年", RetentionKind.YEARS, 30, "D30"),
        ("定期30年", RetentionKind.YEARS, 30, "D30"),
        ("定期（10年）", RetentionKind.YEARS, 10, "D10"),
        ("30 years", RetentionKind.YEARS, 30, "D30"),
        ("15年", RetentionKind.YEARS, 15, "D15"),
        ("100年", RetentionKind.YEARS, 100, "D100"),
        ("D100", RetentionKind.YEARS, 100, "D100"),
        ("长期", RetentionKind.LEGACY, None, "C"),
        ("長期", RetentionKind.LEGACY, None, "C"),
        ("短期", RetentionKind.LEGACY, None, "D"),
        ("D", RetentionKind.LEGACY, None, "D"),
        ("处置后5年", RetentionKind.RULE, None, ""),
        ("5 years after disposal", RetentionKind.RULE, None, ""),
        ("", RetentionKind.UNKNOWN, None, ""),
        ("定期", RetentionKind.UNKNOWN, None, ""),
        ("0年", RetentionKind.UNKNOWN, None, ""),
        ("随便", RetentionKind.UNKNOWN, None, ""),
    ],
)
def test_a_period_is_data_not_a_choice_of_three(raw: str, kind: RetentionKind, years: int | None, code: str) -> None:
    """Marriage files keep 100 years, old accounts 15, and a bare D is the old short term, not D10."""
    read = parse_retention(raw)

    assert (read.kind, read.years, read.code()) == (kind, years, code)


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("Y", Text(zh="永久", en="permanent")),
        ("D30", Text(zh="30年", en="30 years")),
        ("C", Text(zh="长期", en="long term (legacy)")),
        ("处置后5年", Text(zh="处置后5年", en="处置后5年")),
        ("", Text(zh="未注明", en="not stated")),
    ],
)
def test_a_period_is_shown_in_words(raw: str, label: Text) -> None:
    assert parse_retention(raw).label() == label


def test_a_period_survives_the_wire() -> None:
    for raw in ("永久", "D30", "长期", "处置后5年", "?"):
        read = parse_retention(raw)

        assert msgspec.json.decode(msgspec.json.encode(read), type=Retention) == read
