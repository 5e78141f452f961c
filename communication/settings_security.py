"""The settings about who gets in and where requests may lead. Part of communication/settings.py."""

from ipaddress import ip_network
from typing import Self
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from communication.privacy.sealing import parse_keys

_WITHOUT_AUTHENTICATION = {
    "callback_allow": "127.0.0.0/8,::1/128",
    "rate_per_client": "",
    "rate_per_tenant": "",
}
"""Defaults where nobody but this machine calls."""
SIGNATURES = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Algorithms (RFC 7518, RFC 8037) whose keys can be shown to everybody."""


class SecuritySettings(BaseSettings):
    """Authentication, and the addresses that clients may have us call."""

    jwks: str = Field(
        "",
        description="Keys of access tokens: a file, or an https URL. Without it there is no "
        "authentication, and only loopback may be bound.",
    )
    jwt_issuer: str = Field("tidings", description="The `iss` that access tokens must have.")
    jwt_audience: str = Field("tidings", description="The `aud` that access tokens must have.")
    jwt_algorithms: str = Field(
        "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA",
        description="Signatures that access tokens may have; of public keys only.",
    )
    tenant_claim: str = Field("tenant", description="The claim that names a token's tenant.")
    forbidden_users: str = Field(
        "",
        description="Values of `sub` whose access tokens are refused before they expire, by comma.",
    )
    callback_allow: str = Field(
        "",
        description="CIDRs that callbacks and attachments' URLs may lead to, beside the public "
        "internet; default: none, loopback where there is no authentication.",
    )
    secret_keys: str = Field(
        "",
        repr=False,
        description="Keys that secrets and device tokens are sealed with in the database, the "
        "newest first, by comma; `tidings keys secret` makes one.",
    )
    retention: float = Field(
        0,
        ge=0,
        description="Days for which ended messages, and events, are kept; 0: for ever. Order "
        "events are kept for ever.",
    )
    max_value: int = Field(
        256 * 1024, ge=1, description="Most characters of one characteristic's value."
    )
    max_attachment: int = Field(
        25 * 1024 * 1024, ge=1024, description="Most bytes of one email's attachments together."
    )
    rate_per_client: str = Field(
        "1000/second",
        description="Most requests of one client, such as `100/second;2000/minute`; empty: any, "
        "the default without authentication, where all callers are one client.",
    )
    rate_per_tenant: str = Field(
        "2000/second", description="Most requests of all clients of one tenant; likewise."
    )
    max_backlog: int = Field(
        1_000_000,
        ge=0,
        description="Most deliveries due before sending is refused, and most events that were "
        "not told yet before others' events are; 0: any.",
    )
    client_patience: float = Field(
        15,
        gt=0,
        description="Seconds for a request's head to come, and for a body or an answer beyond "
        "what 64 KiB/s allow.",
    )

    @field_validator("jwks")
    @classmethod
    def _jwks_is_a_file_or_https(cls, value: str) -> str:
        if "://" in value and urlsplit(value).scheme != "https":
            raise ValueError("must be a file or an https:// URL: who can change it lets anyone in")
        return value

    @field_validator("jwt_algorithms")
    @classmethod
    def _algorithms_have_public_keys(cls, value: str) -> str:
        for one in value.split(","):
            if one.strip() not in SIGNATURES:
                raise ValueError(f"must be of {', '.join(SIGNATURES)}, by comma")
        return value

    @field_validator("rate_per_client", "rate_per_tenant")
    @classmethod
    def _rates_are_understood(cls, value: str) -> str:
        if value:
            parse_many(value)
        return value

    @field_validator("secret_keys")
    @classmethod
    def _secret_keys_are_keys(cls, value: str) -> str:
        try:
            parse_keys(value)
        except ValueError:
            raise ValueError("must be keys of `tidings keys secret`, by comma") from None
        return value

    @field_validator("callback_allow")
    @classmethod
    def _callback_allow_is_networks(cls, value: str) -> str:
        for network in filter(None, value.split(",")):
            ip_network(network.strip())
        return value

    @model_validator(mode="after")
    def _nobody_but_this_machine_calls(self) -> Self:
        if not self.jwks:
            given = self.model_fields_set
            for name, value in _WITHOUT_AUTHENTICATION.items():
                if name not in given:
                    object.__setattr__(self, name, value)
        return self
