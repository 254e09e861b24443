"""Figures of the shop as pure functions: numbers in, numbers out, each with its formula and source."""
