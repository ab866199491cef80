"""Compile once: from an approved source to the message that a variant's recipients share."""
