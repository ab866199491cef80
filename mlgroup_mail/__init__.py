"""Newsletters and invitations for expert groups: sent once, opt-outs handled, every delivery accounted for."""

__version__ = "0.1.0"
