"""The loop of detecting and healing as components: Detection, Healer, and what they are made of."""
