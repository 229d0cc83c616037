"""Bodies made of a service's own description: the least and the most that it allows."""

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
DEEPEST = 8  # levels; descriptions refer to themselves


class Maker:
    """`whole`: everything that may be there, else what has to be; `nulls`: null wherever that is allowed."""

    def __init__(self, named: Callable[[str], Json], *, whole: bool, nulls: bool = False) -> None:
        """`named` gives the schema of this name."""
        self.named = named
        self.whole = whole
        self.nulls = nulls

    def made(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """Of a schema in JSON Schema's or OpenAPI's words."""
        if schema.get("nullable") and (self.nulls or depth > DEEPEST):
            return None
        if "$ref" in schema:
            return self.made(self.named(schema["$ref"].rpartition("/")[2]), depth)
        if mapping := schema.get("discriminator", {}).get("mapping", {}):
            kind, reference = next(iter(mapping.items()))
            return self.of_kind(schema, kind, reference, depth)
        if "properties" in schema or "allOf" in schema:
            return self._object(schema, depth)
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                return self.made(schema[choice][0], depth)
        if "enum" in schema or "const" in schema:
            return schema["const"] if "const" in schema else schema["enum"][0]
        return self._simple(schema, depth)

    def of_kind(self, schema: Mapping[str, Any], kind: str, reference: str, depth: int = 0) -> Any:
        """One of those between which the property that the schema names decides."""
        found = self._object(self.named(reference.rpartition("/")[2]), depth)
        return {**found, schema["discriminator"]["propertyName"]: kind}

    def _object(self, schema: Mapping[str, Any], depth: int) -> Any:
        found: Json = {}
        for part in schema.get("allOf", ()):
            inner = self._plain(self.named(part["$ref"].rpartition("/")[2]) if "$ref" in part else part)
            made = self.made(inner, depth)
            if not isinstance(made, dict):
                return made
            found |= made
        required = schema.get("required") or ()
        for name, inner in schema.get("properties", {}).items():
            if name in required or (self.whole and depth < DEEPEST):
                found[name] = self.made(inner, depth + 1)
        return found

    @staticmethod
    def _plain(schema: Json) -> Json:
        """As a base: which of its kinds it is, is known already."""
        return {key: value for key, value in schema.items() if key not in ("discriminator", "oneOf")}

    def _simple(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        match kind:
            case "array":
                return self._list(schema.get("items", {}), depth) if self.whole and depth < DEEPEST else []
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return False
            case "string":
                return schema.get("example") or "9"
            case _:
                return {}

    def _list(self, items: Mapping[str, Any], depth: int) -> list[Any]:
        """One of each kind."""
        whole = self.named(items["$ref"].rpartition("/")[2]) if "$ref" in items else items
        mapping = whole.get("discriminator", {}).get("mapping", {})
        if not mapping:
            return [self.made(items, depth + 1)]
        return [self.of_kind(whole, kind, reference, depth + 1) for kind, reference in mapping.items()]


class BotApiMaker:
    """The same of Telegram's description, which is in words of its own."""

    def __init__(self, types: Mapping[str, Json], *, whole: bool) -> None:
        self.types = types
        self.whole = whole

    def made(self, kind: str, depth: int = 0) -> Any:
        if kind.startswith("Array of "):
            return [self.made(kind.removeprefix("Array of "), depth + 1)] if depth < DEEPEST else []
        simple: Json = {"String": "9", "Integer": 1_780_000_000, "Float": 1.5, "Boolean": False}
        if kind in simple:
            return simple[kind]
        found = self.types[kind]
        if subtypes := found.get("subtypes"):
            return self.made(subtypes[0], depth)
        is_whole = self.whole and depth < 3  # a message may hold messages
        return {
            field["name"]: self.made(field["types"][0], depth + 1)
            for field in found.get("fields", ())
            if field["required"] or is_whole
        }
