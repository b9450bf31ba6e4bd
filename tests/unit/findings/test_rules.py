"""Each rule: a machine that is broken in that way, and a healthy look-alike that stays silent."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bootrescue.devices.model import Hardware
from bootrescue.findings import rules
from bootrescue.findings.model import Severity
from tests.chain_builders import (
    IMAGE,
    OTHER_UUID,
    RELEASE,
    ROOT_UUID,
    ImageRecipe,
    Machine,
    driver,
    drivers,
    image,
    menu_entry,
    place,
    waits_for,
)
from tests.image_builders import file

STRIPPED = driver("virtio_blk", stripped=True)


def packed(**changed: bytes | None) -> bytes:
    """An image with these modules."""
    return image(ImageRecipe(modules=drivers(**changed)))


# rule -> (broken, severity, subject, healthy look-alike)
CASES: Mapping[str, tuple[Machine, Severity, str, Machine]] = {
    "kernel-missing": (
        Machine(files={f"/boot/vmlinuz-{RELEASE}": None}),
        Severity.FATAL,
        f"/boot/vmlinuz-{RELEASE}",
        Machine(files={"/boot/vmlinuz-old": b"no kernel"}),
    ),
    "image-missing": (
        Machine(files={IMAGE: None}),
        Severity.FATAL,
        IMAGE,
        Machine(files={"/boot/initrd.img": None}),
    ),
    "image-damaged": (
        Machine(image=image()[:-1000]),
        Severity.FATAL,
        IMAGE,
        Machine(files={"/boot/initrd.img-old": image()[:-1000]}),
    ),
    "early-user-space-missing": (
        Machine(image=image(ImageRecipe(init=False))),
        Severity.FATAL,
        IMAGE,
        Machine(image=image(ImageRecipe(codec="zstd"))),
    ),
    "foreign-image": (
        Machine(image=image(ImageRecipe(more=(waits_for(OTHER_UUID),)))),
        Severity.FATAL,
        IMAGE,
        Machine(image=image(ImageRecipe(more=(waits_for(ROOT_UUID),)))),
    ),
    "foreign-image for another kernel": (
        Machine(image=image(ImageRecipe(release="5.10.0-1-amd64"))),
        Severity.FATAL,
        IMAGE,
        Machine(image=image(ImageRecipe(more=(file("usr/lib/modules/5.10.0-1-amd64/modules.dep"),)))),
    ),
    "foreign-image by its own command line": (
        Machine(image=image(ImageRecipe(more=(file("etc/cmdline.d/r.conf", f"root=UUID={OTHER_UUID}".encode()),)))),
        Severity.WARNING,
        IMAGE,
        Machine(image=image(ImageRecipe(more=(file("etc/cmdline.d/r.conf", f"root=UUID={ROOT_UUID}".encode()),)))),
    ),
    "module-refused": (
        Machine(image=packed(virtio_blk=STRIPPED)),
        Severity.FATAL,
        IMAGE,
        Machine(image=packed(virtio_blk=driver("virtio_blk", info=("version=9",)))),
    ),
    "module-refused that the boot does not need": (
        Machine(image=packed(i40e=driver("i40e", stripped=True))),
        Severity.WARNING,
        IMAGE,
        Machine(image=packed(i40e=None)),
    ),
    "root-driver-missing": (
        Machine(image=packed(ext4=None)),
        Severity.FATAL,
        IMAGE,
        Machine(image=packed(ext4=None), builtin=("ext4", "jbd2")),
    ),
    "root-not-found": (
        Machine(grub=menu_entry("Debian", IMAGE, root=OTHER_UUID)),
        Severity.FATAL,
        "/boot/grub/grub.cfg",
        Machine(grub=menu_entry("Debian", IMAGE, root=ROOT_UUID.upper())),
    ),
    "installed-module-refused": (
        Machine(installed=drivers(virtio_blk=STRIPPED)),
        Severity.WARNING,
        f"/lib/modules/{RELEASE}/{place('virtio_blk')}",
        Machine(installed=drivers(virtio_blk=driver("virtio_blk", info=("version=9",)))),
    ),
    "modules-missing": (
        Machine(files={f"/lib/modules/{RELEASE}/modules.dep": None}),
        Severity.WARNING,
        f"/lib/modules/{RELEASE}",
        Machine(installed=drivers(i40e=None)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_rule_finds_its_fault_with_evidence(case: str) -> None:
    machine, severity, subject, _ = CASES[case]
    (found,) = [found for found in machine.diagnosis().findings if found.rule == case.split(maxsplit=1)[0]]
    assert (found.severity, found.subject) == (severity, subject)
    assert found.evidence
    assert all(one.path.startswith("/") and one.text for one in found.evidence)


@pytest.mark.parametrize("case", CASES)
def test_a_healthy_look_alike_stays_silent(case: str) -> None:
    assert CASES[case][3].diagnosis().findings == ()


def test_every_rule_has_its_case_and_its_name() -> None:
    files = {path.stem.replace("_", "-") for path in Path(str(rules.__file__)).parent.glob("[a-z]*.py")}
    assert files == {case.split()[0] for case in CASES}


def test_the_gravest_finding_comes_first() -> None:
    machine = Machine(image=packed(virtio_blk=STRIPPED), installed=drivers(virtio_blk=STRIPPED))
    found = [(finding.rule, finding.severity) for finding in machine.diagnosis().findings]
    assert found == [("module-refused", Severity.FATAL), ("installed-module-refused", Severity.WARNING)]


def test_a_finding_names_every_entry_it_touches() -> None:
    machine = Machine(image=packed(ext4=None), grub=menu_entry("a", IMAGE) + menu_entry("b", IMAGE, more=" single"))
    (found,) = machine.diagnosis().findings
    assert found.entries == ("0", "1")


def test_a_directory_whose_disks_are_not_known_accuses_nobody() -> None:
    elsewhere = image(ImageRecipe(more=(waits_for(OTHER_UUID),)))
    found = Machine(
        image=elsewhere, root_type="directory", grub=menu_entry("Debian", IMAGE, root=OTHER_UUID)
    ).diagnosis()
    assert found.findings == ()
    assert found.entries[0].verdict == "unknown"


def test_what_the_disk_needs_is_not_denied_when_the_way_to_it_is_not_known() -> None:
    machine = Machine(image=packed(virtio_blk=STRIPPED), hardware=Hardware())

    (finding,) = [found for found in machine.diagnosis().findings if found.rule == "module-refused"]

    assert "whether the disk needs it is not known" in finding.summary
