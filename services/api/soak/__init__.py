"""Faults made on purpose, and the proof that nothing was lost.

The short tier is in tests/faults; the long one is these modules, by `make soak`. Both use the same clients and checker.
"""
