"""TELL what was found, planned, done and proved: as text, as JSON, as a page. Pure."""
