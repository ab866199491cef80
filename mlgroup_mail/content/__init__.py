"""WHAT: campaign files, the calendar, compiling, merging, and the message on the wire."""
