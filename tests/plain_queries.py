"""A query in plain words as an index of terms is asked, put together from what the program divides queries into."""

from protocol.analysis import phrases, query_words


def match_query(query: str) -> str | None:
    """The FTS5 expression that finds a query, None if nothing in it can be searched: words apart are AND-ed."""
    divided = [phrases(word)[0] for _, word in query_words(query)]
    found = dict.fromkeys(f'"{" ".join(one.terms)}"{"*" * one.is_prefix}' for one in divided)
    return " AND ".join(found) or None
