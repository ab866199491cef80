"""Merge many: the bytes on the wire, built once for a variant and filled for each recipient."""
