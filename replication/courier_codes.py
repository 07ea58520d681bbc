"""Enrolment by courier: how a one-time code admits a node that no line reaches, and how its admission travels.

The code's secret never travels: at both ends it makes the same key pair, whose public half the hub keeps with the code.
What that key signs proves that the applicant holds the code; whoever finds the stick learns nothing of use. The code
also carries a fingerprint of the hub's own key, so that the node knows a forged admission from the real one. The
admission holds the county's secret and is therefore sealed to the node's key.
"""

import hashlib

from protocol.bundles import CourierApplication, applied_words
from protocol.enrolment import Admission, EnrolmentCode, decode_decision, encode
from protocol.errors import BadValue
from protocol.wording import Text
from replication.keys import Identity, new_seed, sealed_for, verified


def code_identity(secret: bytes) -> Identity:
    """Return the key pair that a code's secret stands for."""
    return Identity(new_seed(hashlib.sha256(b"danglian courier code" + secret).digest()))


def applied(code: EnrolmentCode, node_key: str, *, name: str, home_site: str, software: str) -> CourierApplication:
    """Return the application of an installation that holds a code."""
    key = code_identity(code.secret)
    return CourierApplication(
        code_key=key.public_key,
        code_signature=key.sign(applied_words(node_key, code.fingerprint)),
        hub_fingerprint=code.fingerprint,
        name=name,
        home_site=home_site,
        software=software,
    )


def is_proven(application: CourierApplication, node_key: str) -> bool:
    """Tell whether the applicant with this key holds the code that it names."""
    words = applied_words(node_key, application.hub_fingerprint)
    return verified(application.code_key, application.code_signature, words)


def sealed_admission(admission: Admission, node_key: str) -> bytes:
    """Return an admission that only the admitted node can read."""
    return sealed_for(node_key, encode(admission))


def opened_admission(envelope: bytes, identity: Identity) -> Admission:
    """Read the admission that was sealed for this node.

    Raises:
        BadValue: it is for another installation, or damaged.

    """
    decision = decode_decision(identity.opened(envelope))
    if not isinstance(decision, Admission):
        raise BadValue(Text(zh="不是准入文件。", en="not an admission"))
    return decision
