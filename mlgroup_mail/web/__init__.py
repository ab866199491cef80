"""PAGES: what is served under the public address. Pages for readers, pictures of mails, and webhooks."""
