"""Published path of the routers."""
