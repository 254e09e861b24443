"""The HTTP edge: parse, call a service, format. Only this package and `cli` know the web framework."""
