"""CHECK: what a careful editor would find, before anything goes out."""
