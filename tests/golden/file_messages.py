"""The golden messages of protocol 1.4 about a site's catalogue files."""

import msgspec

from protocol.calls import Answer, AskFiles, FileLine, FileLines, FindingCount, Outcome
from protocol.wording import Text
from tests.golden.messages import SITE

FILE_MESSAGES: dict[str, msgspec.Struct] = {
    "question-files": AskFiles(asker="hub", question="q1", skip=40),
    "answer-files": Answer(
        site=SITE,
        epoch="5f3a9c01d2e4b687",
        seq=4,
        took_ms=1.5,
        question_digest="ab" * 16,
        outcome=Outcome.ANSWERED,
        body=FileLines(
            lines=(
                FileLine(
                    name="永久/2015.xlsx",
                    state="taken",
                    accepted=60,
                    warned=3,
                    rejected=1,
                    read_at_ms=1_790_000_000_000,
                    is_missing=True,
                    findings=(FindingCount(code="date_missing", rows=3), FindingCount(code="title_missing", rows=1)),
                ),
                FileLine(
                    name="乙.xls",
                    state="refused",
                    read_at_ms=1_790_000_000_001,
                    reason=Text(zh="文件有密码保护。", en="The file is protected by a password."),
                    hint=Text(zh="取消密码后重新保存。", en="Remove the password and save it again."),
                ),
            ),
            total=2,
            refused=1,
            accepted=60,
            warned=3,
            rejected=1,
            findings=(FindingCount(code="date_missing", rows=3), FindingCount(code="title_missing", rows=1)),
        ),
    ),
}
"""By the name of the file in ``v1.4``."""
