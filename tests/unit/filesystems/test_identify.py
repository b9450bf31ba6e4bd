"""What blkid prints, read back."""

from bootrescue.filesystems.identify import parse_export


def test_values_are_unescaped() -> None:
    text = rb"""DEVNAME=x
LABEL=a\ b\"\\\$c\'d\x0a=
UUID=18e54b54
TYPE=ext4
nonsense
"""
    assert parse_export(text) == {
        "DEVNAME": "x",
        "LABEL": "a b\"\\$c'd\n=",
        "UUID": "18e54b54",
        "TYPE": "ext4",
    }


def test_a_label_forges_no_other_value() -> None:
    assert parse_export(b"LABEL=a^JUUID=b\nUUID=real\n")["UUID"] == "real"


def test_bytes_that_are_no_text_are_kept() -> None:
    assert parse_export(b"LABEL=\xff\n")["LABEL"] == "\udcff"
