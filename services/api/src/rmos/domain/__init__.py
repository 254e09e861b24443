"""The shop in plain Python: patterns, jobs, materials, events, filters. Imports only errors and clock."""
