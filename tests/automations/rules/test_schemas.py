"""The JSON Schemas by which clients render and check configs."""

from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from automations.rules.registry import KINDS
from tests.automations.rules.test_configs import REFUSED, VALID, all_valid


@pytest.mark.parametrize(("kind", "config"), all_valid())
def test_the_json_schema_takes_what_the_kind_takes(kind, config):
    schema = KINDS[kind].config.model_json_schema()
    Draft202012Validator.check_schema(schema)
    plain = {name: str(v) if isinstance(v, Decimal) else v for name, v in config.items()}
    assert list(Draft202012Validator(schema).iter_errors(plain)) == []


STRUCTURAL = [
    (kind, changes)
    for kind, cases in REFUSED.items()
    for changes, _, says in cases
    if says.startswith(("Unknown key", "Must be one of", "Required", "greater", "less", "'"))
]


@pytest.mark.parametrize(("kind", "changes"), STRUCTURAL, ids=str)
def test_the_json_schema_refuses_what_a_client_can_know(kind, changes):
    schema = Draft202012Validator(KINDS[kind].config.model_json_schema())
    numbers = {"0": 0, "1": 1, "0.9": 0.9}
    plain = {name: numbers.get(v, v) if isinstance(v, str) else v for name, v in changes.items()}
    assert list(schema.iter_errors({**VALID[kind], **plain}))


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described(kind):
    schema = KINDS[kind].config.model_json_schema()
    for model in [schema, *schema.get("$defs", {}).values()]:
        assert model["description"]
        for name, field in model["properties"].items():
            assert name == "type" or field.get("description"), f"{model['title']}.{name}"
            assert name != "type" or "const" in field or field.get("description")
