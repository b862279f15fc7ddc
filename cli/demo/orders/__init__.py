"""The demonstration of the orders service: an outage, a bad deployment, and no order lost."""
