"""What the auditor reads of a line of the log: Chinese for who reads Chinese, and never less than the log says."""

import pytest

from hub.audit import Action
from hub.web.audit_words import detail_in_words, object_in_words
from protocol.audit_chain import AuditLine


def line(action: str, detail: str = "", about: str = "") -> AuditLine:
    return AuditLine(
        seq=1, at_ms=1, who="lin.min", action=action, object=about, outcome="done", origin="", detail=detail, digest=""
    )


@pytest.mark.parametrize(
    ("action", "detail", "chinese"),
    [
        (Action.REQUEST_STEPPED, "accept -> accepted", "受理 → 已受理"),
        (Action.REQUEST_STEPPED, "approve -> approved by R04@1", "同意利用 → 同意利用，依据 R04@1"),
        (Action.REQUEST_STEPPED, "research part of 330599001000: done", "专题查档：330599001000 已查"),
        (Action.ROLES_CHANGED, "clerk -> clerk,archivist", "窗口人员 → 窗口人员、档案员"),
        (Action.REDRIVEN, "applied 1, overtaken 0, kept 2", "已补入目录 1，已被后来的内容取代 0，仍留在隔离区 2"),
        (Action.DECIDED, "dropped 与本县无关", "丢弃 与本县无关"),
        (Action.BRAKE_DECIDED, "release", "放行"),
        (Action.CATALOGUE_EXPORTED, "csv: 62, restricted: 1", "csv，62 条，其中控制 1 条"),
        (
            Action.LOOKUP_ANSWERED,
            "request 7; case （2026）安调字第12号; for mediation; answered, 2 told, 1 withheld",
            "案号 （2026）安调字第12号，目的“信访、矛盾调解”；有，给出 2 条，不予提供 1 条",
        ),
        (Action.TRANSFER_RULED, "return 1, accept 3", "退回 1，接收 3"),
        (Action.TRANSFER_DECIDED, "round 2 sent back", "第 2 轮整包退回"),
        (Action.TABLE_TAKEN, "version 3", "第 3 版"),
        (Action.CHANGE_PROPOSED, "title, note", "题名、附注"),
        (Action.CODE_ISSUED, "replaces courier", "更换电脑、用 U 盘往来"),
        ("of_a_later_version", "something new", "something new"),
        (Action.TABLE_TAKEN, "in another form", "in another form"),
    ],
)
def test_details_are_told_in_chinese_and_kept_as_they_are_in_english(action: str, detail: str, chinese: str) -> None:
    told = detail_in_words(line(action, detail))

    assert (told.zh, told.en) == (chinese, detail)


@pytest.mark.parametrize(
    ("about", "chinese"),
    [
        ("request CD2026-000001", "申请 CD2026-000001"),
        ("330599001000/5", "330599001000/5"),
        ("case 12号", "案件 12号"),
        ("transfer 0192", "移交 0192"),
        ("transfer 0192 77", "移交 0192，条目 77"),
        ("transfer 0192 77 file 3", "移交 0192，条目 77，文件 3"),
    ],
)
def test_what_a_line_is_about_is_told_in_chinese(about: str, chinese: str) -> None:
    assert object_in_words(line(Action.REQUEST_STEPPED, about=about)).zh == chinese
