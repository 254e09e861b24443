"""The stores: patterns, job logs and strip families, with the log of their changes in the same database."""
