"""Contract suites of the stores and the event log. The engine is a parameter; one suite holds for all of them."""
