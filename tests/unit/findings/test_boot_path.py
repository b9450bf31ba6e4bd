"""The chain of proof: each way to be broken breaks its own link, and what is not known is never called bootable."""

import itertools
from dataclasses import replace

import pytest

from bootrescue.devices.model import Hardware
from bootrescue.findings.boot_path import diagnose_entry, fit_of, verdict_of
from bootrescue.findings.model import EntryDiagnosis, Fit, Link, State, Verdict
from tests.chain_builders import (
    BOOT_UUID,
    IMAGE,
    OTHER_UUID,
    RELEASE,
    ROOT_UUID,
    VIRTIO_DISK,
    VIRTIO_PCI,
    ImageRecipe,
    Machine,
    driver,
    drivers,
    file_system,
    image,
    menu_entry,
    place,
    waits_for,
)
from tests.image_builders import file

OLD_RELEASE = "5.10.0-1-amd64"
OTHER_VERMAGIC = f"{OLD_RELEASE} SMP preempt mod_unload modversions "
PROBED = "probe --set=what --label (hd0)\n"
XEN = f"""menuentry 'Xen' {{
  search --fs-uuid --set=root {ROOT_UUID}
  multiboot2 /boot/vmlinuz-{RELEASE} root=UUID={ROOT_UUID}
  module2 {IMAGE}
  module2 {IMAGE}
}}
"""


def judged(machine: Machine) -> EntryDiagnosis:
    """The only entry."""
    (entry,) = machine.diagnosis().entries
    return entry


def state_of(found: EntryDiagnosis, name: str) -> State:
    """The state of a link."""
    (link,) = [link for link in found.chain if link.link == name]
    return link.state


def with_modules(**changed: bytes | None) -> Machine:
    """A machine whose image holds these modules; those below /lib/modules are in order."""
    return Machine(image=image(ImageRecipe(modules=drivers(**changed))))


def link(state: State) -> Link:
    """A link in a state."""
    return Link(link="x", state=state, evidence=())


@pytest.mark.parametrize("states", list(itertools.product(State, repeat=3)))
def test_only_a_whole_chain_of_proof_boots(states: tuple[State, ...]) -> None:
    verdict = verdict_of(map(link, states))
    assert (verdict is Verdict.BOOTS) is (set(states) == {State.PROVED})
    assert (verdict is Verdict.DOES_NOT_BOOT) is (State.BROKEN in states)
    assert (fit_of(map(link, states)) is Fit.FITS) is (verdict is Verdict.BOOTS)


@pytest.mark.parametrize("machine", [Machine(), Machine(separate_boot=True)])
def test_a_machine_in_order_boots(machine: Machine) -> None:
    found = machine.diagnosis()
    assert [entry.verdict for entry in found.entries] == [Verdict.BOOTS]
    assert found.findings == ()


BROKEN = {
    "kernel": Machine(files={f"/boot/vmlinuz-{RELEASE}": None}),
    "kernel ": Machine(files={f"/boot/vmlinuz-{RELEASE}": b"no kernel" * 1000}),
    "image": Machine(files={IMAGE: None}),
    "image-content": Machine(image=image()[:-2000]),
    "early-user-space": Machine(image=image(ImageRecipe(init=False))),
    "kernel-release": Machine(image=image(ImageRecipe(release=OLD_RELEASE))),
    "storage-driver": with_modules(virtio_blk=driver("virtio_blk", stripped=True)),
    "storage-driver ": with_modules(virtio=None),
    "file-system-driver": with_modules(ext4=None),
    "file-system-driver ": with_modules(jbd2=driver("jbd2", stripped=True)),
    "file-system-driver  ": with_modules(ext4=driver("ext4", vermagic=f"{RELEASE} SMP mod_unload ")),
    "identity": Machine(image=image(ImageRecipe(more=(waits_for(OTHER_UUID),)))),
    "root": Machine(grub=menu_entry("Debian", IMAGE, root=OTHER_UUID)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_part_breaks_its_link(name: str) -> None:
    found = judged(BROKEN[name])
    assert state_of(found, name.strip()) is State.BROKEN
    assert found.verdict is Verdict.DOES_NOT_BOOT


UNKNOWN = {
    "an entry without an image": Machine(grub=menu_entry("Debian", "")),
    "a variable in the image's name": Machine(grub=PROBED + menu_entry("Debian", "/boot/$what")),
    "a search for another disk": Machine(grub=menu_entry("Debian", IMAGE, search=OTHER_UUID)),
    "another /init": Machine(grub=menu_entry("Debian", IMAGE, more=" rdinit=/bin/sh")),
    "a root= by device name": Machine(grub=menu_entry("Debian", IMAGE).replace(f"UUID={ROOT_UUID}", "/dev/sda2")),
    "no /lib/modules": Machine(installed={}, files={f"/lib/modules/{RELEASE}/{name}": None for name in (
        "modules.dep", "modules.builtin", "modules.alias",
    )}),
    "a disk on an unknown way": Machine(hardware=Hardware()),
    "a part that no driver answers to": Machine(hardware=Hardware(modaliases=(VIRTIO_DISK, "pci:v0000DEADbc01"))),
    "no modules.builtin, and the driver in no image": replace(
        with_modules(virtio_blk=None, ext4=None), files={f"/lib/modules/{RELEASE}/modules.builtin": None}
    ),
    "a driver of another kernel": with_modules(ext4=driver("ext4", vermagic=OTHER_VERMAGIC)),
    "a soft dependency left out": with_modules(ext4=driver("ext4", info=("softdep=pre: crc32c",))),
    "a root of an unknown type": Machine(root_type="zfs_member"),
    "a root that stands twice": Machine(others=(file_system(ROOT_UUID, "ext4", "sdb2"),)),
    "another root in its own command line": Machine(
        image=image(ImageRecipe(more=(file("etc/cmdline.d/95root.conf", f"root=UUID={OTHER_UUID}".encode()),)))
    ),
    "a wait for what a locked container may hold": Machine(
        image=image(ImageRecipe(more=(waits_for(OTHER_UUID),))), others=(file_system("x", "crypto_LUKS", "sdb1"),)
    ),
    "a root that a locked container may hold": Machine(
        grub=menu_entry("Debian", IMAGE, root=OTHER_UUID), others=(file_system("x", "LVM2_member", "sdb1"),)
    ),
    "Xen, which starts the kernel itself": Machine(
        grub=XEN
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_never_called_bootable_nor_broken(name: str) -> None:
    found = judged(UNKNOWN[name])
    assert found.verdict is Verdict.UNKNOWN, [(link.link, link.state, link.evidence) for link in found.chain]


def test_a_configuration_that_could_not_be_followed_is_unknown() -> None:
    chain = Machine().chain()
    puzzled = replace(chain.configurations[0], problems=("line 3: unknown command",))
    found = diagnose_entry(replace(chain, configurations=(puzzled,)), chain.entries[0])
    assert (state_of(found, "configuration"), found.verdict) == (State.UNKNOWN, Verdict.UNKNOWN)


def test_an_image_that_cannot_be_read_is_unknown() -> None:
    chain = Machine().chain()
    found = diagnose_entry(replace(chain, images=()), chain.entries[0])
    assert state_of(found, "image-content") is State.UNKNOWN
    assert found.verdict is Verdict.UNKNOWN


def test_an_image_without_a_decoder_is_unknown() -> None:
    packed_by_lzo = b"\x89LZO\0\r\n\x1a\n" + bytes(range(1, 255)) * 40
    found = judged(Machine(image=packed_by_lzo))
    assert state_of(found, "image-content") is State.UNKNOWN


def test_what_is_built_in_need_not_be_in_the_image() -> None:
    healthy = Machine(
        image=image(ImageRecipe(modules=drivers(ext4=None, jbd2=None, virtio=None))), builtin=("ext4", "virtio")
    )
    assert judged(healthy).verdict is Verdict.BOOTS


def test_drivers_that_need_each_other_in_a_circle_come_to_an_end() -> None:
    circle = with_modules(virtio=driver("virtio", info=("depends=virtio_blk",)))
    assert judged(circle).verdict is Verdict.BOOTS


def test_copies_that_disagree_leave_it_open_which_one_is_loaded() -> None:
    modules = {**drivers(), "updates/virtio_blk.ko": driver("virtio_blk", stripped=True)}
    found = judged(Machine(image=image(ImageRecipe(modules=modules))))
    assert state_of(found, "storage-driver") is State.UNKNOWN


def test_a_module_of_another_release_in_the_image_does_not_count() -> None:
    other = file(f"usr/lib/modules/{OLD_RELEASE}/kernel/ext4.ko", driver("ext4"))
    found = judged(Machine(image=image(ImageRecipe(modules=drivers(ext4=None), more=(other,)))))
    assert state_of(found, "file-system-driver") is State.BROKEN


def test_a_module_is_known_by_its_file_name_as_modprobe_knows_it() -> None:
    found = judged(with_modules(ext4=driver("xfs"), jbd2=driver("ext4")))
    assert state_of(found, "file-system-driver") is State.PROVED
    liar = {**drivers(ext4=None), "kernel/liar.ko": driver("ext4")}
    assert state_of(judged(Machine(image=image(ImageRecipe(modules=liar)))), "file-system-driver") is State.BROKEN


def test_a_soft_dependency_may_be_met_by_an_alias() -> None:
    modules = {
        **drivers(ext4=driver("ext4", info=("softdep=pre: crc32c",))),
        "kernel/crypto/crc32c_generic.ko": driver("crc32c_generic"),
    }
    machine = Machine(
        image=image(ImageRecipe(modules=modules)), aliases=(*Machine().aliases, ("crc32c", "crc32c_generic"))
    )
    assert judged(machine).verdict is Verdict.BOOTS


def test_of_several_drivers_for_one_part_one_in_the_image_is_enough() -> None:
    machine = Machine(
        aliases=(*Machine().aliases, ("virtio:d00000002v*", "i40e")),
        image=image(ImageRecipe(modules=drivers(i40e=None))),
    )
    assert judged(machine).verdict is Verdict.BOOTS
    refused = replace(machine, image=image(ImageRecipe(modules=drivers(i40e=driver("i40e", stripped=True)))))
    assert judged(refused).verdict is Verdict.UNKNOWN


def test_a_bridge_needs_no_driver() -> None:
    bridge = "pci:v00008086d00001237sv00001AF4sd00001100bc06sc00i00"
    assert judged(Machine(hardware=Hardware(modaliases=(VIRTIO_DISK, VIRTIO_PCI, bridge)))).verdict is Verdict.BOOTS


def test_a_disk_image_is_judged_for_an_assumed_machine() -> None:
    assumed = Hardware(modaliases=(VIRTIO_DISK,), assumed=True)
    assert judged(Machine(hardware=assumed)).verdict is Verdict.BOOTS
    missing = replace(with_modules(virtio_blk=None), hardware=assumed)
    assert state_of(judged(missing), "storage-driver") is State.UNKNOWN
    stripped = replace(with_modules(virtio_blk=driver("virtio_blk", stripped=True)), hardware=assumed)
    assert state_of(judged(stripped), "storage-driver") is State.BROKEN


@pytest.mark.parametrize(
    "root", [f"UUID={ROOT_UUID.upper()}", "PARTUUID=ABCD-02", "LABEL=label-2", f"/dev/disk/by-uuid/{ROOT_UUID}"]
)
def test_the_root_may_be_named_in_several_ways(root: str) -> None:
    grub = menu_entry("Debian", IMAGE).replace(f"root=UUID={ROOT_UUID}", f"root={root}")
    assert state_of(judged(Machine(grub=grub)), "root") is State.PROVED


def test_without_a_search_grub_looks_where_it_was_told_to() -> None:
    elsewhere = menu_entry("Debian", IMAGE, search="").replace("{\n", "{\n  set root='hd0,gpt7'\n")
    assert state_of(judged(Machine(grub=elsewhere)), "kernel") is State.UNKNOWN
    here = menu_entry("Debian", IMAGE, search="").replace("{\n", "{\n  set root='hd0,gpt2'\n")
    assert judged(Machine(grub=here)).verdict is Verdict.BOOTS


def test_an_image_that_waits_for_this_machines_disks_is_ours() -> None:
    ours = Machine(image=image(ImageRecipe(more=(waits_for(ROOT_UUID), waits_for(BOOT_UUID)))), separate_boot=True)
    assert judged(ours).verdict is Verdict.BOOTS


def test_the_evidence_of_a_broken_link_is_only_what_is_broken() -> None:
    found = judged(with_modules(virtio_blk=driver("virtio_blk", stripped=True)))
    (broken,) = [link for link in found.chain if link.state is State.BROKEN]
    assert [one.text for one in broken.evidence] == [
        "the kernel would say: virtio_blk: module has no symbols (stripped?)"
    ]
    assert broken.evidence[0].path == f"{IMAGE}!usr/lib/modules/{RELEASE}/{place('virtio_blk')}"


def test_a_cut_image_is_told_with_the_offset_of_the_segment() -> None:
    whole = Machine().chain().images[0].image
    (broken,) = [link for link in judged(Machine(image=image()[:-2000])).chain if link.state is State.BROKEN]
    assert broken.evidence[0].offset == whole.segments[1].offset


def test_of_two_images_the_broken_one_is_named() -> None:
    grub = menu_entry("Debian", f"/boot/microcode.img {IMAGE}")
    found = Machine(grub=grub, files={"/boot/microcode.img": image()[:-2000]}).diagnosis()
    assert [finding.subject for finding in found.findings] == ["/boot/microcode.img"]


def test_a_bus_driver_built_in_without_an_alias_is_known_by_its_name() -> None:
    """Debian 13 builds virtio_pci in, and modules.builtin.modinfo has aliases not before Linux 6.18."""
    disk_only = (("virtio:d00000002v*", "virtio_blk"),)
    known = Hardware(modaliases=(VIRTIO_DISK, VIRTIO_PCI), drivers=((VIRTIO_PCI, "virtio_pci"),))

    built_in = Machine(aliases=disk_only, hardware=known, builtin=("virtio_pci",))
    assert state_of(judged(built_in), "storage-driver") is State.PROVED
    elsewhere = Machine(aliases=disk_only, hardware=known)
    assert state_of(judged(elsewhere), "storage-driver") is State.UNKNOWN
