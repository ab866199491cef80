"""Cells as people write them, and what each is read as: data, for the readers and for the pass over whole columns.

One module for a family of fields, each with a list `CELLS`.
"""
