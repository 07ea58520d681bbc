"""The words for the levels of description."""

from typing import Final

from protocol.vocabularies import Level
from protocol.wording import Text

LEVELS: Final = {
    Level.FONDS: Text(zh="全宗", en="fonds"),
    Level.SERIES: Text(zh="类别", en="series"),
    Level.VOLUME: Text(zh="案卷", en="volume"),
    Level.ITEM: Text(zh="文件", en="item"),
    Level.PERSON_INDEX_ROW: Text(zh="人名索引", en="index of persons"),
}
"""Words by level (DA/T 18-2022, ISAD(G))."""
