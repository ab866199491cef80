"""Pictures: their files, and their places in a mail."""
