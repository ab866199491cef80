"""Whoever adds a table that names people decides what telling and forgetting do with it."""

from mlgroup_mail.store import schema
from mlgroup_mail.store.belongings import WITH_WORDS_OF_THEIR_OWN, Belongings, other_rows

NAMING = {"contact_id", "delivery_id", "address", "address_key", "name", "email", "alias", "mac", "token"}
"""Columns by which a person could be found."""
NOBODYS = {
    "mailing": "a mailing's name, and a token of its own",
    "imported_file": "a file's name",
    "road": "a road's name",
    "counter": "a counter's name",
    "provider_list": "a list's name",
    "unplaced_event": "hashes that are nobody's yet; they go after a week",
    "erased": "keyed hashes: what keeps erased people away",
}
DELETED = {"provider_entry", "provider_push"}
"""What the provider's own lists say of an address: deleted with the person, told as it stands."""


def test_every_table_that_names_people_is_told_and_forgotten() -> None:
    """A new one comes here: told and deleted with the person, unless telling and forgetting know its columns."""
    naming = {table.name for table in schema.metadata.tables.values() if NAMING & set(table.c.keys())}
    nobody = Belongings(contact_id=None, numbers=(), own=frozenset(), shared=frozenset())
    found = {table.name for table, _ in other_rows(nobody)}
    assert found >= DELETED & set(schema.metadata.tables)
    assert naming - WITH_WORDS_OF_THEIR_OWN - found == NOBODYS.keys() & naming
