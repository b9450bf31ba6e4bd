"""GRUB script: a lossless tree over bytes, and edits of single words in it."""
