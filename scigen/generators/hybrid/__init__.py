"""A generator that asks others: each image type goes to whom measured best there, the other paradigm behind it."""

from scigen.generators.hybrid.router import Hybrid
from scigen.generators.hybrid.routes import Routes, learn, read_routes, write_routes

__all__ = ["Hybrid", "Routes", "learn", "read_routes", "write_routes"]
