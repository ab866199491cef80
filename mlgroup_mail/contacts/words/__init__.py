"""What cells mean: one reading for each field, with the words that people use for it as data."""
