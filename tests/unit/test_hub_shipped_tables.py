"""What the shipped tables, the rules and the sounds bring together: a query, and a record under another name.

Persons are fictitious. Each pair is found by exactly the kind of reading that stands beside it, and by nothing else.
"""

import pytest

from hub.home import home_at
from hub.vocabulary.readings import Readings
from hub.vocabulary.word_tables import gazetteer_table, synonym_table
from protocol.analysis import fold
from protocol.readings import ReadingKind

PLACE, SYNONYM, NAME_FORM, HOMOPHONE = ReadingKind

PAIRS = (
    (PLACE, "孝源街道", "皈山乡人民政府关于山林承包的批复"),
    (PLACE, "皈山乡", "孝源街道林地流转合同（2016年）"),
    (PLACE, "皈山", "孝源街道办事处会议纪要"),
    (PLACE, "孝源街道", "皈山公社1965年年终分配方案"),
    (PLACE, "皈山公社", "皈山乡志编写材料"),
    (PLACE, "皈山公社", "孝源街道档案移交清单"),
    (PLACE, "皈山乡林地承包", "孝源街道林地承包合同书"),
    (PLACE, "皈山乡山林承包", "孝源街道林地承包合同书"),
    (PLACE, "孝丰县", "安吉县1959年农业统计年报"),
    (PLACE, "孝豐縣", "安吉县人民委员会通知"),
    (PLACE, "安吉县", "孝豐縣政府訓令（民國三十六年）"),
    (PLACE, "递铺街道", "递铺镇1998年建房用地审批表"),
    (PLACE, "昌硕街道", "递铺镇人民政府关于道路命名的通知"),
    (PLACE, "灵峰街道", "递铺公社水利工程图"),
    (PLACE, "递铺镇", "昌硕街道社区名册"),
    (PLACE, "孝丰镇", "孝丰公社社员花名册"),
    (PLACE, "天荒坪人民公社", "天荒坪镇财政决算"),
    (PLACE, "上石村", "上石大队1978年工分账"),
    (PLACE, "上石村委会", "上石生产大队林业三定登记表"),
    (PLACE, "上石大队", "上石村村民小组组长名单"),
    (PLACE, "下溪公社", "下溪乡1985年总结"),
    (SYNONYM, "林权", "山林所有权证存根"),
    (SYNONYM, "山林权", "林权纠纷处理意见"),
    (SYNONYM, "林地承包", "上石村荒山承包合同"),
    (SYNONYM, "毛竹山承包合同", "竹林承包合同"),
    (SYNONYM, "宅基地", "村民建房用地审批表"),
    (SYNONYM, "知青下乡", "知识青年上山下乡登记表"),
    (SYNONYM, "低保", "最低生活保障审批表"),
    (SYNONYM, "征地补偿", "土地征用协议书"),
    (SYNONYM, "土改", "1951年土地房产所有证存根"),
    (NAME_FORM, "傅明山", "付明山户土地承包合同"),
    (NAME_FORM, "萧竹生", "肖竹生离婚登记"),
    (NAME_FORM, "邱堃", "丘坤退伍登记表"),
    (NAME_FORM, "戴喆", "戴哲毕业生登记表"),
    (NAME_FORM, "阎水根", "闫水根宅基地申请"),
    (HOMOPHONE, "麻竹生", "麻祝生林地承包合同"),
    (HOMOPHONE, "陈水根", "程水根宅基地申请"),
    (HOMOPHONE, "王丽华", "汪利华结婚登记"),
    (HOMOPHONE, "黄建英", "王健英退休审批表"),
    (HOMOPHONE, "欧阳志强", "欧阳治强招工登记表"),
    (HOMOPHONE, "张银娣", "章寅娣独生子女证"),
)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Readings:
    home = home_at(tmp_path_factory.mktemp("none"))
    return Readings(gazetteer_table(home).in_force()[1], synonym_table(home).in_force()[1])


def kinds_that_find(readings: Readings, query: str, title: str) -> set[ReadingKind]:
    record = fold(title)
    kinds = {one.kind for one in readings.of(query) if one.text in record}
    heard = readings.homophones(query)
    if heard is not None:
        windows = (record[start : start + len(heard.name)] for start in range(len(record)))
        kinds |= {found.kind for window in windows if (found := heard.reading(window)) is not None}
    return kinds


@pytest.mark.parametrize(("kind", "query", "title"), PAIRS)
def test_query_finds_the_record_under_its_other_name(
    shipped: Readings, kind: ReadingKind, query: str, title: str
) -> None:
    assert fold(query) not in fold(title)
    # Another spelling of a name mostly sounds the same, too; the search shows the better reason.
    assert kinds_that_find(shipped, query, title) - ({HOMOPHONE} if kind is NAME_FORM else set()) == {kind}


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("昌硕街道", "灵峰街道社区名册"),
        ("孝丰镇", "安吉县农业统计"),
        ("上石村", "下溪大队工分账"),
        ("林权", "土地承包合同"),
        ("王丽华", "李丽华结婚登记"),
        ("刑侦大队", "刑侦村"),
    ],
)
def test_what_is_another_matter_is_not_brought(shipped: Readings, query: str, title: str) -> None:
    assert kinds_that_find(shipped, query, title) == set()
