"""WRITE: the only layer that changes a target. Journal, backup, apply, undo."""
