"""THINK: from a diagnosis and a wish to steps that can be shown, refused and undone before any byte moves. Pure."""
