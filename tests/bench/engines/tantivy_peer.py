"""tantivy over the same pairs of characters: the quickest engine we know, and a second store to keep consistent."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tantivy

from tests.bench.engines.rounds import Answer, contend, folder_bytes
from tests.bench.engines.titles import PAGE_HITS, TOTAL_MAX, Question, Title

HEAP_BYTES = 256 * 1024 * 1024
_RUN = re.compile(r"[0-9A-Za-z]+|[\u3400-\u9fff]+")


def pairs(text: str) -> list[str]:
    """Overlapping pairs of characters of each run; a run of one stands for itself."""
    return [run[at : at + 2] for run in _RUN.findall(text) for at in range(max(1, len(run) - 1))]


class Tantivy:
    """One index in a folder; the year is a fast field, by which hits are ordered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        schema = tantivy.SchemaBuilder()
        schema.add_integer_field("year", stored=True, indexed=True, fast=True)
        schema.add_text_field("site", stored=True, tokenizer_name="raw", index_option="basic")
        schema.add_text_field("text", stored=True, tokenizer_name="raw", index_option="basic")
        schema.add_text_field("pairs", stored=False, tokenizer_name="blank", index_option="position")
        self._schema = schema.build()
        self._index = tantivy.Index(self._schema, path=str(folder))
        blank = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer("blank", blank)

    def build(self, titles: Iterable[Title]) -> float:
        """Write and merge."""
        writer = self._index.writer(heap_size=HEAP_BYTES, num_threads=2)
        for title in titles:
            writer.add_document(
                tantivy.Document(year=title.year, site=title.site, text=title.text, pairs=" ".join(pairs(title.text)))
            )
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        return 0.0

    def size_bytes(self) -> int:
        """Bytes of the index, stored titles included."""
        return folder_bytes(self._folder)

    def answer(self, question: Question) -> Answer:
        """Count and order in one search, then read the page."""
        found: Any = self._searcher.search(
            self._query(question), PAGE_HITS, count=True, order_by_field="year", order=tantivy.Order.Desc
        )
        page = [self._searcher.doc(address).to_dict() for _, address in found.hits]
        # The stubs do not know the count that was asked for.
        return Answer(min(found.count, TOTAL_MAX), [hit["year"][0] for hit in page])

    def _phrase(self, word: str) -> tantivy.Query:
        terms = pairs(word)
        if len(terms) == 1:
            return tantivy.Query.term_query(self._schema, "pairs", terms[0])
        return tantivy.Query.phrase_query(self._schema, "pairs", [*terms])

    def _query(self, question: Question) -> tantivy.Query:
        must = [(tantivy.Occur.Must, self._phrase(word)) for word in question.words]
        if question.without:
            must.append((tantivy.Occur.MustNot, self._phrase(question.without)))
        if question.years:
            years = tantivy.Query.range_query(self._schema, "year", tantivy.FieldType.Integer, *question.years)
            must.append((tantivy.Occur.Must, years))
        if question.site:
            must.append((tantivy.Occur.Must, tantivy.Query.term_query(self._schema, "site", question.site)))
        return tantivy.Query.boolean_query(must)

    def close(self) -> None:
        """Nothing is held."""


if __name__ == "__main__":
    contend(Tantivy)
