"""The site's policy as its settings say it."""

import hashlib

import msgspec

from node.config import PolicySettings
from protocol.lookup_policy import DEFAULT_POLICY, Policy, PolicyRule


def policy_of(settings: PolicySettings) -> Policy:
    """Return the policy; its name changes with its rules, so that logs show under which of them something was told."""
    if not settings.rules:
        return DEFAULT_POLICY
    rules = tuple(
        PolicyRule(
            treatment=rule.treatment,
            kinds=rule.kinds,
            purposes=rule.purposes,
            requesters=rule.requesters,
            access=rule.access,
        )
        for rule in settings.rules
    )
    digest = hashlib.sha256(msgspec.json.encode(rules)).hexdigest()
    return Policy(name=f"site-{digest[:12]}", rules=rules)
