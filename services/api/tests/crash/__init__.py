"""Nothing is lost when the server dies: processes killed in the middle of writes, and a checker of what they left."""
