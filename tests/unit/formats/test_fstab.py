"""fstab files, and lines that are none."""

from pathlib import PurePosixPath

from bootrescue.formats.fstab import parse_fstab

TEXT = rb"""# /etc/fstab
/dev/mapper/centos-root /                       xfs     defaults        0 0
UUID=1b6c2f0e-93f7 /boot	xfs	defaults,nofail	0 2
LABEL="my\040data" /mnt/with\040blank\134slash ext4
 UUID=5E2A-1C77 /boot/efi vfat umask=0077,shortname=winnt 0 1  # comment
/dev/sda3 none swap sw
//server/share /srv cifs credentials=/etc/x,,vers=3 0
"""


def test_a_usual_file() -> None:
    fstab = parse_fstab(TEXT)
    assert fstab.problems == ()
    assert [str(entry.mount_point) for entry in fstab] == [
        "/",
        "/boot",
        r"/mnt/with blank\slash",
        "/boot/efi",
        "none",
        "/srv",
    ]
    assert [entry.line for entry in fstab] == [2, 3, 4, 5, 6, 7]
    boot = fstab.entries[1]
    assert (boot.tag, boot.tag_value, boot.type, boot.options) == (
        "UUID",
        "1b6c2f0e-93f7",
        "xfs",
        ("defaults", "nofail"),
    )
    assert (boot.dump, boot.passno) == (0, 2)
    assert (fstab.entries[2].tag, fstab.entries[2].tag_value) == ("LABEL", "my data")
    assert fstab.entries[2].options == ()
    assert fstab.entries[5].options == ("credentials=/etc/x", "vers=3")
    assert fstab.entries[0].tag == ""
    assert fstab.entries[0].mount_point == PurePosixPath("/")


def test_bad_lines_are_named_and_the_rest_is_read() -> None:
    fstab = parse_fstab(
        b"UUID=1\nUUID=2 /a\nUUID=3 /b ext4 defaults x 0\nUUID=\xff /c xfs defaults 0 0 extra\nx /d\0 xfs\n"
    )
    assert [entry.spec for entry in fstab] == ["UUID=3", "UUID=\udcff"]
    assert [problem.split(":")[0] for problem in fstab.problems] == [f"line {number}" for number in range(1, 6)]


def test_dos_line_ends_and_a_missing_last_newline() -> None:
    fstab = parse_fstab(b"\xef\xbb\xbfUUID=1 / ext4 defaults 0 1\r\n\r\nUUID=2 /home ext4")
    assert [(entry.spec, entry.passno, entry.line) for entry in fstab] == [("UUID=1", 1, 1), ("UUID=2", 0, 3)]
    assert fstab.problems == ()
