"""A request as the console's code names it: the framework's, whose user is a ``Visitor``; and ids in its address."""

from typing import Any, TypeAlias
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection

from hub.web.faults import Missing

AnyRequest: TypeAlias = Request[Any, Any, Any]
"""A request for a page."""

AnyConnection: TypeAlias = ASGIConnection[Any, Any, Any, Any]
"""A request before it is known what for."""


def id_of(text: str) -> UUID:
    """Return the id that stands in an address or form.

    Raises:
        Missing: it is none.

    """
    try:
        return UUID(text)
    except ValueError as error:
        raise Missing from error
