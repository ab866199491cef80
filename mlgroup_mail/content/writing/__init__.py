"""Markdown in both forms that a mail has: MJML and plain text."""
