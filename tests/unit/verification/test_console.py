"""Consoles in the manner of real ones: when a boot has failed for good, and which line is blamed."""

import pytest

from bootrescue.verification.console import has_ended, telling_line

LINUX = "[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) #1 SMP\n"
STRIPPED = (
    LINUX
    + "[    2.3] Run /init as init process\n"
    + "Loading, please wait...\n"
    + "[    9.339457] virtio_blk: module has no symbols (stripped?)\n"
    + "Begin: Waiting for root file system ... done.\n"
    + "Gave up waiting for root file system device.  Common problems:\n"
    + "ALERT!  UUID=800b4259-e890 does not exist.  Dropping to a shell!\n"
    + "(initramfs) "
)
LOADER_WITHOUT_KERNEL = """\
Booting `CentOS Linux'
error: file `/vmlinuz-3.10' not found.
error: you need to load the kernel first.
Press any key to continue...
Failed to boot both default and fallback entries.
"""
FAILED = {
    "stripped module": (STRIPPED, "virtio_blk: module has no symbols (stripped?)"),
    "truncated image, busybox went on": (
        LINUX
        + "[    3.5] Initramfs unpacking failed: ZSTD-compressed data is truncated\n"
        + "Loading, please wait...\nALERT!  UUID=1 does not exist.  Dropping to a shell!\n",
        "Initramfs unpacking failed: ZSTD-compressed data is truncated",
    ),
    "padded lz4 image, another cause": (
        LINUX
        + "[    1.1] Initramfs unpacking failed: Decoding failed\n[    1.2] Run /init as init process\n"
        + "mount: mounting /dev/vda3 on /root failed: No such device\n"
        + "ALERT!  UUID=1 does not exist.  Dropping to a shell!\n",
        "mount: mounting /dev/vda3 on /root failed: No such device",
    ),
    "undecodable lz4 image, nothing ran": (
        LINUX
        + "[    1.1] Initramfs unpacking failed: Decoding failed\n"
        + "[    2.0] VFS: Unable to mount root fs on unknown-block(0,0)\n"
        + "[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n",
        "Initramfs unpacking failed: Decoding failed",
    ),
    "unable to mount, newer words": (
        LINUX
        + '[ 2.1] Kernel panic - not syncing: VFS: Unable to mount root fs on "/dev/ram0" or unknown-block(1,0)\n',
        "Unable to mount root fs",
    ),
    "vermagic": (
        LINUX
        + "[    4.1] i40e: version magic '5.10.0 SMP mod_unload ' should be '6.1.0 SMP preempt mod_unload '\n"
        + "You are in emergency mode. After logging in\n",
        "version magic",
    ),
    "dracut": (
        LINUX
        + "[  31.1] dracut-initqueue[441]: Warning: dracut-initqueue timeout - starting timeout scripts\n"
        + "[  31.2] dracut Warning: Could not boot.\n",
        "timeout",
    ),
    "damaged file system, not the image": (
        LINUX
        + "[    9.1] XFS (dm-0): Corruption warning: Metadata has LSN ahead of current LSN\n"
        + "[    9.2] localhost systemd[1]: Failed to mount /sysroot.\n"
        + "Entering emergency mode. Exit the shell to continue.\n",
        "XFS (dm-0): Corruption warning",
    ),
    "loader without kernel": (
        LOADER_WITHOUT_KERNEL,
        "error: file `/vmlinuz-3.10' not found.",
    ),
    "loader lost": ("error: no such device: 1234.\nEntering rescue mode...\ngrub rescue> ", "error: no such device"),
    "firmware": ("SeaBIOS\nBooting from Hard Disk...\nNo bootable device.\n", "No bootable device."),
    "colours and prefixes": (
        "\x1b[2J\x1b[01;01H"
        + LINUX
        + "\x1b[0;31m[  4.2] Kernel pan\x1b[0mic - not syncing: No working init found.\r\n",
        "No working init found.",
    ),
}
# A search that fails before another hint succeeds, a driver for hardware that is not there, a padded image
HEALTHY = (
    "error: no such device: 0000-1111.\n"
    + LINUX
    + "[    0.1] Kernel command line: root=UUID=1 ro panic=-1 rescue=nologreplay\n"
    + "[    1.0] Trying to unpack rootfs image as initramfs...\n"
    + "[    1.1] Initramfs unpacking failed: Decoding failed\n"
    + "[    2.0] Run /init as init process\n"
    + "modprobe: ERROR: could not insert 'kvm_intel': No such device\n"
    + "[    3.0] systemd[1]: Started Emergency Shell support.\n"
    + "[    3.1] systemd[1]: Reached target Basic System.\n"
)


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_boot_has_ended_and_its_cause_is_told(name: str) -> None:
    console, cause = FAILED[name]
    assert has_ended(console.encode())
    assert cause in telling_line(console.encode())


def test_a_healthy_boot_has_not_ended() -> None:
    for end in range(len(HEALTHY)):
        assert not has_ended(HEALTHY[:end].encode())


def test_harmless_lines_are_not_blamed() -> None:
    assert "Reached target" in telling_line(HEALTHY.encode())


def test_of_several_boots_the_last_one_is_judged() -> None:
    again = STRIPPED + LINUX + "[    2.1] Kernel panic - not syncing: No working init found.\n"
    assert "No working init" in telling_line(again.encode())


def test_nothing_said_is_nothing_told() -> None:
    assert telling_line(b"") == ""
    assert telling_line(b"\x1b[0m\r\n\0") == ""
    assert not has_ended(b"")
