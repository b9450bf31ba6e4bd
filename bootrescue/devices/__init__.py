"""READ block devices: disks, partitions, disk images, and the hardware on the way to them."""
