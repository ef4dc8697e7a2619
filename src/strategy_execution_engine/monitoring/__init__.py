"""Watches what clients, caches and the service do; importing this package loads none of its modules."""
