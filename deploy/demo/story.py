"""What is planted on purpose: one dispute whose two papers lie in two archives, and one notice that everybody filed.

麻竹生 holds a forest plot by a contract of 1986, made with 皈山乡, which was abolished: that paper lies with the
township that took over its files. In 2014 the village leased the same plot to a cooperative: that paper lies in the
village. His own marriage, closed to others, lies with the township.

The hill is written 大塢里 in one and 大坞里 in the other. Nobody finds both by asking one archive.
All of it is made up.
"""

import datetime

import msgspec

from deploy.demo.county import STORY_TOWN_CODE, STORY_VILLAGE_CODE, Place
from deploy.demo.persons import check_digit

STORY_PERSON = "麻竹生"
STORY_HILL = "大坞里"
STORY_QUERY = f"{STORY_HILL} {STORY_PERSON}"
"""Finds both papers, and nothing else."""
NOTICE_TITLE = "关于开展村级档案目录清理登记工作的通知"
NOTICE_DOC_NO = "安档联〔2014〕7号"
STORY_NUMBER = f"33052319000312001{check_digit('33052319000312001')}"
"""Of nobody: born in 1900."""
_HOLDER_ID = STORY_NUMBER
STORY_POLICY = """
# 演示例四：本站自己的规则，未开放的档案不为学术研究提供。
# For example 4 of the demonstration: this site's own rule, closed records are not told for research.
[[policy.rules]]
purposes = ["research"]
access = ["restricted", "deferred"]
treatment = "refuse"
"""
"""Stands in the settings of the story's township: the holder itself refuses, whatever the county's table says."""
OUTPOST_RHYTHM = """
# 演示：此站昼夜都应有联系，何时演示，断电都会告警。
# For the demonstration: this site is expected at all hours, so that its silence is an alarm whenever it is shown.
[rhythm]
office-hours = ["1-7 00:00-24:00"]
"""
"""Stands in the settings of the site whose power will fail."""


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """One paper that is the same whatever the seed."""

    title: str
    party: str
    doc_no: str
    day: datetime.date
    period: str
    organ: str
    pages: int
    note: str = ""
    date: str | None = None
    """How the date is written; as the site does if it is not said."""
    access: str = "开放"


_NOTICE = Planted(
    title=NOTICE_TITLE,
    party="安吉县档联工作领导小组",
    doc_no=NOTICE_DOC_NO,
    day=datetime.date(2014, 3, 5),
    period="D30",
    organ="办公室",
    pages=4,
)
_CONTRACT_1986 = Planted(
    title="皈山乡皈山场村与麻竹生户山林承包合同（土名大塢里，东至大路，南至溪沟，西至石坎，北至分水嶺）",
    party="皈山乡人民政府",
    doc_no="",
    day=datetime.date(1986, 3, 12),
    period="Y",
    organ="林业",
    pages=3,
    note=f"承包人身份证号{_HOLDER_ID}",
    date="1986年",
)
_LEASE_2014 = Planted(
    title="皈山场村大坞里林地承包经营权流转合同（原承包户麻竹生，转入方云上竹业专业合作社，期限30年）",
    party="皈山场村村民委员会；云上竹业专业合作社",
    doc_no="",
    day=datetime.date(2014, 6, 12),
    period="Y",
    organ="林业",
    pages=8,
    note=f"原承包户身份证号{_HOLDER_ID}",
    date="2014.6.12",
)


_MARRIAGE_1992 = Planted(
    title="麻竹生、方云香结婚登记",
    party="孝源乡人民政府",
    doc_no="",
    day=datetime.date(1992, 5, 18),
    period="Y",
    organ="民政",
    pages=2,
    access="控制",
)
"""His own file: closed to others, and his to see (``hub.window.rules``)."""


def planted_papers(place: Place) -> tuple[Planted, ...]:
    """Return what every seed plants at this site: the notice everywhere, the story where it belongs."""
    story = {STORY_TOWN_CODE: (_CONTRACT_1986, _MARRIAGE_1992), STORY_VILLAGE_CODE: (_LEASE_2014,)}
    return (*story.get(place.code, ()), _NOTICE)
