"""The OpenAPI 3.1 document of the interface, made from its operations and the types that they take and give."""

from collections.abc import Mapping
from inspect import getdoc
from typing import Any, Final

import msgspec

from hub.staff.tokens import SCOPES, Scope
from hub.web.api.operations import OPERATIONS, Operation
from hub.web.api.problems import KIND, Problem

PREFIX: Final = "/api/v1"
"""Where the interface is."""

_TEMPLATE: Final = "#/components/schemas/{name}"
_PROBLEMS: Final = {
    "400": "The request is not as described here, its query cannot be understood, or its cursor is another query's.",
    "401": "There is no token, or none that is good.",
    "403": "The token's scopes do not cover this; the refusal is in the audit log.",
    "429": "Too many requests: `Retry-After` says how many seconds to wait.",
    "503": "The hub's store is away: ask again after `Retry-After` seconds.",
}
_MISSING: Final = "There is no such thing, or none that the token may see."


def document(version: str) -> Mapping[str, object]:
    """Return the document, ready to be written as JSON.

    Args:
        version: of the program.

    """
    shapes = [one.gives for one in OPERATIONS]
    _, schemas = msgspec.json.schema_components([*shapes, Problem], ref_template=_TEMPLATE)
    scopes = "\n".join(f"- `{scope.value}`: {SCOPES[scope].en} ({SCOPES[scope].zh})" for scope in Scope)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Danglian 档联",
            "version": version,
            "description": "The unified catalogue of a county's archives, read by other systems. Moments are"
            " milliseconds since 1970, for display. A list is paged by `next`: give it back as `cursor`.\n\n"
            f"Scopes of tokens:\n\n{scopes}",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": {one.path: {"get": _described(one)} for one in OPERATIONS},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`danglian-hub token add NAME --scope SCOPE` makes one.",
                }
            },
        },
    }


def _described(operation: Operation) -> Mapping[str, object]:
    needed = " or ".join(f"`{scope.value}`" for scope in operation.scopes)
    problems = _PROBLEMS | ({"404": _MISSING} if operation.named else {})
    return {
        "operationId": operation.id,
        "summary": operation.title.both(),
        "description": f"{getdoc(operation.step)}\n\nScope: {needed}.",
        "parameters": [*_named(operation), *_asked(operation.takes)],
        "responses": {
            "200": {"description": getdoc(operation.gives), "content": {"application/json": _ref(operation.gives)}},
            **{
                status: {"description": words, "content": {KIND: _ref(Problem)}}
                for status, words in sorted(problems.items())
            },
        },
    }


def _ref(shape: type[msgspec.Struct]) -> Mapping[str, object]:
    return {"schema": {"$ref": _TEMPLATE.format(name=shape.__name__)}}


def _named(operation: Operation) -> list[Mapping[str, object]]:
    named = operation.named
    if named is None:
        return []
    schema = {"type": "string"} | ({"format": named.format} if named.format else {})
    return [
        {
            "name": named.name,
            "in": "path",
            "required": True,
            "description": named.words,
            "schema": schema,
            "example": named.example,
        }
    ]


def _asked(shape: type[msgspec.Struct]) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    _, schemas = msgspec.json.schema_components([shape], ref_template=_TEMPLATE)
    properties: Mapping[str, Any] = schemas[shape.__name__]["properties"]
    for name, schema in properties.items():
        inlined = _inlined(schema, schemas)
        words = inlined.pop("description", "")
        found.append({"name": name, "in": "query", "required": False, "description": words, "schema": inlined})
    return found


def _inlined(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: absent is how a query says none, so null is no choice of it."""
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "default") or value is not None}
    choices = [one for one in kept.pop("anyOf", []) if one.get("type") != "null"]
    for choice in choices:
        kept |= choice
    if "$ref" in kept:
        named = schemas[kept.pop("$ref").rpartition("/")[2]]
        kept = {"type": "string", "enum": named["enum"]} | kept
    return kept
