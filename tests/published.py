"""The published contract as JSON schemas, and the paths of a site that lead to records."""

from __future__ import annotations

import re
from functools import cache

import jsonschema

from sage50kit.sandbox.app import modelled
from sage50kit.sandbox.contract import Contract, Field, Type, contract


def plain(text):
    """The JSON schema of a value of a plain type."""
    kinds = {
        "str": "string",
        "datetime": "string",
        "int": "integer",
        "num": "number",
        "bool": "boolean",
    }
    return {"type": kinds[text]} if text in kinds else {} if text == "obj" else {"type": "object"}


def schema_of_type(kind: Type):
    one = {"$ref": f"#/$defs/{kind.name}"} if kind.is_model else plain(kind.name)
    return {"type": "array", "items": one} if kind.is_array else one


def schema_of_field(field: Field):
    schema = schema_of_type(field.type)
    if field.allowed:
        schema["enum"] = sorted(field.allowed)
    if field.longest is not None:
        schema["maxLength"] = field.longest
    if field.type.name == "datetime":
        schema["pattern"] = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?$"
    if field.type.name == "map":
        schema["additionalProperties"] = {"type": "string"}
    return schema


def schemas(published: Contract):
    """Every model as a JSON schema."""
    return {
        model: {
            "type": "object",
            "properties": {
                name: schema_of_field(field) for name, field in published.fields(model).items()
            },
            "required": [name for name, field in published.fields(model).items() if field.required],
            "additionalProperties": not published.fields(
                model
            ),  # an open object has no fields of its own
        }
        for model in published.models
    }


DEFINITIONS = schemas(contract())


@cache
def validator(answer):
    kind = Type.parse(f"[->{answer.strip('[]')}]" if answer.startswith("[") else f"->{answer}")
    return jsonschema.Draft202012Validator({**schema_of_type(kind), "$defs": DEFINITIONS})


def complaints(value, answer):
    """What about an answer is not as the contract says."""
    return [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in validator(answer).iter_errors(value)
    ]


def filled(template, site):
    """A path to records that exist, as far as the site has any: parents are chosen that have children."""
    ways = list(ways_to(template, site))
    return ways[0] if ways else re.sub(r"\{\w+\}", "1", template)


def ways_to(template, site, values=()):
    """The paths of a template, one for each choice of existing records."""
    steps = re.findall(r"\{(\w+)\}", template)
    if len(values) == len(steps):
        if not template.endswith("}") and values and not has_rows(template, site, values):
            return
        path = template
        for step, value in zip(steps, values, strict=True):
            path = path.replace(f"{{{step}}}", str(value), 1)
        yield path
        return
    name = steps[len(values)]
    before = template.partition(f"{{{name}}}")[0].rstrip("/")
    for row in rows_of(before, site, values):
        yield from ways_to(
            template, site, (*values, row["identifier" if "dentifier" in name else "id"])
        )


def rows_of(template, site, values):
    """The rows of a list, none if it is not modelled."""
    listed = contract().list_named(template)
    if listed is None or ("GET", listed) not in modelled(site):
        return ()
    return site.rows(listed, tuple(str(value) for value in values))


def has_rows(template, site, values):
    """Whether the list behind a path has rows; what is no list has."""
    listed = contract().collection(template) or template
    operation = contract().paths[listed].get("GET")
    return operation is None or not operation.is_list or bool(rows_of(listed, site, values))
