"""The lab builds real bootable disks from Debian packages, boots them in QEMU, and breaks them."""
