"""The hub: every logged event goes through it, once, to everybody who wants it."""
