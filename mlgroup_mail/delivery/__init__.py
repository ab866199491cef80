"""SEND: approving, planning, dispatch (the main path), transports, verification."""
