"""HTTP gateways for SMS, as TOML files describe them."""
