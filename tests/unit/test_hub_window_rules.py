"""Who may see what: the decision names rule, version and what is missing; a sheet with a gap is refused by name."""

import datetime
from importlib.resources import files

import pytest

from hub.vocabulary.county_sheets import sheet_of
from hub.vocabulary.county_tables import FAULTS_MAX, BadTable
from hub.window.applicants import Evidence, Paper, Requester
from hub.window.requests import Use
from hub.window.rule_table import rules_of
from hub.window.rules import Decision, Facts, Outcome, Relation, Rules, combinations, decide
from protocol.vocabularies import AccessStatus
from tests.window import MONDAY

HEADER = "编号,申请人,开放状态,与档案的关系,查阅,复制,出证,证明材料,依据\n"
REST = "R9,任意,任意,任意,否,否,否,,\n"
SHIPPED = (files("hub") / "defaults" / "rules.csv").read_bytes()
RULES = rules_of(sheet_of("rules.csv", SHIPPED))
ALL = tuple(Use)


def rules(rows: str) -> Rules:
    return rules_of(sheet_of("rules.csv", (HEADER + rows).encode()))


def faults(rows: str) -> list[tuple[int, str, str]]:
    with pytest.raises(BadTable) as refused:
        rules(rows)
    return [(one.line, one.column.zh, one.reason.zh) for one in refused.value.faults]


def decided(
    requester: Requester,
    relation: Relation,
    *papers: Paper | Evidence,
    status: AccessStatus = AccessStatus.RESTRICTED,
    wanted: tuple[Use, ...] = ALL,
    table: Rules = RULES,
) -> Decision:
    evidence = tuple(one if isinstance(one, Evidence) else Evidence(kind=one) for one in papers)
    facts = Facts(requester=requester, status=status, relation=relation, wanted=wanted, evidence=evidence, today=MONDAY)
    return decide(table, 3, facts)


def test_a_closed_file_is_its_partys_own() -> None:
    found = decided(Requester.PERSON, Relation.SUBJECT, Paper.IDENTITY)

    assert (found.outcome, found.rule, found.named, found.allowed) == (Outcome.ALLOW, "R04", "R04@3", ALL)
    assert ("R04" in found.reason.zh, "第 3 版" in found.reason.zh, "version 3" in found.reason.en) == (True,) * 3


def test_another_persons_closed_file_is_not() -> None:
    found = decided(Requester.PERSON, Relation.NONE, Paper.IDENTITY)

    assert (found.outcome, found.refused, found.missing) == (Outcome.DENY, ALL, ())


def test_a_mediators_request_is_not_the_citizens_own() -> None:
    """The same file, asked for by an organ, goes to a person."""
    found = decided(Requester.MEDIATION, Relation.SUBJECT, Paper.UNIT_LETTER, Paper.WORK_CARD)

    assert (found.outcome, found.referred) == (Outcome.REFER, ALL)


def test_what_is_missing_is_that_of_the_nearest_set() -> None:
    nothing = decided(Requester.AGENT, Relation.SUBJECT, Paper.IDENTITY)
    copies = decided(Requester.AGENT, Relation.SUBJECT, Paper.IDENTITY, Paper.PRINCIPAL_COPIES)
    whole = decided(
        Requester.AGENT, Relation.SUBJECT, Paper.IDENTITY, Paper.PRINCIPAL_COPIES, Paper.NOTARISED_AUTHORISATION
    )

    assert nothing.missing == (Paper.PRINCIPAL_COPIES, Paper.NOTARISED_AUTHORISATION)
    assert (copies.outcome, copies.missing) == (Outcome.MISSING, (Paper.NOTARISED_AUTHORISATION,))
    assert (whole.outcome, "经公证的委托书" in copies.reason.zh) == (Outcome.ALLOW, True)


@pytest.mark.parametrize(
    ("paper", "why"),
    [
        (Evidence(kind=Paper.IDENTITY, valid_until=MONDAY - datetime.timedelta(days=1)), "到期"),
        (Evidence(kind=Paper.IDENTITY, is_original=False), "原件"),
    ],
)
def test_papers_that_do_not_count_are_named(paper: Evidence, why: str) -> None:
    found = decided(Requester.PERSON, Relation.SUBJECT, paper)

    assert (found.outcome, found.missing) == (Outcome.MISSING, (Paper.IDENTITY,))
    assert [why in one.why.zh for one in found.not_good] == [True]


def test_a_paper_is_good_on_its_last_day() -> None:
    paper = Evidence(kind=Paper.IDENTITY, valid_until=MONDAY)

    assert decided(Requester.PERSON, Relation.SUBJECT, paper).outcome is Outcome.ALLOW


def test_copies_of_the_principals_papers_count() -> None:
    copies = Evidence(kind=Paper.PRINCIPAL_COPIES, is_original=False)
    found = decided(Requester.AGENT, Relation.SUBJECT, Paper.IDENTITY, copies, Paper.NOTARISED_AUTHORISATION)

    assert found.outcome is Outcome.ALLOW


def test_an_open_record_needs_a_paper_all_the_same() -> None:
    found = decided(Requester.PERSON, Relation.NONE, status=AccessStatus.OPEN)

    assert (found.outcome, found.missing) == (Outcome.MISSING, (Paper.IDENTITY,))


def test_a_part_allowed_and_a_part_refused_goes_to_a_person() -> None:
    table = rules("R1,公民本人,任意,任意,可,否,否,有效身份证件,\n" + REST)
    both = decided(Requester.PERSON, Relation.NONE, Paper.IDENTITY, table=table)
    view = decided(Requester.PERSON, Relation.NONE, Paper.IDENTITY, table=table, wanted=(Use.VIEW,))

    assert (both.outcome, both.allowed, both.refused) == (Outcome.REFER, (Use.VIEW,), (Use.COPY, Use.CERTIFIED))
    assert view.outcome is Outcome.ALLOW


def test_the_first_row_that_fits_decides() -> None:
    table = rules(
        "R1,公民本人,开放,任意,可,可,可,有效身份证件,\nR2,公民本人,任意,任意,审核,审核,审核,有效身份证件,\n" + REST
    )
    named = [
        decided(Requester.PERSON, Relation.NONE, Paper.IDENTITY, status=status, table=table).rule
        for status in (AccessStatus.OPEN, AccessStatus.DEFERRED)
    ]

    assert named == ["R1", "R2"]


@pytest.mark.parametrize("combination", list(combinations()))
def test_without_any_row_a_person_decides(combination: tuple[Requester, AccessStatus, Relation]) -> None:
    """Such a table cannot be loaded; should one be met all the same, it allows nothing."""
    requester, status, relation = combination
    found = decided(requester, relation, *Paper, status=status, table=Rules(rows=()))

    assert (found.outcome, found.allowed, found.named) == (Outcome.REFER, (), "-@3")


# The sheet


def test_a_gap_is_refused_with_its_name() -> None:
    found = faults(
        "R1,公民本人、委托代理人、监护人、近亲属或继承人,任意,任意,否,否,否,,\n"
        "R2,调解组织、信访机构、公检法和国家安全机关、其他单位、境外个人或组织,任意,任意,否,否,否,,\n"
        "R3,律师或诉讼代理人,任意,当事人、与案件有关、本单位形成或移交,否,否,否,,\n"
        "R4,律师或诉讼代理人,开放、延期开放、未审核,无特定关系,否,否,否,,\n"
    )

    assert found == [(5, "", "没有一行规定：律师或诉讼代理人 × 控制 × 无特定关系")]


def test_a_table_of_gaps_names_as_many_as_can_be_read() -> None:
    assert len(faults("R1,公民本人,开放,当事人,否,否,否,,\n")) == FAULTS_MAX


def test_a_row_that_never_decides_is_refused() -> None:
    assert faults(REST + "R10,公民本人,开放,当事人,可,可,可,有效身份证件,\n") == [
        (3, "", "这一行永远用不上：前面的行已全部规定")
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("R1,外星人,任意,任意,否,否,否,,\n", (2, "申请人", "不认识“外星人”")),
        ("R1,任意,半开,任意,否,否,否,,\n", (2, "开放状态", "不认识“半开”")),
        ("R1,任意,任意,邻居,否,否,否,,\n", (2, "与档案的关系", "不认识“邻居”")),
        ("R1,任意,任意,任意,也许,否,否,,\n", (2, "查阅", "不认识“也许”")),
        ("R1,任意,任意,任意,可,否,否,,\n", (2, "证明材料", "允许利用，却不要任何证明")),
        ("R1,任意,任意,任意,可,否,否,身份证明书,\n", (2, "证明材料", "不认识“身份证明书”")),
        ("规则一,任意,任意,任意,否,否,否,,\n", (2, "编号", "编号写法不对")),
        ("R1,任意,任意,,否,否,否,,\n", (2, "与档案的关系", "不能为空")),
        ("=1+1,任意,任意,任意,否,否,否,,\n", (2, "编号", "编号写法不对")),
    ],
)
def test_a_wrong_cell_is_named(row: str, fault: tuple[int, str, str]) -> None:
    assert fault in faults(row)


def test_an_id_stands_once() -> None:
    assert faults("R9,公民本人,任意,任意,否,否,否,,\n" + REST) == [(3, "编号", "编号与第 2 行相同")]


def test_english_words_and_values_mean_the_same() -> None:
    text = (
        "id,requester,access,relation,view,copy,certified,evidence,basis\n"
        "R1,citizen + agent,open,any,yes,refer,no,identity document | unit's letter + work_card,law\n"
        "R9,*,any,any,no,no,no,,\n"
    )
    row = rules_of(sheet_of("rules.csv", text.encode())).rows[0]

    assert row.requesters == {Requester.PERSON, Requester.AGENT}
    assert row.evidence == ((Paper.IDENTITY,), (Paper.UNIT_LETTER, Paper.WORK_CARD))


def test_a_sheet_of_another_kind_is_refused_by_its_header() -> None:
    with pytest.raises(BadTable) as refused:
        rules_of(sheet_of("rules.csv", "地名,类别\n安吉县,县\n".encode()))

    assert "编号" in refused.value.reason.zh
