"""What a rehearsed transfer is made of, and the proof at its end: files, custody, signatures, search, steps."""

import csv
import hashlib
import io
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from PIL import Image

from hub import config
from protocol.handovers import certificate_of
from protocol.transfer_folds import Transfer
from protocol.transfers import Signed, TransferState
from replication.keys import load_identity
from replication.transfer_signing import signature_fault
from tests.bench.county import COUNTY_CODE
from tests.chaos.county import County, SiteAtWork
from tests.chaos.outcomes import Broken
from tests.node_site import HEADER, rows

SHEET = "归档文件目录.csv"
YEAR = "2011"
"""Under which the items are filed: what the transfer asks for."""

PAGE_PIXELS = (48, 64)
PAGE_DPI = (300, 300)


class Proof(msgspec.Struct, kw_only=True):
    """What was looked at when the transfer was closed; ``faults`` is empty where all of it is as it must be."""

    files_held: int = 0
    files_verified: int = 0
    """Files in the archive's holdings whose bytes have the digest that the book says."""
    scans_found: int = 0
    """Scans of the site that are among them, byte for byte."""
    custody_moved: int = 0
    """Entries of the catalogue that the site owns and the county keeps and releases."""
    signatures: int = 0
    steps: dict[str, int] = {}
    searched: int = 0
    """Hits of a search that say who keeps the entry now, and by which transfer."""
    equal: bool = False
    faults: list[str] = []


def planted(site: SiteAtWork, items: int, chance: random.Random) -> dict[Path, bytes]:
    """Write the catalogue of a site, whole, and a page for each item; returns the pages by their place."""
    pages: dict[Path, bytes] = {}
    table = []
    for row in rows(items):
        row[6] = "1"
        table.append([*row, "依申请公开"])
        place = site.node.home / "scans" / row[0].replace("·", "_") / "0001.jpg"
        pages[place] = page(chance)
    for place, content in pages.items():
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
    hidden = site.sheets.folder / f".{SHEET}.part"
    with hidden.open("w", encoding="utf-8-sig", newline="") as target:
        csv.writer(target).writerows([(*HEADER, "公开属性"), *table])
    hidden.replace(site.sheets.folder / SHEET)
    return pages


def page(chance: random.Random) -> bytes:
    """Return a small scan that no other is like: noise, so that nothing on the way can make it smaller."""
    told = io.BytesIO()
    size = PAGE_PIXELS[0] * PAGE_PIXELS[1]
    Image.frombytes("L", PAGE_PIXELS, chance.randbytes(size)).save(told, "JPEG", quality=60, dpi=PAGE_DPI)
    return told.getvalue()


def asked(database: Path, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg] # rows of any query
    """Read from a program's database, whether it runs or not."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(query, values).fetchall()


def standing(database: Path, number: str) -> Transfer | None:
    """Return a transfer as one end has it; None before it heard of it."""
    found = asked(database, "SELECT folded FROM transfer WHERE transfer_id = ?", number)
    return msgspec.json.decode(found[0][0], type=Transfer) if found else None


async def proved(here: County, town: SiteAtWork, number: str, scans: Sequence[bytes], items: int) -> Proof:
    """Look at everything that a transfer promises, once both ends call it closed.

    Raises:
        Broken: something is not as promised.

    """
    proof = Proof()
    ends = [standing(here.home.database, number), standing(town.node.home / "node.db", number)]
    if [one and one.state for one in ends] != [TransferState.CLOSED] * 2 or ends[0] is None:
        proof.faults.append(f"the ends do not both say closed: {[one and one.state for one in ends]}")
    else:
        _signatures(here, town, ends[0], proof)
    _files(here, town.code, scans, proof)
    _custody(here, town.code, number, items, proof)
    _steps(here, number, proof)
    await _searched(here, town.code, number, proof)
    report = await here.hub.json("verify", "--deep", expect=None)
    proof.equal = [site["state"] for site in report["sites"]] == ["equal"]
    if not proof.equal:
        proof.faults.append("the catalogue is not equal at both ends")
    if proof.faults:
        raise Broken("; ".join(proof.faults))
    return proof


def _files(here: County, site: str, scans: Sequence[bytes], proof: Proof) -> None:
    root = config.load(here.home.settings).holdings.place(here.home.root)
    wanted = {hashlib.sha256(content).hexdigest() for content in scans}
    seen = set()
    for bundle, path, sha256 in asked(here.home.database, "SELECT bundle, path, sha256 FROM held_file"):
        proof.files_held += 1
        digest = hashlib.sha256((root / site / bundle / path).read_bytes()).hexdigest()
        if digest == sha256:
            proof.files_verified += 1
        else:
            proof.faults.append(f"{bundle}/{path} is not what the book says")
        seen.add(digest)
    proof.scans_found = len(wanted & seen)
    if wanted - seen:
        proof.faults.append(f"{len(wanted - seen)} scans of the site are not in the holdings")


def _custody(here: County, site: str, number: str, items: int, proof: Proof) -> None:
    for of_site, body in here.bodies():
        said = json.loads(body)
        facts = (of_site, said.get("owner"), said.get("custodian"), said.get("releaser"), said.get("handover"))
        proof.custody_moved += facts == (site, site, COUNTY_CODE, COUNTY_CODE, number)
    if proof.custody_moved != items:
        proof.faults.append(f"custody of {proof.custody_moved} of {items} entries has moved")


def _signatures(here: County, town: SiteAtWork, now: Transfer, proof: Proof) -> None:
    certificate = certificate_of(now)
    seeds = {"giver": town.node.home / "keys" / "node.nk", "receiver": here.home.hub_seed}
    signed: dict[str, Signed | None] = {"giver": now.giver_signature, "receiver": now.receiver_signature}
    for party, signature in signed.items():
        key = load_identity(seeds[party]).public_key
        fault = None if signature is None else signature_fault(now, signature, {key})
        if signature is None or certificate is None or fault is not None:
            proof.faults.append(f"the {party}'s signature: {fault.en if fault else 'is missing'}")
        else:
            proof.signatures += 1


def _steps(here: County, number: str, proof: Proof) -> None:
    """Every step that moves the transfer on stands in the log once, however often its writer was killed."""
    raw = asked(here.home.database, "SELECT step FROM transfer_step WHERE transfer_id = ?", number)
    proof.steps = dict(Counter(str(json.loads(step)["what"]["type"]) for (step,) in raw))
    rounds = 2
    expected = {"opened": 1, "submitted": rounds, "checking": rounds, "decided": rounds, "signed": 2}
    expected |= {"custody_moved": 1, "loaded": 1, "closed": 1}
    wrong = {kind: proof.steps.get(kind, 0) for kind, count in expected.items() if proof.steps.get(kind) != count}
    if wrong:
        proof.faults.append(f"the log has other steps than it should: {wrong}")


async def _searched(here: County, site: str, number: str, proof: Proof) -> None:
    hits = (await here.hub.json("search", "林地承包合同", expect=None))["hits"]
    for hit in hits[:3]:
        told = await here.hub.json("record", hit["record_id"])
        (entry,) = told.get("entries", [told])
        said = (entry["owner"], entry["custodian"], entry["record"].get("handover"))
        proof.searched += said == (site, COUNTY_CODE, number)
    if not hits or proof.searched != len(hits[:3]):
        proof.faults.append("search does not say who keeps the entries now")
