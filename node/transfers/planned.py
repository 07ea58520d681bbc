"""What the archive expects of this site: its lines of the receiving plan, as the hub told them."""

from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, delete, insert, select

from node.transfers.choosing import Selection
from protocol.errors import BadValue
from protocol.letters import Letter, body_of
from protocol.receiving_plans import LETTER_KIND, PlannedLine, PlanTold
from protocol.wording import Text as Words
from replication.letters import Handlers

metadata = MetaData()

planned_line = Table(
    "planned_line",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("plan_year", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("year_first", BigInteger, nullable=False),
    Column("year_last", BigInteger, nullable=False),
)


def handlers() -> Handlers:
    """Return what takes the plan of a year."""
    return {LETTER_KIND: take}


def take(connection: Connection, _peer: str, letter: Letter) -> None:
    """Take a plan of a year in the place of the former one.

    Raises:
        BadValue: the letter cannot be read.

    """
    told = body_of(letter, PlanTold)
    connection.execute(delete(planned_line).where(planned_line.c.plan_year == told.year))
    rows = [
        {
            "plan_id": str(line.plan),
            "plan_year": told.year,
            "kind": line.kind,
            "records": line.records,
            "year_first": line.year_first,
            "year_last": line.year_last,
        }
        for line in told.lines
    ]
    if rows:
        connection.execute(insert(planned_line), rows)


def lines(connection: Connection) -> list[PlannedLine]:
    """Return what is expected, the latest year first."""
    statement = select(planned_line).order_by(planned_line.c.plan_year.desc(), planned_line.c.kind)
    return [
        PlannedLine(
            plan=UUID(row.plan_id),
            year=row.plan_year,
            kind=row.kind,
            records=row.records,
            year_first=row.year_first,
            year_last=row.year_last,
        )
        for row in connection.execute(statement)
    ]


def line_named(connection: Connection, written: str) -> PlannedLine:
    """Return the line whose number begins with what a person wrote.

    Raises:
        BadValue: there is none, or more than one.

    """
    begin = written.strip().lower()
    found = [line for line in lines(connection) if begin and str(line.plan).startswith(begin)]
    if len(found) != 1:
        raise BadValue(
            Words(zh=f"计划中没有编号为 {written} 的行。", en=f"the plan has no line {written}"),
            Words(zh="用 transfer status 查看县档案馆的计划。", en="See the plan with transfer status."),
        )
    return found[0]


def selection_of(line: PlannedLine, given: Selection) -> Selection:
    """Return what a line asks for, narrowed by what a person says beside it."""
    return msgspec.structs.replace(
        given,
        kind=given.kind or line.kind,
        year_first=given.year_first or line.year_first,
        year_last=given.year_last or line.year_last,
    )
