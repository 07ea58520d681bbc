"""What the checks are told beside the package: things that no file of it can prove.

Whoever starts the checks knows them: the node its plan and catalogue, the hub what it holds already and what the sender
said of the package. A fact that nobody gave is None, and the rule that needs it reads "not run" or "not applicable",
as the rule says: an absent fact never makes a rule pass.
"""

import datetime
from collections.abc import Mapping

import msgspec

from protocol.check_results import Outcome
from protocol.reference_codes import CodeProfile
from protocol.registration import Registration


class ProcessStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the handling 业务过程: what was done to the package, by whom, when."""

    step: str
    done_by: str
    at_ms: int
    digest: str = ""
    """Digest of the package after the step, where it was taken."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person found who looked where no program can: a carrier's outside, an image that opens after repair."""

    rule: str
    item: str = ""
    """档号 or path; empty for the whole package, and then for every item of it that waits for a person."""
    outcome: Outcome
    by: str
    at_ms: int
    note: str = ""


class PackageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller knows."""

    today: datetime.date
    """By the caller's clock: no date of a record may lie behind it."""
    registration: Registration | None = None
    """The form as it was agreed; where None, what the package itself says is compared."""
    sent_digest: str = ""
    """Digest of the package as the sender gave it by another way; empty if none was given."""
    planned_codes: frozenset[str] | None = None
    """档号 of the entries that the plan wants in this transfer."""
    held_codes: frozenset[str] | None = None
    """档号 that the receiver has already for this fonds; a repetition of one is a fault."""
    loaded_codes: frozenset[str] | None = None
    """档号 that were read back from the database after loading."""
    code_profiles: tuple[CodeProfile, ...] = ()
    """Registered rules of numbering; a code of a fonds without any is judged by its look."""
    process: tuple[ProcessStep, ...] | None = None
    environment: str = ""
    """软硬件环境 recorded for the whole package."""
    looked: tuple[Looked, ...] = ()
    is_online: bool = True
    """Came over the network: there is no carrier to be looked at."""

    def looked_at(self) -> Mapping[tuple[str, str], Looked]:
        """Return what persons found, by rule and item."""
        return {(one.rule, one.item): one for one in self.looked}
