import msgspec
import pytest

from protocol.errors import BadValue
from protocol.findings import RejectedValue
from protocol.reference_codes import (
    REF_CODE_CHARS_MAX,
    CodeProfile,
    CodeSegment,
    Dialect,
    ReferenceCode,
    SegmentKind,
    code_sort_key,
    fold_code,
    parse_code,
)


def parts(code: ReferenceCode) -> dict[str, object]:
    """What a code was found to hold, without what was given."""
    fields = msgspec.structs.asdict(code)
    return {name: value for name, value in fields.items() if value and name not in {"folded", "as_given", "dialect"}}


def profile(name: str, *segments: tuple[SegmentKind, int], **settings: object) -> CodeProfile:
    built = tuple(CodeSegment(kind=kind, width=width) for kind, width in segments)
    return msgspec.structs.replace(CodeProfile(id=name, segments=built), **settings)


@pytest.mark.parametrize(
    ("given", "dialect", "expected"),
    [
        (
            "J019-ZY·JC·CC·2019·D30-001-001",
            Dialect.DAT13_2022,
            {
                "fonds_no": "J019",
                "category_code": "ZY",
                "sub_codes": ("JC", "CC"),
                "filing_year": 2019,
                "retention_code": "D30",
                "volume_no": "001",
                "item_no": "001",
            },
        ),
        (
            "J019-KU·01·2017-001-001",
            Dialect.DAT13_2022,
            {
                "fonds_no": "J019",
                "category_code": "KU",
                "sub_codes": ("01",),
                "filing_year": 2017,
                "volume_no": "001",
                "item_no": "001",
            },
        ),
        (
            "A002-RS-001-002",
            Dialect.DAT13_2022,
            {"fonds_no": "A002", "category_code": "RS", "volume_no": "001", "item_no": "002"},
        ),
        (
            "X032-KJ·KY·01-003",
            Dialect.DAT13_2022,
            {"fonds_no": "X032", "category_code": "KJ", "sub_codes": ("KY",), "project_no": "01", "volume_no": "003"},
        ),
        (
            "K021-ZP·2019·D30-025-005",
            Dialect.DAT13_2022,
            {
                "fonds_no": "K021",
                "category_code": "ZP",
                "filing_year": 2019,
                "retention_code": "D30",
                "group_no": "025",
                "item_no": "005",
            },
        ),
        (
            "C038-001-002-003",
            Dialect.DAT13_1994,
            {"fonds_no": "C038", "catalogue_no": "001", "volume_no": "002", "item_no": "003"},
        ),
        (
            "A439-WS·2015·D30·003-005",
            Dialect.DAT13_2022,
            {
                "fonds_no": "A439",
                "category_code": "WS",
                "filing_year": 2015,
                "retention_code": "D30",
                "org_or_subject": "003",
                "item_no": "005",
            },
        ),
        (
            "Z008-WS·2019·Y-037",
            Dialect.DAT13_2022,
            {
                "fonds_no": "Z008",
                "category_code": "WS",
                "filing_year": 2019,
                "retention_code": "Y",
                "item_no": "037",
            },
        ),
        (
            "C015-WY·TZGG·2019·D10-00001",
            Dialect.DAT13_2022,
            {
                "fonds_no": "C015",
                "category_code": "WY",
                "sub_codes": ("TZGG",),
                "filing_year": 2019,
                "retention_code": "D10",
                "item_no": "00001",
            },
        ),
        (
            "Z109-WS·2011-Y-BGS-0001",
            Dialect.DAT22_2015,
            {
                "fonds_no": "Z109",
                "category_code": "WS",
                "filing_year": 2011,
                "retention_code": "Y",
                "org_or_subject": "BGS",
                "item_no": "0001",
            },
        ),
        (
            "Z109-WS·2011·Y·办公室-0001",
            Dialect.DAT13_2022,
            {
                "fonds_no": "Z109",
                "category_code": "WS",
                "filing_year": 2011,
                "retention_code": "Y",
                "org_or_subject": "办公室",
                "item_no": "0001",
            },
        ),
        (
            "H001-ZY·HY·1979·D100-003-012",
            Dialect.DAT13_2022,
            {
                "fonds_no": "H001",
                "category_code": "ZY",
                "sub_codes": ("HY",),
                "filing_year": 1979,
                "retention_code": "D100",
                "volume_no": "003",
                "item_no": "012",
            },
        ),
        (
            "001-2-15",
            Dialect.DAT13_1994,
            {"fonds_no": "001", "catalogue_no": "2", "volume_no": "15"},
        ),
    ],
)
def test_a_clear_code_is_taken_apart_without_a_profile(
    given: str, dialect: Dialect, expected: dict[str, object]
) -> None:
    code = parse_code(given)

    assert (code.dialect, parts(code)) == (dialect, expected)


@pytest.mark.parametrize(
    ("given", "finding", "expected"),
    [
        # Organ 003 or volume 003?
        ("A439-WS·2015-D30-003-0005", "profile_unknown", {"org_or_subject": "003", "item_no": "0005"}),
        # Item 054 or page 054?
        ("X032-KJ·JJ·02-005-054", "profile_unknown", {"project_no": "02", "volume_no": "005", "item_no": "054"}),
        ("J001-KJ·JJ·2022-Y-001-0001", "profile_unknown", {"volume_no": "001", "item_no": "0001"}),
        ("Z109—WS.2011—Y—1", "width_unusual", {"filing_year": 2011, "retention_code": "Y", "item_no": "1"}),
        ("Z109-WS·11·Y-001", "code_year_short", {"retention_code": "Y", "item_no": "001"}),
        ("Z109-WS·2011·30年-001", "code_retention_in_words", {"retention_code": "D30", "item_no": "001"}),
        ("Z081-WS·2022-永久-综合-0001", "code_retention_in_words", {"retention_code": "Y", "org_or_subject": "综合"}),
        ("WS·2011·Y-001", "fonds_missing_in_code", {"category_code": "WS", "filing_year": 2011}),
        ("001-WS2017-D10-BGS0006", "profile_unknown", {"filing_year": 2017, "org_or_subject": "BGS"}),
        ("2004-S2003-423-1", "profile_unknown", {"item_no": "1"}),
        ("0003", "profile_unknown", {"item_no": "0003"}),
    ],
)
def test_a_doubtful_code_is_guessed_and_says_so(given: str, finding: str, expected: dict[str, object]) -> None:
    code = parse_code(given)

    assert (code.findings, parts(code) | expected) == ((finding,), parts(code))


@pytest.mark.parametrize(
    "given",
    [
        "3月5日",
        "2011-3-5",
        "2011/3/5",
        "2011/3/5 0:00",
        "2011-03-05 00:00:00",
        "2011-03-05T00:00:00",
        "2011年3月5日",
        "5-Mar",
        "Mar-05",
        "3/5/2011",
        "41703",
        "41703.0",
        "1.2E+11",
        "3:05",
        "#REF!",
        "#N/A",
        "########",
    ],
)
def test_a_code_that_a_spreadsheet_changed_is_rejected(given: str) -> None:
    """What stood there cannot be recovered: 3-5 and 03-05 both became 5 March."""
    with pytest.raises(RejectedValue) as raised:
        parse_code(given)

    assert raised.value.finding == "ref_code_damaged_by_spreadsheet"


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        ("", "ref_code_missing"),
        (" \u3000", "ref_code_missing"),
        ("-", "ref_code_missing"),
        ("无", "ref_code_missing"),
        ("A" * (REF_CODE_CHARS_MAX + 1), "value_too_long"),
    ],
)
def test_a_code_that_no_row_can_carry_is_a_bad_value(given: str, finding: str) -> None:
    with pytest.raises(BadValue) as raised:
        parse_code(given)

    assert isinstance(raised.value, RejectedValue)
    assert raised.value.finding == finding


@pytest.mark.parametrize(
    "given",
    [
        "Z109—WS・2011—Y—BGS—0001 ",
        "Z109——WS•2011——Y——BGS——0001",
        "Z109–WS‧2011–Y–BGS–0001",
        "Z109－WS⋅2011－Y－BGS－0001",
        "Z109−WS.2011−Y−BGS−0001",
        "Z109一WS．2011一Y一BGS一0001",
        "ｚ１０９-ws·2011-y-bgs-0001",
        "Z109 - WS · 2011 - Y - BGS - 0001",
        "\ufeffZ109-WS·2011-Y-BGS-0001\u3000",
        "Z109-WS·2011-Y-BGS-0001\x00",
    ],
)
def test_look_alike_characters_are_folded(given: str) -> None:
    assert fold_code(given) == "Z109-WS·2011-Y-BGS-0001"


def test_what_is_given_is_kept() -> None:
    code = parse_code("Z109—WS・2011—Y—BGS—0001 ")

    assert (code.folded, code.as_given) == ("Z109-WS·2011-Y-BGS-0001", "Z109—WS・2011—Y—BGS—0001 ")


def test_the_character_for_one_stays_inside_words() -> None:
    """一 is a dash between codes only."""
    assert fold_code("Z109-WS·2011·Y·统一战线部-0001") == "Z109-WS·2011·Y·统一战线部-0001"


def test_control_characters_are_removed_and_reported() -> None:
    code = parse_code("Z008-WS·2019·Y-0\x0737")

    assert (code.folded, code.findings) == ("Z008-WS·2019·Y-037", ("control_characters",))


ORGAN = profile(
    "town-2015",
    *((SegmentKind.FONDS, 4), (SegmentKind.CATEGORY, 2), (SegmentKind.YEAR, 4), (SegmentKind.RETENTION, 0)),
    *((SegmentKind.ORG, 3), (SegmentKind.ITEM, 4)),
    fonds_no="A4[0-9]{2}",
    category="WS",
    dialect=Dialect.DAT22_2015,
)
VOLUME = profile(
    "town-old",
    *((SegmentKind.FONDS, 4), (SegmentKind.CATEGORY, 2), (SegmentKind.YEAR, 4), (SegmentKind.RETENTION, 0)),
    *((SegmentKind.VOLUME, 3), (SegmentKind.ITEM, 4)),
    year_to=2010,
)


def test_a_profile_says_whether_a_number_is_an_organ_or_a_volume() -> None:
    profiles = (VOLUME, ORGAN)

    new, old = parse_code("A439-WS·2015-D30-003-0005", profiles), parse_code("A439-WS·2009-D30-003-0005", profiles)

    assert (new.profile, new.org_or_subject, new.volume_no, new.findings) == ("town-2015", "003", "", ())
    assert (old.profile, old.org_or_subject, old.volume_no, old.findings) == ("town-old", "", "003", ())


def test_a_profile_names_the_page_of_a_project() -> None:
    drawings = profile(
        "drawings",
        *((SegmentKind.FONDS, 4), (SegmentKind.CATEGORY, 2), (SegmentKind.SUB, 2), (SegmentKind.PROJECT, 2)),
        *((SegmentKind.VOLUME, 3), (SegmentKind.PAGE, 3)),
        category="KJ",
    )

    code = parse_code("X032-KJ·JJ·02-005-054", (drawings,))

    assert (code.sub_codes, code.project_no, code.volume_no, code.page_no) == (("JJ",), "02", "005", "054")


def test_a_profile_reads_its_scheme_with_either_separator() -> None:
    by_hyphen, by_dot = (
        parse_code(given, (ORGAN,)) for given in ("A439-WS·2015-Y-003-0005", "A439-WS·2015·Y·003-0005")
    )

    assert (by_hyphen.org_or_subject, by_dot.org_or_subject) == ("003", "003")


def test_an_unusual_width_is_reported_against_the_profile() -> None:
    assert parse_code("A439-WS·2015-Y-003-005", (ORGAN,)).findings == ("width_unusual",)


def test_a_code_outside_every_profile_is_guessed() -> None:
    code = parse_code("Z008-WS·2019·Y-037", (ORGAN, VOLUME))

    assert (code.profile, code.item_no) == ("", "037")


@pytest.mark.parametrize("fonds_no", ["(", "[a-"])
def test_a_profile_with_a_broken_pattern_cannot_be_built(fonds_no: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        CodeProfile(id="broken", fonds_no=fonds_no, segments=(CodeSegment(kind=SegmentKind.ITEM),))


def test_a_profile_without_segments_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="segment"):
        CodeProfile(id="empty", segments=())


def test_codes_sort_by_the_value_of_their_numbers() -> None:
    """Excel drops zeros: 001 and 0001 stand together, and 2 comes before 10."""
    codes = ["001-2-10", "001-2-9", "001-10-1", "Z1-WS·2011·Y-0001", "Z1-WS·2011·Y-001", "", "9" * 50]

    assert sorted(codes, key=code_sort_key) == [
        "",
        "001-2-9",
        "001-2-10",
        "001-10-1",
        "9" * 50,
        "Z1-WS·2011·Y-0001",
        "Z1-WS·2011·Y-001",
    ]
