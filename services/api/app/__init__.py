"""The published import paths. Nothing lives here: each file re-exports names of the package `rmos`."""
