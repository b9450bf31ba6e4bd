"""bootrescue: find out why a Linux machine no longer boots, put it right, and prove it."""

__version__ = "0.1.0"
