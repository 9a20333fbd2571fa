"""The smallest value a schema allows: each case is a schema and the value expected for it."""

import pytest

from lambdallm.llm.clients.schema_example import example

NODE = {
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
            "required": ["name", "next"],
        }
    },
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, ""),
        ({"type": "string", "minLength": 3}, "xxx"),
        ({"type": "string", "format": "date"}, "1970-01-01"),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"const": 7}, 7),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
        ({"type": "integer", "minimum": 1.5}, 2),
        ({"type": "number", "minimum": 0.2, "maximum": 0.4}, 0.2),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
        ({"prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 2}, [1, 2]),
        ({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}, {"a": ""}),
        ({"type": ["string", "null"]}, ""),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
        ({"allOf": [{"type": "integer"}, {"minimum": 4}]}, 4),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]},
                       {"properties": {"b": {"const": 2}}, "required": ["b"]}]},
            {"a": 1, "b": 2},
        ),
        ({"properties": {"x": {"$ref": "#/$defs/a~1b"}}, "required": ["x"], "$defs": {"a/b": {"const": 5}}}, {"x": 5}),
        (NODE, {"name": "", "next": None}),
        (True, None),
        ({}, None),
    ],
)  # fmt: skip
def test_is(schema, value):
    assert example(schema) == value


@pytest.mark.parametrize("reference", ["#/$defs/Nowhere", "https://example.com/schema", 3])
def test_a_reference_that_leads_nowhere_is_an_error(reference):
    with pytest.raises(ValueError, match="reference"):
        example({"$ref": reference})


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "#"}, {"properties": {"again": {"$ref": "#"}}, "required": ["again"]}],
)
def test_a_schema_that_never_ends_is_an_error(schema):
    with pytest.raises(ValueError, match="without end"):
        example(schema)
