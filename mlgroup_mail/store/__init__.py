"""KEEP: the schema, and all SQL. Nothing above this room writes any."""

from mlgroup_mail.store.transactions import Store

__all__ = ["Store"]
