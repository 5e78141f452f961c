"""Published contracts, to validate answers against."""

from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft4Validator

_FOLDER = Path(__file__).parent / "contracts"


def check_schema(contract: str, definition: str, body: Any) -> None:
    """ValidationError unless the body is what a Swagger 2.0 file defines under this name."""
    whole = orjson.loads((_FOLDER / contract).read_bytes())
    schema = {"$ref": f"#/definitions/{definition}", "definitions": whole["definitions"]}
    Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER).validate(body)
