"""The demonstration of the orders service: a bad deployment, an outage, and no order lost."""
