"""Boot entries with each file as a path of the target; what cannot be followed is said to be so."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from bootrescue.boot.grub_entries import collect_grub_entries, grub_path
from bootrescue.boot.model import BootEntry
from bootrescue.filesystems.tree import MemoryTree
from tests.chain_builders import BOOT_UUID, IMAGE, OTHER_UUID, RELEASE, ROOT_UUID, Machine, menu_entry

TWIN = "menuentry '{0}' --id same {{\n linux /boot/vmlinuz-{1}\n}}\n"


def entries(machine: Machine) -> tuple[BootEntry, ...]:
    """All entries."""
    return tuple(entry for reading in collect_grub_entries(machine.system()) for entry in reading.entries)


def test_an_entry_tells_where_it_is_written_and_what_it_names() -> None:
    (entry,) = entries(Machine(grub="# comment\n" + menu_entry("Debian", IMAGE)))
    assert (entry.title, entry.source_line, entry.source_offset, entry.default) == ("Debian", 2, 10, True)
    assert (entry.kernel_release, entry.kernel_problem) == (RELEASE, "")
    (initrd,) = entry.initrds
    assert (str(initrd.path), initrd.exists, len(initrd.sha256)) == (IMAGE, True, 64)


@pytest.mark.parametrize("search", ["", BOOT_UUID, BOOT_UUID.upper()])
def test_a_boot_of_its_own_is_grubs_root(search: str) -> None:
    grub = menu_entry("Debian", IMAGE.removeprefix("/boot"), search=search).replace("linux /boot", "linux ")
    (entry,) = entries(Machine(separate_boot=True, grub=grub))
    assert (str(entry.kernel.path), str(entry.initrds[0].path)) == (f"/boot/vmlinuz-{RELEASE}", IMAGE)
    assert grub_path(Machine(separate_boot=True).system(), PurePosixPath(IMAGE)) == IMAGE.removeprefix("/boot")


@pytest.mark.parametrize("written", ["(hd1,gpt1)/initrd.img", "initrd.img"])
def test_a_name_with_a_device_of_its_own_is_not_followed(written: str) -> None:
    (entry,) = entries(Machine(grub=menu_entry("Debian", written)))
    assert (entry.initrds[0].path, entry.initrds[0].exists) == (None, False)


def test_a_disk_that_is_not_here_is_not_followed_and_its_kernel_not_called_missing() -> None:
    (entry,) = entries(Machine(grub=menu_entry("Debian", IMAGE, search=OTHER_UUID)))
    assert (entry.kernel.path, entry.kernel_problem) == (None, "")


def test_a_link_is_told_by_what_it_leads_to() -> None:
    machine = Machine(grub=menu_entry("Debian", "/initrd.img"))
    tree = MemoryTree(files=machine.contents(), links={"/initrd.img": IMAGE})
    readings = collect_grub_entries(replace(machine.system(), tree=tree))
    assert str(readings[0].entries[0].initrds[0].path) == IMAGE


def test_entries_with_one_id_are_told_apart_by_their_place() -> None:
    assert [entry.id for entry in entries(Machine(grub=TWIN.format("a", RELEASE) + TWIN.format("b", RELEASE)))] == [
        "0",
        "1",
    ]


def test_the_saved_default_is_read_from_the_environment_block() -> None:
    block = b"# GRUB Environment Block\nsaved_entry=b\n".ljust(1024, b"#")
    grub = 'load_env\nset default="${saved_entry}"\n' + menu_entry("a", IMAGE) + menu_entry("b", IMAGE)
    found = entries(Machine(grub=grub, files={"/boot/grub/grubenv": block}))
    assert [entry.default for entry in found] == [False, True]


def test_a_directory_is_read_with_and_without_a_boot_of_its_own() -> None:
    for prefix in ("/boot", ""):
        grub = f"menuentry 'x' {{\n search --fs-uuid --set=root {ROOT_UUID}\n linux {prefix}/vmlinuz-{RELEASE}\n}}\n"
        (entry,) = entries(Machine(root_type="directory", grub=grub))
        assert (str(entry.kernel.path), entry.kernel_release) == (f"/boot/vmlinuz-{RELEASE}", RELEASE)


def test_a_machine_without_grub_has_no_entries() -> None:
    assert entries(Machine(files={"/boot/grub/grub.cfg": None})) == ()
