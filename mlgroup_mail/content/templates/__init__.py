"""Template files and Jinja as this house sets it up: found, read, bounded, rendered."""
