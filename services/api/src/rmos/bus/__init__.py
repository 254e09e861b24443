"""The bus: a wake-up hint that the log has grown. Nobody relies on its payload; there is none."""
