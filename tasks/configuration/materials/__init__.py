"""Materials and categories: what every material must have, what refers to what, and values within their ranges."""
