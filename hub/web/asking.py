"""A request as the console's code names it: the framework's, whose user is a ``Visitor`` (``hub.web.visitors``)."""

from typing import Any, TypeAlias

from litestar import Request
from litestar.connection import ASGIConnection

AnyRequest: TypeAlias = Request[Any, Any, Any]
"""A request for a page."""

AnyConnection: TypeAlias = ASGIConnection[Any, Any, Any, Any]
"""A request before it is known what for."""
