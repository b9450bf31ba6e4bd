"""Values that describe file systems."""

from dataclasses import dataclass

from bootrescue.devices.model import NOT_KNOWN, Hardware, Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """What libblkid names in a block device.

    Attributes:
        uuid: as in `UUID=`; empty when it has none.
        type: as in fstab (`ext4`, `xfs`, `vfat`), or what else libblkid saw (`crypto_LUKS`, `LVM2_member`).
        device: the block device's name, as shown to the operator.
        partition_uuid: as in `PARTUUID=`; empty when the device is no partition.
        grub_partition: as in `(hd0,gpt2)`, here `gpt2`; empty when the device is no partition.
    """

    uuid: str
    type: str
    label: str
    device: str
    piece: Slice
    size_bytes: int
    partition_uuid: str = ""
    grub_partition: str = ""
    hardware: Hardware = NOT_KNOWN
