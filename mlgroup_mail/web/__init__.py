"""PAGES: what is served under the public address. For now the pictures of mails that show them from there."""
