"""What depmod writes."""

import pytest

from bootrescue.formats.module_index import (
    match_modalias,
    parse_modules_alias,
    parse_modules_builtin,
    parse_modules_dep,
    render_modules_dep,
)

DEP = b"""\
kernel/drivers/block/virtio-blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz
kernel/drivers/virtio/virtio.ko.xz:
"""


def test_modules_dep() -> None:
    index = parse_modules_dep(DEP)
    path = "kernel/drivers/block/virtio-blk.ko.xz"
    assert index.paths == {"virtio_blk": path, "virtio": "kernel/drivers/virtio/virtio.ko.xz"}
    assert index.depends[path] == ("kernel/drivers/virtio/virtio_ring.ko.xz", "kernel/drivers/virtio/virtio.ko.xz")
    assert index.problems == ()
    assert render_modules_dep(index.depends) == DEP


@pytest.mark.parametrize("data", [b"", b"\n\n", b"# only a comment\n"])
def test_empty_modules_dep_is_told(data: bytes) -> None:
    assert parse_modules_dep(data).problems == ("it names no module",)


def test_lines_that_make_no_sense_are_told_by_number() -> None:
    index = parse_modules_dep(b"a.ko:\n\nno colon here\n: b.ko\nupdates/a.ko:\n")
    assert index.problems == (
        "line 3 has no path and colon",
        "line 4 has no path and colon",
        "line 5 names module a a second time",
    )
    assert index.paths == {"a": "updates/a.ko"}


def test_bytes_that_are_no_text_survive() -> None:
    data = b"kernel/\xff\xfe.ko: \x80.ko\n"
    assert render_modules_dep(parse_modules_dep(data).depends) == data


def test_builtin_names() -> None:
    assert parse_modules_builtin(b"kernel/fs/ext4/ext4.ko\nkernel/lib/crc-t10dif.ko\n") == {"ext4", "crc_t10dif"}


ALIASES = parse_modules_alias(
    b"# Aliases extracted from modules themselves.\n"
    b"alias pci:v00008086d000015B8sv*sd*bc*sc*i* e1000e\n"
    b"alias pci:v00008086d*sv*sd*bc02sc*i* generic-nic\n"
    b"alias fs-ext4 ext4\n"
    b"alias cpu:type:x86,ven0000fam0006mod00[0-9A]F:feature:* intel-thing\n"
    b"alias broken\nnonsense line here\n"
)


def test_alias_lines_with_a_wrong_shape_are_passed_over() -> None:
    assert [module for _, module in ALIASES] == ["e1000e", "generic_nic", "ext4", "intel_thing"]


@pytest.mark.parametrize(
    ("modalias", "modules"),
    [
        ("pci:v00008086d000015B8sv00001028sd00000869bc02sc00i00", ("e1000e", "generic_nic")),
        ("fs_ext4", ("ext4",)),
        ("fs-ext4", ("ext4",)),
        ("fs-ext3", ()),
        ("cpu:type:x86,ven0000fam0006mod00AF:feature:,0000", ("intel_thing",)),
        ("cpu:type:x86,ven0000fam0006mod00BF:feature:,0000", ()),
    ],
)
def test_modalias_is_matched_as_kmod_does(modalias: str, modules: tuple[str, ...]) -> None:
    assert match_modalias(ALIASES, modalias) == modules
