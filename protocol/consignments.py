"""Consignments: files that one end offers and the other fetches, each known by its size and digest."""

from uuid import UUID

import msgspec


class ConsignedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a consignment."""

    path: str
    """Relative, with ``/`` between its parts; it never leads out of its folder."""
    size_bytes: int
    sha256: str


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """Files that belong together."""

    consignment_id: UUID
    files: tuple[ConsignedFile, ...]
