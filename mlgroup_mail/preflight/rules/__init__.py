"""One rule or a small family of rules a file: each takes the subject and yields findings."""
