"""The four-property checks over a package of many small scans, and EEP both ways over one large file: speed and memory.

Every run is a process of its own, so that its peak memory is its own: ``python -m tests.bench.checks STEP FOLDER``.
"""

import hashlib
import io
import json
import logging
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import bagit
from PIL import Image

from protocol.check_rules import Phase
from protocol.package_facts import PackageFacts
from replication.checks.rule_table import default_rules
from replication.checks.running import check
from replication.packages.bag_checking import check_bag
from replication.packages.eep import unpack_eep
from replication.packages.eep_writing import EepEntry, eep_pieces
from replication.packages.packing import SourceFile, pack
from tests.bench.figures import Figure, Scale
from tests.packages_made import LABEL, TODAY, entry, source_files

SCANS_OF_ROWS = 0.1837
"""Files for each row of the scale: 9,185 for the usual 50,000, the entries that one enterprise brought."""

LARGE_BYTES = 512 * 1024 * 1024
"""Bytes of the one file that goes through an EEP file."""

RUN_S = 600
"""Seconds that one run may take."""


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """Pack, prove and check small scans; then one large file into EEP and out of it."""
    count = max(50, round(scale.rows * SCANS_OF_ROWS))
    _write_scans(folder / "scans", count)
    large = folder / "large.bin"
    _write_large(large, LARGE_BYTES if scale.rows >= Scale().rows else LARGE_BYTES // 16)
    ran = {step: _ran(step, folder) for step in STEPS}
    size_mb = large.stat().st_size / 1e6
    what = f"{count:,} scans of 1–64 kB: "
    rate = "files/s/core"
    return [
        _figure(f"{what}packed with SHA-256 and SM3", rate, count / ran["pack"][0]),
        Figure(
            bench="checks",
            what=f"{what}bag proven (RFC 8493)",
            unit=rate,
            ours=count / ran["prove"][0],
            floor=count / ran["digest"][0],
            peer=count / ran["bagit"][0],
            peer_name="bagit-python",
        ),
        _figure(f"{what}all rules of a transfer, decoded for real", rate, count / ran["check"][0], target="≥ 200"),
        _figure(f"{what}peak memory of the checks", "MB", ran["check"][1], target="≤ 100"),
        _figure(f"{what}peak memory of the program apart that opens the scans", "MB", ran["check"][2]),
        _figure(f"EEP of one file of {size_mb:.0f} MB: written", "MB/s", size_mb / ran["eep"][0]),
        _figure(f"EEP of one file of {size_mb:.0f} MB: unpacked", "MB/s", size_mb / ran["unpack"][0]),
        _figure("EEP: peak memory of both ways", "MB", max(ran["eep"][1], ran["unpack"][1]), target="≤ 100"),
    ]


def _figure(what: str, unit: str, ours: float, *, target: str = "") -> Figure:
    return Figure(bench="checks", what=what, unit=unit, ours=ours, target=target)


def _ran(step: str, folder: Path) -> tuple[float, float, float]:
    """Run one step by itself; return its processor seconds, its peak memory in MB, and that of what it started."""
    command = [sys.executable, "-m", "tests.bench.checks", step, str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=RUN_S)
    seconds, peak_mb, started_mb = json.loads(run.stdout.splitlines()[-1])
    return seconds, peak_mb, started_mb


def _write_scans(folder: Path, count: int) -> None:
    """Write images of noise, which do not compress, so that their sizes are as wanted."""
    seeded = random.Random(7)
    shades = []
    for width in range(40, 420, 20):
        content = io.BytesIO()
        Image.effect_noise((width, width * 3 // 4), 60).save(content, "JPEG", quality=80)
        shades.append(content.getvalue())
    for number in range(1, count + 1):
        path = folder / entry(number).ref_code / "0001.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(seeded.choice(shades))


def _write_large(path: Path, size_bytes: int) -> None:
    piece = random.Random(7).randbytes(1024 * 1024)
    with path.open("wb") as file:
        for _ in range(size_bytes // len(piece)):
            file.write(piece)


def _packed(folder: Path) -> None:
    names = sorted(path.relative_to(folder / "scans").as_posix() for path in (folder / "scans").rglob("*.jpg"))
    entries = [entry(number) for number in range(1, len(names) + 1)]
    pack(folder / "package", entries, source_files(folder / "scans", names), LABEL)


def _digested(folder: Path) -> None:
    for path in (folder / "package/data").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            hashlib.sha256(content).hexdigest()
            hashlib.new("sm3", content).hexdigest()


def _proven(folder: Path) -> None:
    assert check_bag(folder / "package").is_valid


def _proven_by_the_peer(folder: Path) -> None:
    logging.disable(logging.CRITICAL)
    assert bagit.Bag(str(folder / "package")).validate()


def _checked(folder: Path) -> None:
    facts = PackageFacts(today=TODAY, environment="Windows 10")
    assert sum(1 for _ in check(folder / "package", facts, default_rules(), Phase.TRANSFER)) > 0


def _eep_written(folder: Path) -> None:
    item = EepEntry(entry=entry(1), files=(SourceFile(source=folder / "large.bin", path="large.bin"),))
    with (folder / "large.xml").open("wb") as file:
        file.writelines(eep_pieces([item], created_at="2026-11-22", created_by="bench"))


def _eep_unpacked(folder: Path) -> None:
    assert unpack_eep(folder / "large.xml", folder / "unpacked").files[0].is_proven


STEPS: dict[str, Callable[[Path], None]] = {
    "pack": _packed,
    "digest": _digested,
    "prove": _proven,
    "bagit": _proven_by_the_peer,
    "check": _checked,
    "eep": _eep_written,
    "unpack": _eep_unpacked,
}
"""Each step by itself, in the order in which one needs the other."""


def main() -> None:
    """Run one step and print its processor seconds with those of what it started, and the peak memory of both."""
    step, folder = sys.argv[1], Path(sys.argv[2])
    before = time.process_time()
    STEPS[step](folder)
    mine, started = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    used_s = time.process_time() - before + started.ru_utime + started.ru_stime
    print(json.dumps([max(used_s, 1e-6), mine.ru_maxrss / 1024, started.ru_maxrss / 1024]))


if __name__ == "__main__":
    main()
