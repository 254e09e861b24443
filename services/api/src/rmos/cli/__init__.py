"""The `rmos` command: one module a subcommand, `main.py` ties them together."""
