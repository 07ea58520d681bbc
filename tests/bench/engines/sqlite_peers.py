"""SQLite FTS5 as others use it: trigrams, and words that a dictionary cuts (jieba)."""

import re
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.bench.engines.rounds import Answer, contend, folder_bytes
from tests.bench.engines.titles import PAGE_HITS, TOTAL_MAX, Question, Title

CACHE_KIB = 200 * 1024
TRIGRAM_CHARS = 3


class Trigrams:
    """FTS5's own trigram tokenizer; it cannot look for two characters, so those are looked for in every title."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = sqlite3.connect(folder / "titles.db")
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._connection.execute("PRAGMA journal_mode = WAL")

    def build(self, titles: Iterable[Title]) -> float:
        """Store the titles by year, then index them at once."""
        run = self._connection.execute
        run("CREATE TABLE title (number INTEGER PRIMARY KEY, year INTEGER, site TEXT, text TEXT)")
        self._connection.executemany("INSERT INTO title VALUES (?, ?, ?, ?)", titles)
        run("CREATE INDEX title_by_year ON title (year)")
        self._index()
        self._connection.commit()
        return 0.0

    def _index(self) -> None:
        run = self._connection.execute
        run("CREATE VIRTUAL TABLE found USING fts5(text, content='title', content_rowid='number', tokenize='trigram')")
        run("INSERT INTO found (found) VALUES ('rebuild')")

    def size_bytes(self) -> int:
        """Bytes of the files."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return folder_bytes(self._folder)

    def answer(self, question: Question) -> Answer:
        """The bounded total, then the newest page."""
        source, clauses, values = self._asked(question)
        found = f"FROM {source} WHERE {clauses}"
        ((total,),) = self._connection.execute(
            f"SELECT count(*) FROM (SELECT 1 {found} LIMIT {TOTAL_MAX})", values
        ).fetchall()
        rows = self._connection.execute(
            f"SELECT title.year, title.text {found} ORDER BY title.year DESC, title.number DESC LIMIT {PAGE_HITS}",
            values,
        ).fetchall()
        return Answer(total, [year for year, _ in rows])

    def _asked(self, question: Question) -> tuple[str, str, list[object]]:
        long = [word for word in question.words if len(word) >= TRIGRAM_CHARS]
        source, clauses = "title", ["1"]
        values: list[object] = []
        if long:
            source = "found CROSS JOIN title ON title.number = found.rowid"
            clauses, values = ["found MATCH ?"], [" AND ".join(f'"{word}"' for word in long)]
        for word in question.words:
            if word not in long:
                clauses.append("title.text LIKE ?")
                values.append(f"%{word}%")
        return self._narrowed(source, clauses, values, question, by_like=True)

    @staticmethod
    def _narrowed(
        source: str, clauses: list[str], values: list[object], question: Question, *, by_like: bool
    ) -> tuple[str, str, list[object]]:
        if question.without and by_like:
            clauses.append("title.text NOT LIKE ?")
            values.append(f"%{question.without}%")
        if question.years:
            clauses.append("title.year BETWEEN ? AND ?")
            values += question.years
        if question.site:
            clauses.append("title.site = ?")
            values.append(question.site)
        return source, " AND ".join(clauses), values

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class DictionaryWords(Trigrams):
    """Words that jieba cuts, at both ends; what it cuts differently inside a longer text is not found."""

    _PLAIN = re.compile(r"\w+")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import jieba  # noqa: PLC0415 - only this engine needs the dictionary

        jieba.setLogLevel(60)
        jieba.initialize()
        self._cut = jieba.lcut

    def _words(self, text: str) -> str:
        return " ".join(word for word in self._cut(text, HMM=False) if self._PLAIN.fullmatch(word))

    def _index(self) -> None:
        run = self._connection.execute
        run("CREATE VIRTUAL TABLE found USING fts5(text, content='', tokenize='unicode61')")
        rows = self._connection.execute("SELECT number, text FROM title").fetchall()
        self._connection.executemany(
            "INSERT INTO found (rowid, text) VALUES (?, ?)", ((number, self._words(text)) for number, text in rows)
        )

    def _asked(self, question: Question) -> tuple[str, str, list[object]]:
        match = " AND ".join(f'"{self._words(word)}"' for word in question.words)
        if question.without:
            match = f'({match}) NOT "{self._words(question.without)}"'
        source = "found CROSS JOIN title ON title.number = found.rowid"
        return self._narrowed(source, ["found MATCH ?"], [match], question, by_like=False)


if __name__ == "__main__":
    contend(DictionaryWords if sys.argv[2] == "jieba" else Trigrams)
