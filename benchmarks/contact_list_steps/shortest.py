"""What somebody in a hurry writes for a list of contacts and one of those who opted out."""

import json
import resource
import sys
import time

start = time.perf_counter()

import pandas as pd  # noqa: E402 (its import counts)

people = pd.read_csv(sys.argv[1], engine="pyarrow", dtype_backend="pyarrow")
opted_out = pd.read_csv(sys.argv[2], engine="pyarrow", dtype_backend="pyarrow")["Email"]
people["Email"] = people["Email"].str.strip().str.lower()
people = people[people["Email"].str.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+").fillna(False)].drop_duplicates("Email")
people = people[~people["Email"].isin(opted_out)]
seconds = time.perf_counter() - start
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(json.dumps({"selected": seconds, "people": len(people), "megabytes": megabytes}))
