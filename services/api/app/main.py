"""Published path of the application; it is made in `rmos.web.app`."""

from rmos.web.app import create_app

__all__ = ["app", "create_app"]

app = create_app()
