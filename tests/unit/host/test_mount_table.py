"""The kernel's list of mounts, with its octal escapes."""

from pathlib import Path

from bootrescue.host.mount_table import has_mounts_in, is_mount_point, mount_table, parse_mount_table

TEXT = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
36 27 0:35 /@home /mnt/a\040b\012c\134d rw master:1 propagate_from:2 - btrfs /dev/sda2 rw
40 27 8:1 / /mnt/\303\251\377 rw - ext4 /dev/sda1 rw
nonsense

41 27
"""


def test_rows_are_read_and_other_lines_passed_over() -> None:
    rows = parse_mount_table(TEXT)
    assert [row.number for row in rows] == [22, 27, 36, 40]
    assert [row.device for row in rows] == ["0:21", "254:0", "0:35", "8:1"]
    assert rows[2].mount_point == Path("/mnt/a b\nc\\d")
    assert rows[2].source == "/dev/sda2"
    assert str(rows[3].mount_point).encode("utf-8", "surrogateescape") == b"/mnt/\xc3\xa9\xff"


def test_this_machine_has_a_root_and_proc() -> None:
    assert any(row.mount_point == Path("/") for row in mount_table())
    assert is_mount_point(Path("/proc"))
    assert not is_mount_point(Path("/proc/self"))
    assert has_mounts_in(Path("/"))


def test_a_name_that_merely_begins_alike_holds_no_mount(tmp_path: Path) -> None:
    (tmp_path / "pro").mkdir()
    assert not has_mounts_in(tmp_path / "pro")
    assert not has_mounts_in(Path("/pro"))
