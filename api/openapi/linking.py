"""Operations by name, and which of them take what another one gave."""

from api.openapi.pieces import Json

_TO_NAME = str.maketrans("/{}.-", "_____")


def operation_id(method: str, path: str) -> str:
    """The name of an operation."""
    return f"{method}_{path.strip('/').translate(_TO_NAME)}"


def link(method: str, path: str, **parameters: str) -> Json:
    """To an operation, whose parameters are OpenAPI's runtime expressions."""
    name = operation_id(method, path)
    return {name: {"operationId": name, "parameters": parameters}}
