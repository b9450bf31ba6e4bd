"""Bytes in, values out, and back: no paths, no processes, no clock."""
