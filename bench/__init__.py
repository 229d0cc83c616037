"""How fast, how big, how many requests: one run on one machine. Nothing here is part of the product."""
