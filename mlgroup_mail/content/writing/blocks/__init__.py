"""Blocks: parts of a text that are more than prose, written as fences (```event), each with its own template."""
