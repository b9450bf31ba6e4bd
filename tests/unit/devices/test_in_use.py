"""From what is mounted to the disks below it, by numbers: names such as /dev/mapper/vg-root tell nothing."""

from pathlib import Path

import pytest

from bootrescue.devices.in_use import _numbers, disks_below
from bootrescue.host.mount_table import MountRow


def machine(tmp_path: Path) -> Path:
    """A disk sda (8:0) with sda1; nvme0n1 (259:0) with p1; a volume on both, a volume on that; md on sda1."""
    devices, numbers = tmp_path / "devices", tmp_path / "dev/block"
    numbers.mkdir(parents=True)

    def device(number: str, place: str, *slaves: str, partition: bool = False) -> None:
        directory = devices / place
        (directory / "slaves").mkdir(parents=True)
        (directory / "dev").write_text(f"{number}\n", encoding="ascii")
        if partition:
            (directory / "partition").write_text("1\n", encoding="ascii")
        for slave in slaves:
            (directory / "slaves" / Path(slave).name).symlink_to(devices / slave)
        (numbers / number).symlink_to(directory)

    device("8:0", "sda")
    device("8:1", "sda/sda1", partition=True)
    device("259:0", "nvme0n1")
    device("259:1", "nvme0n1/nvme0n1p1", partition=True)
    device("9:0", "md0", "sda/sda1")
    device("253:0", "dm-0", "sda/sda1", "nvme0n1/nvme0n1p1")
    device("253:1", "dm-1", "dm-0")
    return numbers


@pytest.mark.parametrize(
    ("number", "disks"),
    [
        ("8:0", {"8:0"}),
        ("8:1", {"8:0"}),
        ("259:1", {"259:0"}),
        ("9:0", {"9:0", "8:0"}),
        ("253:1", {"253:1", "253:0", "8:0", "259:0"}),
        ("7:7", set()),
        ("", set()),
    ],
)
def test_disks_below(tmp_path: Path, number: str, disks: set[str]) -> None:
    assert disks_below(number, machine(tmp_path)) == disks


def row(device: str, source: str, mount_point: str = "/mnt") -> MountRow:
    return MountRow(number=1, device=device, mount_point=Path(mount_point), source=source)


def test_what_a_mount_stands_on() -> None:
    own = Path("/tmp/own")  # noqa: S108 -- a name only
    assert list(_numbers(row("8:1", "/dev/root"), own)) == ["8:1"]
    assert list(_numbers(row("8:1", "/dev/loop0", "/tmp/own/001-mount"), own)) == []  # noqa: S108 -- as above
    assert list(_numbers(row("0:35", "overlay"), own)) == []
    # btrfs: no number of its own, the source's node is asked
    assert list(_numbers(row("0:35", "/dev/null"), own)) == [""]
