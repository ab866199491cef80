"""Tests of what is read as an address, and of what is said about it."""
