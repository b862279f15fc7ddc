"""The orders service: what becomes of an order, from the queue at its door to its end."""
