import re

import pytest

from protocol.errors import BadValue
from protocol.findings import RULES, UNLISTED, RejectedValue, Severity, finding, rule

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", RULES)
def test_every_finding_says_what_is_wrong_and_what_to_do_in_both_languages(code: str) -> None:
    known = RULES[code]

    assert all(CHINESE.search(text.zh) and text.zh.endswith("。") for text in (known.reason, known.remedy))
    assert all(text.en[0].isupper() or CHINESE.match(text.en) for text in (known.reason, known.remedy))
    assert all(text.en.endswith(".") for text in (known.reason, known.remedy))


def test_codes_are_plain_words() -> None:
    assert [code for code in RULES if not re.fullmatch("[a-z]+(_[a-z]+)+", code)] == []


def test_a_finding_takes_its_words_from_the_registry() -> None:
    made = finding("date_impossible", field="date", value="2015-02-30")

    assert (made.severity, made.text, made.remedy) == (
        Severity.WARNING,
        RULES["date_impossible"].reason,
        RULES["date_impossible"].remedy,
    )


def test_the_severity_can_be_overridden() -> None:
    assert finding("date_impossible", field="date", value="?", severity=Severity.REJECT).severity is Severity.REJECT


def test_a_finding_without_words_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        finding("no_such_code", field="", value="")


def test_a_finding_of_a_newer_partner_can_still_be_shown() -> None:
    assert rule("from_the_future") is UNLISTED


def test_a_rejected_value_carries_its_code_and_words() -> None:
    error = RejectedValue("ref_code_missing")

    assert isinstance(error, BadValue)
    assert (error.finding, error.reason, error.hint) == (
        "ref_code_missing",
        RULES["ref_code_missing"].reason,
        RULES["ref_code_missing"].remedy,
    )
