"""Tests of how the mailbox reads itself."""
