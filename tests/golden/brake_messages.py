"""The golden messages of protocol 1.3: what a site's brake holds, and a decision of the county about it."""

import msgspec

from protocol.calls import Answer, Brakes, HeldLine, HeldLines, Outcome
from protocol.wording import Text
from tests.golden.messages import SITE

BRAKE_MESSAGES: dict[str, msgspec.Struct] = {
    "question-brakes": Brakes(asker="hub", question="q1"),
    "question-brakes-decided": Brakes(
        asker="hub", question="q2", brake_id=3, held_at_ms=1_790_000_000_000, decision="release"
    ),
    "answer-brakes": Answer(
        site=SITE,
        epoch="5f3a9c01d2e4b687",
        seq=4,
        took_ms=1.5,
        question_digest="ab" * 16,
        outcome=Outcome.ANSWERED,
        body=HeldLines(
            lines=(
                HeldLine(
                    brake_id=3,
                    reason=Text(zh="文件不见了。", en="The file has vanished."),
                    rows=60,
                    of=100,
                    state="release_asked",
                    held_at_ms=1_790_000_000_000,
                ),
            ),
            total=1,
            is_decided=True,
        ),
    ),
}
"""By the name of the file in ``v1.3``."""
