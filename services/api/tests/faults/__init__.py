"""One fault after the other, on a real server: nothing is lost, and what cannot be given is said."""
