"""The event log: append-only, one row an event, in the same database and transaction as the change it tells of."""
