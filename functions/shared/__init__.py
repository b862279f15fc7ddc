"""What every function uses; zipped into each of them."""
