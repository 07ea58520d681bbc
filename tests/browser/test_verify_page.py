"""The page that verifies certificates, in a real browser and without a network: by code and by file."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from hub.window import public_keys, verify_page
from protocol.certificates import SignedCertificate, qr_text, serial_of
from protocol.key_lists import CertifyingKey, KeyList, RevokedCertificate
from replication.keys import Identity, new_seed, raw_public_key
from tests.property.test_certificates import AT, KEYS, sealed, signed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

HUB = Identity(new_seed(b"h" * 32))
OURS = CertifyingKey(
    key=HUB.public_key,
    raw=raw_public_key(HUB.public_key).hex(),
    site="330523000000",
    name="某县档案馆",
    is_county=True,
)
LISTED = msgspec.structs.replace(KEYS, keys=(*KEYS.keys, OURS))
REVOKED = msgspec.structs.replace(
    LISTED, revoked=(RevokedCertificate(serial=serial_of("330523000000", 2026, 12), on=AT.date()),)
)


class Verifier:
    """A stranger with the page."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self.complaints.append(line.text))

    async def open(self, listed: KeyList, fragment: str = "") -> None:
        place = self.folder / "verify.html"
        place.write_bytes(verify_page.page(public_keys.signed(listed, HUB), listed, HUB.public_key))
        await self.page.goto("about:blank")
        await self.page.goto(place.as_uri() + fragment)

    async def finding(self) -> str:
        await expect(self.page.locator("#basis")).not_to_be_empty()
        return (await self.page.get_attribute("#verdict", "class") or "").removeprefix("card ")

    async def finding_of(self, pdf: bytes) -> str:
        await self.open(LISTED)
        (self.folder / "file.pdf").write_bytes(pdf)
        await self.page.set_input_files("#file", self.folder / "file.pdf")
        return await self.finding()


@pytest_asyncio.fixture(loop_scope="module")
async def verifier(tmp_path: Path, browser: Browser) -> AsyncIterator[Verifier]:
    page = await browser.new_page()
    yield Verifier(page, tmp_path)
    await page.close()


def code(one: SignedCertificate) -> str:
    return qr_text(one.statement, one.signature)


async def test_a_code_is_valid_altered_or_revoked_without_a_network(verifier: Verifier) -> None:
    one = signed()
    await verifier.open(LISTED, f"#{code(one)}")
    assert await verifier.finding() == "valid"

    other = msgspec.structs.replace(one, statement=one.statement.replace("1986", "1987"))
    await verifier.open(LISTED, f"#{code(other)}")
    assert await verifier.finding() == "altered"

    await verifier.open(REVOKED, f"#{code(one)}")
    assert await verifier.finding() == "revoked"

    await verifier.open(LISTED)
    await verifier.page.fill("#code", "DL1.abc")
    await verifier.page.click("#check")
    assert await verifier.finding() == "unknown"
    assert verifier.complaints == []


async def test_a_file_is_valid_only_as_it_was_sealed(verifier: Verifier) -> None:
    pdf = sealed()
    altered = bytearray(pdf)
    altered[len(pdf) // 3] ^= 1
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    in_seal = bytearray(pdf)
    in_seal[start] ^= 0x20

    assert await verifier.finding_of(pdf) == "valid"
    assert await verifier.finding_of(bytes(altered)) == "altered"
    assert await verifier.finding_of(bytes(in_seal)) == "altered"
    assert await verifier.finding_of(pdf + b"\n%%EOF\n") == "altered"
    assert await verifier.finding_of(b"%PDF-1.7 nothing") == "unknown"
    assert verifier.complaints == []
