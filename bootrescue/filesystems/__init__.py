"""READ file systems, and a confined view into each."""
