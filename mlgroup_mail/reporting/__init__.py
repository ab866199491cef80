"""LOOK: status, log and explain."""
