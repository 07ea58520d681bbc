"""The catalogue record: what one site says about one thing it keeps.

The fields follow DA/T 18-2022 (著录) and ISAD(G); ``record_id`` is minted once by the owner and is the only key.
The reference code 档号 is data: unique inside one repository at most, and it changes when records are renumbered.
Whatever was folded or interpreted stands beside what was given (``*_as_given``, ``date_raw``), which is never changed.
Three facts are kept apart (promise 1): who owns a record, who keeps it, and who may release it.
"""

import datetime
from uuid import UUID

import msgspec

from protocol.retention import Retention
from protocol.vocabularies import AccessStatus, Disclosure, Form, Level, Secrecy


class Alias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reference code that a record had before, or has at another institution (室编 / 馆编 / 旧号)."""

    code: str
    scheme: str = ""
    assigner: str = ""
    valid_from: str = ""
    valid_to: str = ""


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A scan that belongs to a record; the bytes stay with the holder."""

    file_id: UUID
    name: str
    size_bytes: int
    mime: str = ""
    digest_algorithm: str = "sha256"
    digest: str = ""
    pages: int = 0


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One catalogue entry as its owner last described it."""

    record_id: UUID
    repository_id: str
    """Code of the site that described the record; a site code."""
    level: Level = Level.ITEM
    title: str
    title_is_supplied: bool = False
    """The title was made up by the archivist: written in [ ] (DA/T 22)."""
    parent_id: UUID | None = None
    """The volume of an item, the fonds of a volume."""

    ref_code: str = ""
    ref_code_as_given: str = ""
    code_profile: str = ""
    aliases: tuple[Alias, ...] = ()
    fonds_no: str = ""
    category_code: str = ""
    sub_codes: tuple[str, ...] = ()
    filing_year: int | None = None
    org_or_subject: str = ""
    catalogue_no: str = ""
    project_no: str = ""
    volume_no: str = ""
    item_no: str = ""
    page_no: str = ""

    retention: Retention | None = None
    retention_as_given: str = ""
    responsible_parties: tuple[str, ...] = ()
    doc_no: str = ""
    doc_no_as_given: str = ""
    date_raw: str = ""
    date_edtf: str = ""
    date_earliest: datetime.date | None = None
    date_latest: datetime.date | None = None

    secrecy: Secrecy = Secrecy.NONE
    access_status: AccessStatus = AccessStatus.UNREVIEWED
    access_reason: str = ""
    reviewed_on: datetime.date | None = None
    review_by: datetime.date | None = None
    disclosure: Disclosure | None = None

    page_count: int | None = None
    extent: str = ""
    carrier: str = ""
    form: Form | None = None
    scope: str = ""
    """Scope and content 范围和提要."""
    note: str = ""
    attachments: tuple[Attachment, ...] = ()

    owner: str = ""
    """Who owns the records (所有); a site code, empty means the repository itself."""
    custodian: str = ""
    """Who keeps them (保管); a site code, empty means the repository itself."""
    releaser: str = ""
    """Who may release them (利用决定); a site code, empty means the owner."""
    livelihood_kind: str = ""
    person_keys: tuple[str, ...] = ()
    """Keyed hashes of identity numbers: a person can be matched across sites, never read back."""

    version: int = 1
    previous_digest: str = ""
    """Digest of the version before this one; empty for the first."""
    changed_by: str = ""
    changed_at_ms: int = 0
    """Wall-clock milliseconds since 1970 at the owner: for display, never for ordering."""
    reason: str = ""
    handover: UUID | None = None
    """The transfer by which the records changed hands last; from then on no row of a catalogue says who keeps them."""
