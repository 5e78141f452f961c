"""The description of the API in OpenAPI 3.1, made of the contracts and of the routes."""
