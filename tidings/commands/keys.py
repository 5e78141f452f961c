"""The commands `tidings keys` and `tidings token`: access tokens for development and tests.

In production an issuer of its own makes them (docs/security.md).
"""

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from communication.encoding import to_json
from communication.errors import SettingsError
from communication.public_id import TENANT, is_client
from communication.scopes import SCOPES
from communication.settings import Settings, load_settings
from tidings.explained import explained

_SIGNING, _PUBLIC = "signing.json", "jwks.json"
_ALGORITHM = "ES256"
_FOLDER = click.option(
    "--keys",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the keys; default: `keys` in the data folder.",
)


@click.group()
def keys() -> None:
    """Keys: to sign access tokens with, and to seal secrets with."""


@keys.command()
@_FOLDER
@explained()
def new(folder: Path | None) -> None:
    """Make a key that `tidings token` signs with from now on.

    Tokens signed with earlier keys stay good: their public halves stay in jwks.json.
    """
    folder = folder or _folder(load_settings())
    private, public = _generate()
    _write(folder / _SIGNING, to_json(private), mode=0o600)
    _write(folder / _PUBLIC, to_json({"keys": [*_published(folder / _PUBLIC), public]}), mode=0o644)
    click.echo(f"TIDINGS_JWKS={(folder / _PUBLIC).resolve()}")


@keys.command()
def secret() -> None:
    """Print a new key for TIDINGS_SECRET_KEYS; docs/security.md says how to bring it in."""
    from communication.privacy.sealing import new_key

    click.echo(new_key())


@keys.command()
@explained()
def reseal() -> None:
    """Seal what the database holds with the first of TIDINGS_SECRET_KEYS.

    All parts must run with that key by then. Afterwards the others can be taken out.
    """
    from communication.privacy.resealing import reseal as reseal_all
    from tidings.database import open_database

    with closing(open_database(load_settings())) as store:
        click.echo(f"{reseal_all(store)} rows are sealed with the first key.")


@click.command()
@click.option("--client", required=True, help="The program that gets the token.")
@click.option("--tenant", default="default", show_default=True, help="Whose data it may see.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="What it may do: several by space, or by saying --scope again.",
)
@click.option(
    "--seconds",
    type=click.IntRange(min=1),
    default=3600,
    show_default=True,
    help="How long the token is good.",
)
@_FOLDER
@explained()
def token(
    client: str, tenant: str, scopes: tuple[str, ...], seconds: int, folder: Path | None
) -> None:
    """Print an access token, signed with the key of `tidings keys new`."""
    _check_named(client, tenant, scopes)
    settings = load_settings()
    signing = (folder or _folder(settings)) / _SIGNING
    scope = " ".join(" ".join(scopes).split())
    click.echo(_sign(settings, signing, client=client, tenant=tenant, scope=scope, seconds=seconds))


def _check_named(client: str, tenant: str, scopes: Sequence[str]) -> None:
    """SettingsError for what would make a token that is good for nothing."""
    wanted = " ".join(scopes).split()
    if not is_client(client):
        raise SettingsError(f"--client {client!r}: must be 1 to 255 characters that can be read")
    if not TENANT.fullmatch(tenant):
        raise SettingsError(
            f"--tenant {tenant!r}: must be a letter or digit, then up to 63 letters, digits, "
            "dots, hyphens and underscores"
        )
    unknown = sorted(set(wanted) - SCOPES)
    if unknown or not wanted:
        told = " ".join(unknown) or repr("")
        raise SettingsError(f"--scope {told}: no such scope; there are {', '.join(sorted(SCOPES))}")


def _folder(settings: Settings) -> Path:
    return settings.data / "keys"


def _generate() -> tuple[dict[str, Any], dict[str, Any]]:
    """A private key and its public half, as JWKs of one kid."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from jwt.algorithms import ECAlgorithm

    from communication.ids import new_id

    key = ec.generate_private_key(ec.SECP256R1())
    named = {"kid": new_id(), "alg": _ALGORITHM, "use": "sig"}
    private = ECAlgorithm.to_jwk(key, as_dict=True) | named
    public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | named
    return private, public


def _published(path: Path) -> list[dict[str, Any]]:
    import orjson

    try:
        listed: list[dict[str, Any]] = orjson.loads(path.read_bytes())["keys"]
    except FileNotFoundError:
        return []
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} can't be read as keys: {error}") from error
    return listed


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Whole or not at all: the API reads it while it is replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:  # noqa: PTH123  # Path.open takes no mode
            file.write(content)
        fresh.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} can't be written: {error.strerror}") from error


def _sign(
    settings: Settings, signing: Path, *, client: str, tenant: str, scope: str, seconds: int
) -> str:
    import jwt
    import orjson

    from communication.clock import now
    from communication.ids import new_id

    try:
        key = orjson.loads(signing.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise SettingsError(f"no key in {signing}; make one: tidings keys new") from error
    moment = int(now().timestamp())
    claims = {
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "sub": client,
        "client_id": client,
        settings.tenant_claim: tenant,
        "scope": scope,
        "iat": moment,
        "exp": moment + seconds,
        "jti": new_id(),
    }
    headers = {"kid": key["kid"], "typ": "at+jwt"}
    return jwt.encode(claims, jwt.PyJWK(key).key, algorithm=_ALGORITHM, headers=headers)
