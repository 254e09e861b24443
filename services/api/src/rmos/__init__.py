"""RMOS, the Rosette Manufacturing OS."""
