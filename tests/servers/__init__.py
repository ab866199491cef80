"""Real servers for the tests, started in temporary directories on free loopback ports.

A test asks for a fixture (`smtp_sink`, `faulty_smtp`, `postgres_url`, `dovecot`, `chromium`; see `plugin`)
and gets the running server. Where a program is missing the test is skipped, and the end of the run says how
to get it.
"""
