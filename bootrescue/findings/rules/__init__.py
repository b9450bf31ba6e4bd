"""One file per rule; each documents itself in its docstring and offers `check`."""
