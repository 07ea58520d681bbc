"""One request of the interface: who asks, from what stands behind the pages, with parameters that were read already."""

from typing import Generic, TypeVar

import msgspec

from hub.web.api.bearers import Bearer
from hub.web.backstage import Backstage

P = TypeVar("P")


class Asked(msgspec.Struct, Generic[P], frozen=True, kw_only=True):
    """What was asked."""

    backstage: Backstage
    bearer: Bearer
    parameters: P
    name: str = ""
    """The part of the path that names one thing."""
