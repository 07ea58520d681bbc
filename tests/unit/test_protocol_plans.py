"""What an index is asked, written in one line: t title, p parties, c codes, r rest, m marks, * all text."""

import pytest

from protocol.expressions import AllOf, AnyOf, Expression, Run, Without
from protocol.limits import QUERY_WORDS_MAX, READINGS_WORDS_MAX, RUN_TERMS_MAX
from protocol.plans import Plan, StageName, marked, plan
from protocol.queries import parse
from protocol.query_fields import Field
from protocol.readings import Reading, ReadingKind
from tests.queries import planned, reading


def sketch(expression: Expression) -> str:
    match expression:
        case Run(terms=terms, columns=columns, is_prefix=is_prefix):
            name = "*" if len(columns) == 4 else "".join(column[0] for column in columns)
            return f"{name}[{' '.join(terms)}{'*' if is_prefix else ''}]"
        case AllOf(parts=parts):
            return f"({' & '.join(map(sketch, parts))})"
        case AnyOf(parts=parts):
            return f"({' | '.join(map(sketch, parts))})"
        case Without(wanted=wanted, unwanted=unwanted):
            return f"({sketch(wanted)} - {sketch(unwanted)})"


def stages(made: Plan) -> list[tuple[str, str]]:
    return [(stage.name.value, sketch(stage.expression)) for stage in made.stages]


def test_one_word_is_looked_for_in_the_title_then_in_the_parties_then_anywhere() -> None:
    assert stages(planned("林地")) == [("title", "t[林地]"), ("parties", "tp[林地]"), ("anywhere", "*[林地]")]


def test_several_words_stand_together_first() -> None:
    assert stages(planned("林地 承包")) == [
        ("joined", "(t[林地 地承 承包] | t[林地 地 承包])"),
        ("title", "(t[林地] & t[承包])"),
        ("parties", "(tp[林地] & tp[承包])"),
        ("anywhere", "(*[林地] & *[承包])"),
    ]


def test_a_code_is_looked_for_as_a_whole_then_as_it_is_written_then_as_a_beginning() -> None:
    made = planned("z109—ws.2011.y-bgs-01")

    assert stages(made)[0] == ("whole", "m[¬z109－ws－2011－y－bgs－1]")
    assert stages(made)[-1] == (
        "anywhere",
        (
            "(*[z109 ws 2011 y bgs 01] | m[¬z109－ws－2011－y－bgs－1] | c[z109 ws 2011 y bgs 01*]"
            " | m[¬z109－ws－2011－y－bgs－1－*])"
        ),
    )
    assert made.is_exact


def test_a_number_in_any_brackets_is_a_whole_and_the_other_words_stand_anywhere() -> None:
    assert stages(planned("某政发[2014]012号 通知"))[0] == ("whole", "(m[¦某政发－2014－12号] & *[通知])")


def test_a_year_among_words_is_written_or_dated() -> None:
    made = planned("1986 林地")

    assert stages(made)[-1] == ("anywhere", "((*[1986] | (m[¥1986] | m[±198])) & *[林地])")
    assert (made.periods, made.is_exact) == ((), True)


def test_a_month_among_words_has_to_be_checked() -> None:
    """The index knows years only."""
    assert not planned("1986年3月 林地").is_exact


def test_a_period_is_compared_and_its_years_narrow_the_index() -> None:
    made = planned("日期:1986年3月 林地")

    assert stages(made)[-1] == ("anywhere", "(*[林地] & (m[¥1986] | m[±198]))")
    assert [(str(one.first), str(one.last)) for one in made.periods] == [("1986-03-01", "1986-03-31")]
    assert made.is_exact


def test_an_open_period_is_only_compared() -> None:
    made = planned(">1986 山林")

    assert stages(made)[-1] == ("anywhere", "*[山林]")
    assert [(str(one.first), one.last) for one in made.periods] == [("1987-01-01", None)]


def test_exclusions_are_part_of_every_stage() -> None:
    made = planned("题名:林权 -承包 -甲|乙")

    assert stages(made) == [("title", "(t[林权] - (*[承包] | (*[甲*] | *[乙*])))")]


def test_what_the_index_finds_too_widely_excludes_nothing() -> None:
    """It would hide records that are meant; the check excludes."""
    made = planned("山林 -1986年3月 -附注:甲乙")

    assert stages(made)[-1] == ("anywhere", "*[山林]")
    assert (made.is_exact, made.unwanted) == (False, None)


@pytest.mark.parametrize("query", ["档号:001-2", "文号:12号", "摘要:甲乙", "附注:甲乙"])
def test_fields_that_share_a_column_have_to_be_checked(query: str) -> None:
    assert not planned(query).is_exact


def test_filters_are_kept_apart() -> None:
    made = planned("全宗:001|002 -层级:案卷 林地 站点:330523108")

    assert [(one.field, one.values, one.is_excluded) for one in made.selections] == [
        (Field.FONDS, ("001", "002"), False),
        (Field.LEVEL, ("volume",), True),
        (Field.SITE, ("330523108*",), False),
    ]
    assert [sketch(expression) for one in made.selections if (expression := marked(one))] == [
        "(m[¶001] | m[¶002])",
        "m[£volume]",
        "m[§330523108*]",
    ]


def test_a_site_that_is_named_in_words_has_no_mark() -> None:
    assert marked(planned("站点:天荒坪").selections[0]) is None


def test_only_filters_and_exclusions_leave_nothing_to_look_for() -> None:
    made = planned("全宗:001 -承包")

    assert (made.stages, made.found_by) == ((), None)
    assert made.unwanted is not None
    assert sketch(made.unwanted) == "*[承包]"


def read(word: str) -> list[Reading]:
    known = {
        "皈山乡": [reading("梅溪镇", ReadingKind.PLACE), reading("皈山公社", ReadingKind.PLACE)],
        "林权": [reading("山林", ReadingKind.SYNONYM)],
        "付伟": [reading("傅伟", ReadingKind.NAME_FORM), reading("付威", ReadingKind.HOMOPHONE)],
    }
    return known.get(word, [])


def test_other_readings_are_later_stages_that_hold_the_earlier_ones() -> None:
    made = plan(parse("皈山乡 林权 付伟"), read)

    assert [stage.name for stage in made.stages[-4:]] == ["name_form", "place", "synonym", "homophone"]
    assert stages(made)[-3] == (
        "place",
        "((*[皈山 山乡] | *[梅溪 溪镇] | *[皈山 山公 公社]) & *[林权] & (*[付伟] | *[傅伟]))",
    )
    assert made.found_by == made.stages[-1].expression
    assert made.words == ("皈山乡", "林权", "付伟")


def test_quoted_words_and_exclusions_are_not_read_otherwise() -> None:
    assert plan(parse("“皈山乡” 题名:林权 -付伟"), read).stages[-1].name is StageName.SYNONYM
    assert plan(parse("“皈山乡”"), read).stages[-1].name is StageName.ANYWHERE


def test_a_reading_of_a_field_is_looked_for_in_that_field() -> None:
    assert stages(plan(parse("题名:林权"), read)) == [("title", "t[林权]"), ("synonym", "(t[林权] | t[山林])")]


def test_a_fresh_stage_leaves_out_the_one_before_and_the_whole_codes() -> None:
    made = planned("某政发[2014]12号")

    assert sketch(made.fresh(0)) == "m[¦某政发－2014－12号]"
    assert sketch(made.fresh(1)) == "(t[某政 政发 发 2014 12 号*] - m[¦某政发－2014－12号])"
    assert sketch(made.fresh(2)).endswith("- (m[¦某政发－2014－12号] | t[某政 政发 发 2014 12 号*]))")


def test_a_long_text_is_asked_for_by_its_beginning_and_checked() -> None:
    made = planned("".join(chr(0x4E00 + number) for number in range(500)))

    assert made.found_by is not None
    assert isinstance(made.found_by, Run)
    assert (len(made.found_by.terms), made.is_exact) == (RUN_TERMS_MAX, False)


def test_many_words_are_asked_for_as_far_as_an_index_goes_and_checked() -> None:
    made = planned(" ".join(f"w{number}" for number in range(150)))

    assert isinstance(made.found_by, AllOf)
    assert (len(made.found_by.parts), made.is_exact) == (QUERY_WORDS_MAX, False)
    assert len(made.words) == READINGS_WORDS_MAX


def test_every_stage_says_what_it_means_in_both_languages() -> None:
    words = [stage.means for stage in plan(parse("皈山乡 林权 付伟 Z109-1"), read).stages]

    assert len({text.zh for text in words}) == len({text.en for text in words}) == len(words) == 9
