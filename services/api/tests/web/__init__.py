"""The HTTP edge, through a real server, with a real database."""
