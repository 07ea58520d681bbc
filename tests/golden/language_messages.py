"""The golden messages of protocol 1.2: a search in the query language, and why its hits were found."""

import msgspec

from protocol.calls import Answer, Hit, Hits, Match, Outcome, Search, WordReading
from protocol.codec import encode_record
from protocol.wording import Text
from tests.golden.messages import RECORD, SITE

LANGUAGE_MESSAGES: dict[str, msgspec.Struct] = {
    "question-search-language": Search(
        asker="hub",
        question="q1",
        query="皈山乡 承包",
        limit=50,
        with_matches=False,
        language="皈山乡 承包 -流转 日期:1980-1989",
        readings=(
            WordReading(
                word="皈山乡", text="梅溪镇", kind="place", zh="皈山乡已并入梅溪镇", en="皈山乡 became part of 梅溪镇"
            ),
            WordReading(word="承包", text="承揽", kind="synonym"),
        ),
    ),
    "answer-search-language": Answer(
        site=SITE,
        epoch="5f3a9c01d2e4b687",
        seq=4,
        took_ms=1.5,
        question_digest="ab" * 16,
        outcome=Outcome.ANSWERED,
        body=Hits(
            total=1,
            hits=(
                Hit(
                    record=msgspec.Raw(encode_record(RECORD)),
                    seq=1,
                    matches=(
                        Match(field="title", how="literal", word="承包"),
                        Match(
                            field="title",
                            how="place",
                            word="梅溪镇",
                            note=Text(zh="皈山乡已并入梅溪镇", en="皈山乡 became part of 梅溪镇"),
                        ),
                    ),
                ),
            ),
        ),
    ),
}
"""By the name of the file in ``v1.2``."""
