"""Servers to be measured, each with a driver inside that makes events on command."""
