"""The county's tables in the hub's home: what people edit, and the versions that were taken into force.

    words/gazetteer.csv  words/synonyms.csv     yours to edit; nothing reads them but ``load`` and ``check``
    words/rules.csv      words/disputes.csv     as above (``hub.window.rule_table``, ``hub.window.dispute_table``)
    words/versions/gazetteer-0003.csv           taken into force; the highest number counts, none is ever changed

A table that was checked and found good becomes the next version, so a broken one is never in force, not even after a
restart. An older one is put back by being taken again under the next number. Version 0 is what the package ships.
"""

import os
import re
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec
import structlog

from hub.home import HubHome
from hub.vocabulary.county_sheets import Sheet, read_sheet, sheet_of, written
from hub.vocabulary.gazetteer import Gazetteer
from hub.vocabulary.gazetteer_table import gazetteer_of
from hub.vocabulary.readings import Readings
from hub.vocabulary.synonyms import Synonyms, synonyms_of
from protocol.errors import BadValue, Permanent, StorageFull
from protocol.wording import Text
from replication.files import PUBLIC_MODE, write_whole

VERSIONS_MAX: Final = 50
"""Versions of one table that are kept; the oldest go first."""

SHIPPED: Final = 0
"""Number of the version that the package ships."""

LOOK_AGAIN_S: Final = 2.0
"""Seconds after which a running hub looks whether a newer version is there."""

log = structlog.get_logger(__name__)

_T = TypeVar("_T")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a table."""

    number: int
    taken_at_ms: int
    """When it was taken into force; 0 for what the package ships."""
    bytes: int


class WordTable(Generic[_T]):
    """One of the tables in a home."""

    def __init__(self, home: HubHome, name: str, understood: Callable[[Sheet], _T]) -> None:
        self.name = name
        self.edited = home.words / f"{name}.csv"
        self._versions = home.words / "versions"
        self._understood: Callable[[Sheet], _T] = understood
        self._numbered = re.compile(rf"{name}-([0-9]{{4,9}})\.csv")

    def provide(self) -> None:
        """Put the shipped table where people edit it, unless there is one."""
        if not self.edited.exists():
            write_whole(self.edited, self._shipped())

    def versions(self) -> list[Version]:
        """Return what was taken into force and is kept, the newest first; at the end what the package ships."""
        shipped = Version(number=SHIPPED, taken_at_ms=0, bytes=len(self._shipped()))
        return [*map(self._version, sorted(self._paths(), reverse=True)), shipped]

    def checked(self, path: Path) -> tuple[Sheet, _T]:
        """Read and understand a table without taking it into force.

        Raises:
            BadFile: it cannot be read, or something is wrong in it; `BadTable` names every fault.

        """
        sheet = read_sheet(path)
        return sheet, self._understood(sheet)

    def take(self, sheet: Sheet) -> Version:
        """Take a table into force as the next version.

        Raises:
            BadFile: as ``checked``.
            StorageFull: there is no room for it.

        """
        self._understood(sheet)
        content = written(sheet)
        try:
            number = self._kept(content)
        except OSError as error:
            raise StorageFull(
                Text(zh=f"写不进 {self._versions}：{error.strerror}", en=f"{self._versions}: {error.strerror}"),
                Text(zh="请检查磁盘空间和权限；原来的表仍有效。", en="Check room and rights; the old table stays."),
            ) from error
        for old in sorted(self._paths())[:-VERSIONS_MAX]:
            self._path(old).unlink(missing_ok=True)
        return self._version(number)

    def take_again(self, number: int) -> Version:
        """Put an older version back: it becomes the next one.

        Raises:
            BadValue: there is no such version.
            BadFile: it cannot be read any more.

        """
        if number != SHIPPED and number not in self._paths():
            known = ", ".join(str(version.number) for version in self.versions())
            raise BadValue(
                Text(zh=f"没有第 {number} 版", en=f"there is no version {number}"),
                Text(zh=f"现有：{known}。", en=f"There are: {known}."),
            )
        return self.take(self._sheet(number))

    def in_force(self) -> tuple[int, _T]:
        """Return number and content of the newest version that can be read; a damaged one is passed over and logged."""
        for number in sorted(self._paths(), reverse=True):
            try:
                return number, self._understood(self._sheet(number))
            except Permanent as error:
                log.warning("word_table_damaged", table=self.name, version=number, reason=error.reason.en)
        return SHIPPED, self._understood(self._sheet(SHIPPED))

    def newest(self) -> int:
        """Return the highest number, cheaply."""
        return max(self._paths(), default=SHIPPED)

    def _paths(self) -> dict[int, Path]:
        try:
            entries = list(self._versions.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {int(match[1]): path for path in entries if (match := self._numbered.fullmatch(path.name))}

    def _path(self, number: int) -> Path:
        return self._versions / f"{self.name}-{number:04}.csv"

    def _version(self, number: int) -> Version:
        state = self._path(number).stat()
        return Version(number=number, taken_at_ms=state.st_mtime_ns // 10**6, bytes=state.st_size)

    def _sheet(self, number: int) -> Sheet:
        if number == SHIPPED:
            return sheet_of(f"{self.name}.csv", self._shipped())
        return read_sheet(self._path(number))

    def _shipped(self) -> bytes:
        return (files("hub") / "defaults" / f"{self.name}.csv").read_bytes()

    def _kept(self, content: bytes) -> int:
        """Write a version under the next free number: whole, never over another, also if two do so at once."""
        self._versions.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._versions, prefix=f".{self.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(PUBLIC_MODE)
            number = self.newest() + 1
            while True:
                try:
                    os.link(temporary, self._path(number))
                except FileExistsError:
                    number += 1
                else:
                    return number
        finally:
            Path(temporary).unlink(missing_ok=True)


def gazetteer_table(home: HubHome) -> WordTable[Gazetteer]:
    """Return the table of places."""
    return WordTable(home, "gazetteer", gazetteer_of)


def synonym_table(home: HubHome) -> WordTable[Synonyms]:
    """Return the table of equal words."""
    return WordTable(home, "synonyms", synonyms_of)


class ReadingsInForce:
    """The readings of a running hub: it takes over a new version within ``LOOK_AGAIN_S``, without a restart."""

    def __init__(self, home: HubHome, monotonic: Callable[[], float]) -> None:
        self._gazetteers = gazetteer_table(home)
        self._synonyms = synonym_table(home)
        self._monotonic = monotonic
        self._looked_at: float | None = None
        self._numbers: tuple[int, int] | None = None
        self._readings: Readings | None = None

    def current(self) -> Readings:
        """Return the readings by the newest versions; call it in a thread, for now and then it reads files."""
        now = self._monotonic()
        if self._readings is not None and self._looked_at is not None and now < self._looked_at + LOOK_AGAIN_S:
            return self._readings
        numbers = (self._gazetteers.newest(), self._synonyms.newest())
        if self._readings is None or numbers != self._numbers:
            self._readings = Readings(self._gazetteers.in_force()[1], self._synonyms.in_force()[1])
            self._numbers = numbers
            log.info("word_tables_in_force", gazetteer=numbers[0], synonyms=numbers[1])
        self._looked_at = now
        return self._readings
