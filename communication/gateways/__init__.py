"""One TOML file per gateway, ready for use (docs/sms-gateways.md)."""
