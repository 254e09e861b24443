"""Measures RMOS beside what it is compared with: `python -m benchmarks [suite …]`. README.md says how to read it."""
