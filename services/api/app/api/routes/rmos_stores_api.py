"""Published path of the stores' routes; they live in `rmos.web.stores_api`."""

from rmos.web.stores_api import router

__all__ = ["router"]
