"""The fingerprint of what a record says: by it a row is found again whatever code it has."""

import hashlib

from protocol.records import Record
from protocol.vocabularies import Level


def content_key(record: Record) -> int:
    """Return the fingerprint of what a record says, without its code and level: signed 64 bits, as databases have."""
    # The rows of one volume's index of persons all carry the volume's code.
    code = record.ref_code if record.level is Level.PERSON_INDEX_ROW else ""
    makers = "\x1e".join(record.responsible_parties)
    said = (
        f"{record.title}\x1f{record.doc_no}\x1f{record.date_edtf or record.date_raw}\x1f{makers}"
        f"\x1f{record.page_no}\x1f{record.page_count}\x1f{code}"
    )
    digest = hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
