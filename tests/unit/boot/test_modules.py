"""What is read from /lib/modules, and what is told when it is not as it should be."""

import pytest

from bootrescue.boot.model import ModulesFacts
from bootrescue.devices.model import Hardware
from bootrescue.filesystems.tree import TEXT_LIMIT_BYTES
from tests.chain_builders import RELEASE, VIRTIO_DISK, VIRTIO_PCI, ImageRecipe, Machine, driver, drivers, image, place

TOP = f"/lib/modules/{RELEASE}"


def facts(machine: Machine) -> ModulesFacts:
    """The modules of its only kernel."""
    (found,) = machine.chain().modules
    return found


def test_a_modules_directory_in_order() -> None:
    found = facts(Machine(builtin=("crc16",)))
    assert found.problems == ()
    assert found.answers == {VIRTIO_DISK: ("virtio_blk",), VIRTIO_PCI: ("virtio_pci",)}
    assert found.builtin == {"crc16"}
    assert {copy.name for copy in found.installed} == set(driver_names())


def driver_names() -> list[str]:
    """The modules that the image carries."""
    return [path.rpartition("/")[2].removesuffix(".ko") for path in drivers()]


def test_parts_that_are_built_in_answer_too() -> None:
    modinfo = b"ahci.alias=pci:v*bc01sc06*\0ahci.license=GPL\0broken\0"
    hardware = Hardware(modaliases=("pci:v00008086d1bc01sc06i01",))
    found = facts(Machine(hardware=hardware, files={f"{TOP}/modules.builtin.modinfo": modinfo}))
    assert found.answers == {"pci:v00008086d1bc01sc06i01": ("ahci",)}


@pytest.mark.parametrize("name", ["modules.dep", "modules.builtin", "modules.alias"])
def test_an_index_too_large_is_told_and_does_not_end_the_reading(name: str) -> None:
    found = facts(Machine(files={f"{TOP}/{name}": b"#" * (TEXT_LIMIT_BYTES + 1)}))
    assert any(name in problem for problem in found.problems)


def test_a_missing_index_is_told() -> None:
    found = facts(Machine(files={f"{TOP}/modules.dep": None, f"{TOP}/modules.builtin": None}))
    assert (found.index_sha256, found.builtin_known) == ("absent", False)
    assert "modules.dep is missing" in found.problems


def test_a_module_that_the_index_names_and_is_not_there_is_told() -> None:
    found = facts(Machine(files={f"{TOP}/{place('ext4')}": None}))
    assert found.problems == (f"modules.dep names {TOP}/{place('ext4')}, which is missing",)


def test_only_modules_that_an_image_carries_are_read() -> None:
    found = facts(Machine(image=image(ImageRecipe(modules=drivers(i40e=None)))))
    assert "i40e" not in {copy.name for copy in found.installed}


def test_soft_dependencies_are_asked_for_before_and_not_after() -> None:
    soft = driver("ext4", info=("softdep=pre: crc32c foo post: bar",))
    found = facts(
        Machine(image=image(ImageRecipe(modules=drivers(ext4=soft))), aliases=(("crc32c*", "crc32c-generic"),))
    )
    assert found.answers["crc32c"] == ("crc32c_generic",)
    assert "bar" not in found.answers
