"""What a renewed catalogue does without, because the nodes tell it again."""

from typing import Final

TOLD_AGAIN: Final = frozenset(
    (
        *("entry", "search", "search_next", "catalogue_state", "site_epoch", "history", "conflict", "baseline"),
        *("watermark", "parked_frame", "node_state", "nightly_check", "rebuild", "repair", "repair_record"),
        *("migration", "migration_progress", "outbox", "head", "tombstone_horizon", "verification", "forgotten_frame"),
        *("withdrawn_content", "face", "entry_faces"),
    )
)
"""Tables that stay empty: what they held is told again by the nodes, or was about the old copy."""
