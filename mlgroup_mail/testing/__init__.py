"""Servers to test against, shipped so that others can use them too. Nothing in the product imports this."""
