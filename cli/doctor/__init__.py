"""`selfheal doctor`: whether an account can do what an incident would need."""
