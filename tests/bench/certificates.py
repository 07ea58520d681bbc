"""How long a certificate of twenty pages takes: ``python -m tests.bench.certificates``.

The pages are A4 at 300 dots an inch in colour, as digitising firms deliver them; a first certificate, which loads the
libraries and the font, and a second one, each with its digests checked, made, prepared for its seal and sealed.
"""

import argparse
import datetime
import os
import random
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageDraw

from hub.membership.certificates import new_authority
from hub.window.imprints import Imprint
from protocol.certificates import (
    CertificateContents,
    CertificateKind,
    CertificateStatement,
    CertifiedPage,
    SignedCertificate,
    contents_digest,
    encode_contents,
    encode_statement,
    serial_of,
    signed_message,
)
from protocol.copies import Handler
from replication.keys import Identity, new_seed
from tests.certifying import digest

TARGET_S = 3.0
"""Seconds that a certificate of twenty pages may take (issue 6)."""

SIZE = (2480, 3508)


def page(number: int) -> bytes:
    """Return a page with the noise of old paper, some 2 MB as JPEG."""
    chance = random.Random(number)
    picture = Image.effect_noise(SIZE, 22).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for line in range(30):
        y = 400 + line * 95
        for place in range(28):
            x = 300 + place * 68
            draw.rectangle((x, y, x + chance.randrange(20, 55), y + 50), outline=(40, 30, 30), width=5)
    kept = BytesIO()
    picture.save(kept, "JPEG", quality=75)
    return kept.getvalue()


def written(folder: Path, pages: int) -> tuple[CertifiedPage, ...]:
    """Write the pages of a record and return what a holder says of them."""
    told = []
    for number in range(1, pages + 1):
        content = page(number)
        (folder / f"{number:04}.jpg").write_bytes(content)
        told.append(
            CertifiedPage(number=number, file=f"{number:04}.jpg", sha256=digest(content), size_bytes=len(content))
        )
    return tuple(told)


def certificate(number: int, pages: tuple[CertifiedPage, ...], holder: Identity) -> SignedCertificate:
    """Return a certificate as a holder signs it."""
    contents = encode_contents(CertificateContents(title="山林承包合同", pages=pages, page_count=len(pages)))
    statement = encode_statement(
        CertificateStatement(
            serial=serial_of("330523000000", 2026, number),
            kind=CertificateKind.CERTIFIED_COPY,
            holder="330523108204",
            holder_name="某村档案室",
            signer=holder.public_key,
            handler=Handler.KEEPER,
            date=datetime.date(2026, 11, 23),
            request_id=UUID(int=1),
            contents=contents_digest(contents),
            pages=len(pages),
            record_id=UUID(int=2),
            ref_code="D108-WS·1986-Y-0042",
        )
    )
    return SignedCertificate(statement=statement, signature=holder.sign(signed_message(statement)), contents=contents)


def main() -> int:
    """Make certificates and print what each step took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=20)
    pages = parser.parse_args().pages
    holder, now = Identity(new_seed(os.urandom(32))), datetime.datetime.now(datetime.UTC)
    authority = new_authority("330523000000", now)
    imprint = Imprint(window="某县档案馆", at=now)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = written(folder, pages)
        print(f"{pages} pages, {sum(one.size_bytes for one in told) / 1e6:.1f} MB")
        print("certificate\tloading s\tmaking s\tsealing s\tbytes")
        took = 0.0
        for number in (1, 2, 3):
            began = time.perf_counter()
            from hub.window import certificate_files  # noqa: PLC0415 - its loading is measured

            loaded = time.perf_counter()
            made = certificate_files.make(folder, certificate(number, told, holder), folder, imprint, authority)
            prepared = time.perf_counter()
            serial = serial_of("330523000000", 2026, number)
            pdf = certificate_files.seal(folder, serial, authority, holder.sign(made.attributes))
            done = time.perf_counter()
            took = done - began
            print(f"{number}\t{loaded - began:.2f}\t{prepared - loaded:.2f}\t{done - prepared:.2f}\t{len(pdf):,}")
    print(f"target {TARGET_S:.1f} s: {'met' if took <= TARGET_S else 'missed'} ({took:.2f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
