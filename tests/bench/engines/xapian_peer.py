"""Xapian with its own n-grams for Chinese; runs under the system's Python, which alone has the package."""

from collections.abc import Iterable
from pathlib import Path

import xapian

from tests.bench.engines.rounds import Answer, contend, folder_bytes
from tests.bench.engines.titles import PAGE_HITS, TOTAL_MAX, Question, Title

COMMIT_ROWS = 100_000
FLAGS = xapian.QueryParser.FLAG_CJK_NGRAM | xapian.QueryParser.FLAG_PHRASE


class Xapian:
    """One database in a folder; the year is a value, by which hits are ordered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, titles: Iterable[Title]) -> float:
        """Write, then compact."""
        growing = xapian.WritableDatabase(str(self._folder / "growing"), xapian.DB_CREATE_OR_OPEN)
        generator = xapian.TermGenerator()
        generator.set_flags(xapian.TermGenerator.FLAG_CJK_NGRAM)
        for count, title in enumerate(titles, 1):
            document = xapian.Document()
            generator.set_document(document)
            generator.set_termpos(0)
            generator.index_text(title.text)
            document.set_data(f"{title.year}\t{title.text}")
            document.add_value(0, xapian.sortable_serialise(title.year))
            document.add_boolean_term(f"S{title.site}")
            growing.add_document(document)
            if count % COMMIT_ROWS == 0:
                growing.commit()
        growing.commit()
        growing.compact(str(self._folder / "whole"))
        growing.close()
        self._database = xapian.Database(str(self._folder / "whole"))
        return 0.0

    def size_bytes(self) -> int:
        """Bytes of the compact database."""
        return folder_bytes(self._folder / "whole")

    def answer(self, question: Question) -> Answer:
        """The newest page, with a count that is exact up to the bound."""
        enquire = xapian.Enquire(self._database)
        enquire.set_query(self._query(question))
        enquire.set_weighting_scheme(xapian.BoolWeight())
        enquire.set_sort_by_value(0, True)
        found = enquire.get_mset(0, PAGE_HITS, TOTAL_MAX)
        years = [int(hit.document.get_data().split(b"\t")[0]) for hit in found]
        return Answer(min(found.get_matches_estimated(), TOTAL_MAX), years)

    def _query(self, question: Question) -> xapian.Query:
        parser = xapian.QueryParser()
        parser.set_database(self._database)
        parser.set_default_op(xapian.Query.OP_AND)

        def phrase(word: str) -> xapian.Query:
            return parser.parse_query(f'"{word}"' if len(word) > 2 else word, FLAGS)

        query = xapian.Query(xapian.Query.OP_AND, [phrase(word) for word in question.words])
        if question.without:
            query = xapian.Query(xapian.Query.OP_AND_NOT, query, phrase(question.without))
        if question.years:
            first, last = map(xapian.sortable_serialise, question.years)
            years = xapian.Query(xapian.Query.OP_VALUE_RANGE, 0, first, last)
            query = xapian.Query(xapian.Query.OP_FILTER, query, years)
        if question.site:
            query = xapian.Query(xapian.Query.OP_FILTER, query, xapian.Query(f"S{question.site}"))
        return query

    def close(self) -> None:
        """Nothing is held that must be released."""


if __name__ == "__main__":
    contend(Xapian)
