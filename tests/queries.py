"""What tests of the query language share: records to look for, and how a plan is asked without an index."""

import datetime
import uuid

from protocol.matching import Matcher
from protocol.plans import Plan, plan
from protocol.queries import parse
from protocol.query_fields import Field
from protocol.readings import Reading, ReadingKind
from protocol.record_facts import Facts, Subject, subject_of
from protocol.records import Alias, Record
from protocol.row_matching import holds
from protocol.vocabularies import Level
from protocol.wording import Text

FOREST = Record(
    record_id=uuid.UUID(int=1),
    repository_id="330523108204",
    title="關於梅溪鎮大溪村山林承包合同（第三组）",
    responsible_parties=("某县人民政府", "王　伟"),
    doc_no="某政发〔2011〕12号",
    ref_code="Z109-WS·2011·Y-BGS-0001",
    aliases=(Alias(code="001-2-15-003"),),
    date_raw="20110305",
    date_edtf="2011-03-05",
    date_earliest=datetime.date(2011, 3, 5),
    date_latest=datetime.date(2011, 3, 5),
    note="见附图",
    scope="四至清楚",
    fonds_no="Z109",
    livelihood_kind="forest_rights",
)
NAMES = Record(
    record_id=uuid.UUID(int=2),
    repository_id="330523110201",
    level=Level.VOLUME,
    title="阿不都·热合曼与李四结婚登记 民国三十六年契约",
    date_raw="民国三十六年",
    date_edtf="1947",
    date_earliest=datetime.date(1947, 1, 1),
    date_latest=datetime.date(1947, 12, 31),
    fonds_no="001",
    livelihood_kind="marriage",
)


def reading(text: str, kind: ReadingKind) -> Reading:
    return Reading(text=text, kind=kind, note=Text(zh=f"又作{text}", en=f"also {text}"))


def titled(title: str) -> Record:
    return Record(record_id=uuid.UUID(int=3), repository_id="330523108204", title=title)


def matches(query: str, record: Record = FOREST) -> bool:
    return Matcher(parse(query)).satisfies(subject_of(record))


def is_found(made: Plan, subject: Subject) -> bool:
    """What an index and the columns beside it would say, before anything is checked."""
    row = Facts(subject).row
    wanted = made.found_by
    if wanted is not None and not holds(wanted, row):
        return False
    if wanted is None and made.unwanted is not None and holds(made.unwanted, row):
        return False
    if not all(one.touches(subject.earliest, subject.latest) for one in made.periods):
        return False
    values = {
        Field.SITE: subject.site,
        Field.FONDS: subject.fonds_no,
        Field.KIND: subject.livelihood_kind,
        Field.ACCESS: subject.access_status,
        Field.LEVEL: subject.level,
    }
    return all(
        any(
            values[one.field].startswith(value[:-1]) if value.endswith("*") else values[one.field] == value
            for value in one.values
        )
        != one.is_excluded
        for one in made.selections
    )


def planned(query: str) -> Plan:
    return plan(parse(query))
