"""From tables to people: columns are read, rows become people, and each row's end is told."""
