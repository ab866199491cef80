"""KEEP: the schema, and all SQL. Nothing above this room writes any."""

from sqlalchemy import Connection

from mlgroup_mail.store.transactions import Store

__all__ = ["Connection", "Store"]
