"""Two contents side by side: what differs comes first, and nothing differs from what nobody knows."""

import msgspec

from hub.decisions.side_by_side import lines_of
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from tests.catalogue import fictitious

ONE = fictitious(1, title="山林承包合同", responsible_parties=("上石村", "林业站"))


def test_what_differs_comes_first_and_is_marked() -> None:
    other = msgspec.structs.replace(ONE, note="另有附图", access_status=AccessStatus.OPEN)
    lines = lines_of(ONE, other)
    unlike = [(line.field.en, line.left.en, line.right.zh) for line in lines if line.differs]

    assert unlike == [("access", "", "开放"), ("note", "", "另有附图")]
    assert [line.differs for line in lines] == sorted((line.differs for line in lines), reverse=True)


def test_nothing_differs_from_what_nobody_knows() -> None:
    """A site that cannot be asked has not changed its records by that."""
    lines = lines_of(ONE, None)

    assert (any(line.differs for line in lines), {line.right.zh for line in lines}) == (False, {""})


def test_values_are_shown_as_people_write_them() -> None:
    shown = {line.field.en: line.left.zh for line in lines_of(ONE, ONE)}

    assert (shown["responsible parties"], shown["retention"]) == ("上石村；林业站", "永久")


def test_every_field_of_a_record_has_words_or_is_left_out() -> None:
    whole = dict.fromkeys(Record.__struct_fields__, "x")
    named = lines_of.__globals__["_word"]
    without = {name for name in whole if named(name).zh == name} - lines_of.__globals__["_UNTELLING"]

    assert without == set()
