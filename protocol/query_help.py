"""The query language, taught: the text that the command line and the web show, and how a fault is pointed at."""

import unicodedata
from typing import Final

from protocol.wording import Text

QUERY_HELP: Final = Text(
    zh="""检索式写法（标点不参加检索，全角半角、繁体简体、大小写都一样）：
  山林 承包                 两个词都要有；词中间空一格
  “山林承包合同”            引号、书名号里的字必须连在一起，不查同义词、旧地名
  山林|林地                 有其中一个即可
  (山林|林地) 承包          用括号分组
  山林 -承包                有“山林”、没有“承包”；也可写 不含:承包
  王　伟                    单字之间的空格不影响；一个字也可以查
  题名:山林                 只在题名中查。还有 责任者: 档号: 文号: 摘要: 附注:
  全宗:J001 类别:婚姻       只看这些。还有 层级:案卷 开放:开放 站点:330523108（乡镇及所辖各村）
  全宗:J001|J002            其中之一；-全宗:J001 为除外
  1986 山林                 形成于1986年，或文中写有“1986”；也可写 86年 86-90 八十年代 光绪二十三年
  解放前 山林               按时期；还有 建国初 文革期间 民国时期 改革开放以来
  日期:1986年3月            只按形成日期。还可写 日期:1980-1989 日期:五十年代 日期:民国三十六年 日期:>1986
  Z109-WS·2011·Y-BGS-0001   档号，全部或前面几段；横线、圆点、前面的零怎样写都行；后面几段也行
  某政发[2014]12号          文号，用什么括号都行
  Z10*                      以 Z10 开头的字母、数字
整条题名连同标点粘贴进来也能查到。要按原样查找上面的符号，请加引号，如 “题名:山林”。""",
    en="""How to write a query (punctuation is not looked for; width, script and case make no difference):
  山林 承包                 both words, with a blank between them
  “山林承包合同”            in quotation or title marks: together, just so, without synonyms and old place names
  山林|林地                 one of the two
  (山林|林地) 承包          brackets group
  山林 -承包                with 山林 and without 承包; without:承包 says the same
  王　伟                    blanks between single characters do not matter; one character can be looked for
  title:山林                in the title only; also party: code: docno: scope: note:
  fonds:J001 kind:marriage  only these; also level:volume access:open site:330523108 (a town and its villages)
  fonds:J001|J002           one of these; -fonds:J001 leaves them out
  1986 山林                 made in 1986, or with 1986 in the text; also 86年 86-90 八十年代 光绪二十三年
  解放前 山林               a period by its name; also 建国初 文革期间 民国时期 改革开放以来
  date:1986-03              by the date only; also date:1980-1989 date:五十年代 date:民国三十六年 date:>1986
  Z109-WS·2011·Y-BGS-0001   a reference code, whole or a part; hyphens, dots and leading zeros as you like
  某政发[2014]12号          a document number, in any brackets
  Z10*                      letters and digits that begin with Z10
A title that is pasted with its punctuation is found. To look for the signs above as they stand, use quotation marks:
“title:山林”.""",
)
"""All forms, one a line."""


def underlined(text: str, start: int, end: int) -> str:
    """Return a query on one line, and below it marks under the characters from ``start`` to ``end``.

    Characters that cannot be printed are shown as dots. Wide characters count two columns, as terminals show them.
    """
    shown = "".join(character if character.isprintable() else "·" for character in text)
    before = sum(map(_columns, shown[:start]))
    return f"{shown}\n{' ' * before}{'^' * max(1, sum(map(_columns, shown[start:end])))}"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
