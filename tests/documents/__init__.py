"""Reading what people write in TOML."""
