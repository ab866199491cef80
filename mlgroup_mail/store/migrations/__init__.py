"""Alembic migrations, carried by the package."""
