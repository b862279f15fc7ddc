"""The shop's checkout. It knows nothing of healing and emits no metrics of its own."""

import os
import random


def handle(_event: object, _context: object) -> dict[str, object]:
    if os.environ["NEW_PRICING"] == "on" and random.random() < 0.4:
        raise ArithmeticError("the new price list has no price for this basket")
    return {"statusCode": 200, "body": "thank you"}
