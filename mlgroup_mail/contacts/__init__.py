"""Who is written to: sources, cleaning, segments, audience.

`pulling.read_all` reads every source of `contacts.toml`; `segments` and `audience` choose among the stored contacts
and load without pandas.
"""
