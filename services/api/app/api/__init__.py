"""Published path of the routes."""
