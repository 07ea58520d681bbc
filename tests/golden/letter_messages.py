"""The golden messages of protocol 1.4: letters, and the call that carries them."""

from uuid import UUID

import msgspec

from protocol.beats import Beat
from protocol.calls import Answer, Correspond, Correspondence, Outcome
from protocol.letters import Letter
from tests.golden.messages import SITE

LETTER = Letter(
    letter_id=UUID(int=1),
    topic=UUID(int=2),
    kind="later_kind",
    body=msgspec.Raw(b'{"words":"\xe6\x9e\x97\xe6\x9d\x83"}'),
    written_at_ms=1_790_000_000_000,
    expires_at_ms=1_790_000_600_000,
)

LETTER_MESSAGES: dict[str, msgspec.Struct] = {
    "beat-letters": Beat(site=SITE, node="U", epoch="5f3a9c01d2e4b687", seq=4, letters=2),
    "question-letters": Correspond(
        asker="hub", question="q1", incarnation="00ff00ff00ff00ff", letters=(LETTER,), taken=(UUID(int=3),)
    ),
    "answer-letters": Answer(
        site=SITE,
        epoch="5f3a9c01d2e4b687",
        seq=4,
        took_ms=1.5,
        question_digest="ab" * 16,
        outcome=Outcome.ANSWERED,
        body=Correspondence(letters=(LETTER,), taken=(UUID(int=1),), more=True),
    ),
}
"""By the name of the file in ``v1.4``."""
