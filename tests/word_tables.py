"""Tables of words for tests: written as people write them, fictitious but for what everybody knows."""

from hub.vocabulary.county_sheets import Sheet, sheet_of
from hub.vocabulary.gazetteer import Gazetteer
from hub.vocabulary.gazetteer_table import gazetteer_of
from hub.vocabulary.readings import Readings
from hub.vocabulary.synonyms import Synonyms, synonyms_of
from protocol.readings import Reading

PLACES = """\
地名,类别,代码,起,止,变更,去向,别名,来源
上河县,县,999901,,,,,,
下河县,县,,,1958,并入,上河县,,
青石镇,镇,,,2014,拆分,青石街道、白水街道,,
青石街道,街道,999901001,2014,,,,,
白水街道,街道,999901002,2014,,,,,
竹坞乡,乡,999901204,,2014,改设,松源街道,竹坞里,
松源街道,街道,999901004,2014,,,,,
东溪村委会,村,999901004201,,,,,,
老虎洞村委会,村,999901004202,,2005,并入,东溪村委会,,
李村村委会,村,999901004203,,,,,,
"""
GROUPS = """\
词语,说明
林权、山林权、山林所有权,山林权属
林地承包、山林承包、荒山承包,林地承包
承包、承包经营,
"""


def sheet(text: str, name: str = "places.csv") -> Sheet:
    """Read a table from text."""
    return sheet_of(name, text.encode())


def gazetteer(text: str = PLACES) -> Gazetteer:
    """Understand a table of places."""
    return gazetteer_of(sheet(text))


def synonyms(text: str = GROUPS) -> Synonyms:
    """Understand a table of equal words."""
    return synonyms_of(sheet(text, "words.csv"))


def readings() -> Readings:
    """The readings by both tables."""
    return Readings(gazetteer(), synonyms())


def texts(found: tuple[Reading, ...]) -> list[str]:
    """Only what is looked for."""
    return [one.text for one in found]
