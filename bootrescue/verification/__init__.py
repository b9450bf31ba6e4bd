"""PROVE: what was written is read back, GRUB sees it, and the machine boots with it."""
