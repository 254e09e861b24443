"""Tests of the `rmos` command and of the scripts, most of them as real processes."""
