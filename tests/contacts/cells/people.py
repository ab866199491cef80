"""The cells of every field but the address."""

from tests.contacts.cells import names, others, places, statuses

CELLS = [*names.CELLS, *places.CELLS, *statuses.CELLS, *others.CELLS]
