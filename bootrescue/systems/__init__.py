"""READ installed systems: what is /, /boot and the ESP, which kernels there are, and which modules belong to them."""
