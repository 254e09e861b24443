"""Published path of the monitor functions."""
