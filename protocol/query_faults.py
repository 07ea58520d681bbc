"""What can be wrong with a query, in words: each returns the BadQuery to raise."""

from protocol.errors import BadQuery
from protocol.limits import QUERY_ALTERNATIVES_MAX, QUERY_CHARS_MAX, QUERY_DEPTH_MAX
from protocol.wording import Count, Text


def too_long(text: str) -> BadQuery:
    """The text is longer than any title."""
    return BadQuery(
        QUERY_CHARS_MAX,
        len(text),
        Text(
            zh=f"检索词太长：{len(text)} 字，最多 {QUERY_CHARS_MAX} 字",
            en=f"the query is too long: {Count(len(text)):character|characters}, at most {QUERY_CHARS_MAX}",
        ),
        Text(zh="请只写题名的一部分，或几个词。", en="Write a part of the title, or a few words."),
    )


def broken_character(at: int) -> BadQuery:
    """A character came out of a wrong encoding."""
    return BadQuery(
        at,
        at + 1,
        Text(zh="这里有一个损坏的字符", en="there is a damaged character here"),
        Text(zh="请删去它，或重新输入。", en="Delete it, or type it again."),
    )


def nothing_to_find(start: int, end: int) -> BadQuery:
    """Only punctuation."""
    return BadQuery(
        start,
        end,
        Text(zh="只有标点符号，没有可以检索的字", en="only punctuation: there is nothing to look for"),
        Text(
            zh="请输入汉字、字母或数字；标点不参加检索。",
            en="Type characters, letters or digits; punctuation is not indexed.",
        ),
    )


def empty_group(start: int, end: int) -> BadQuery:
    """Brackets with nothing in them."""
    return BadQuery(
        start,
        end,
        Text(zh="括号里没有可以检索的字", en="there is nothing to look for in the brackets"),
        Text(
            zh="请在括号里写词，如 (山林|林地)，或删去括号。",
            en="Write words in the brackets, as in (山林|林地), or delete them.",
        ),
    )


def unclosed_quote(start: int, end: int, instead: str) -> BadQuery:
    """A quotation mark that is never closed, with several words behind it."""
    return BadQuery(
        start,
        end,
        Text(zh="引号没有闭合", en="the quotation mark is not closed"),
        Text(zh="请补上另一半引号，或删去这一个。", en="Close it, or delete it."),
        instead=instead,
    )


def unknown_field(start: int, end: int, name: str, meant: str, instead: str) -> BadQuery:
    """A field's name with one slip."""
    return BadQuery(
        start,
        end,
        Text(zh=f"没有“{name}”这个字段，是不是“{meant}”？", en=f"there is no field “{name}”; is it “{meant}”?"),
        Text(
            zh="如果要按原文查找，请加引号，如 “姓名：王伟”。",
            en='To look for the text as it stands, put it in quotation marks: "name: Wang".',
        ),
        instead=instead,
    )


def missing_value(start: int, end: int, name: str) -> BadQuery:
    """A field's name with nothing behind it."""
    return BadQuery(
        start,
        end,
        Text(zh=f"“{name}：”后面没有内容", en=f"there is nothing behind “{name}:”"),
        Text(zh=f"请写明要找什么，如 {name}:词。", en=f"Write what to look for, as in {name}:word."),
    )


def misplaced_minus(start: int, end: int) -> BadQuery:
    """An exclusion among alternatives or behind a field's name."""
    return BadQuery(
        start,
        end,
        Text(zh="减号不能放在这里", en="a minus cannot stand here"),
        Text(
            zh="要排除的词请单独写，减号写在最前面，如 -题名:词。",
            en="Write what to exclude by itself, with the minus first: -title:word.",
        ),
    )


def missing_alternative(start: int, end: int) -> BadQuery:
    """A sign of alternatives with nothing on one side."""
    return BadQuery(
        start,
        end,
        Text(zh="“|”的一边没有词", en="there is no word on one side of “|”"),
        Text(zh="两边都要有词，如 山林|林地。", en="Write a word on both sides, as in 山林|林地."),
    )


def too_many_alternatives(start: int, end: int) -> BadQuery:
    """More alternatives than an index is asked."""
    return BadQuery(
        start,
        end,
        Text(
            zh=f"可选的词太多，最多 {QUERY_ALTERNATIVES_MAX} 个",
            en=f"too many alternatives: at most {QUERY_ALTERNATIVES_MAX}",
        ),
        Text(zh="请分几次查。", en="Search more than once."),
    )


def too_deep(start: int, end: int) -> BadQuery:
    """Brackets within brackets within brackets."""
    return BadQuery(
        start,
        end,
        Text(
            zh=f"括号套得太深，最多 {QUERY_DEPTH_MAX} 层",
            en=f"too many brackets in brackets: at most {QUERY_DEPTH_MAX}",
        ),
        Text(zh="请减少括号。", en="Use fewer brackets."),
    )


def misplaced_filter(start: int, end: int) -> BadQuery:
    """A filter inside alternatives of other things."""
    return BadQuery(
        start,
        end,
        Text(
            zh="全宗、类别、层级、开放、站点不能与别的词并列为可选",
            en="fonds, kind, level, access and site cannot be alternatives to something else",
        ),
        Text(zh="请单独写，如 (山林|林地) 全宗:001。", en="Write them by themselves: (山林|林地) fonds:001."),
    )


def only_exclusions(start: int, end: int) -> BadQuery:
    """Nothing but exclusions."""
    return BadQuery(
        start,
        end,
        Text(zh="只写了要排除的词", en="there are only words to exclude"),
        Text(zh="请再写至少一个要找的词，如 山林 -承包。", en="Add at least one word to look for, as in 山林 -承包."),
    )


def bad_value(start: int, end: int, reason: Text, hint: Text) -> BadQuery:
    """A date or a filter's value that means nothing."""
    return BadQuery(start, end, reason, hint)
