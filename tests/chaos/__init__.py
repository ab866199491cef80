"""The kill harness: the real command line, killed at every point where it could double or lose a mail.

`python -m tests.chaos` plays scenarios, each made from (seed, number), and judges the ledger against the truth: a mail
server that has written down, on disk, what it accepted before it said so.
"""
