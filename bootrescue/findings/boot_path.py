"""The chain of proof for one entry: loader, kernel, image, early user space, drivers, root, identity.

The verdict follows from the links by one rule: one broken link means the entry does not boot; all proved means it
boots; anything else is unknown.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bootrescue.boot.model import BootChain, BootEntry, ImageFacts, ModulesFacts
from bootrescue.findings.drivers import drivers_for, judge_driver
from bootrescue.findings.identity import identity_link
from bootrescue.findings.model import EntryDiagnosis, Evidence, Fit, Link, State, Verdict
from bootrescue.formats.initramfs import Acceptance

# The module that serves each root file system (fs/*/Makefile, Linux 6.12: ext4 serves ext2 and ext3 as well)
FILE_SYSTEM_DRIVER: Final = {
    "ext2": "ext4",
    "ext3": "ext4",
    "ext4": "ext4",
    "xfs": "xfs",
    "btrfs": "btrfs",
    "f2fs": "f2fs",
}


def diagnose_entry(chain: BootChain, entry: BootEntry) -> EntryDiagnosis:
    """Judge one entry with the images it names now."""
    image = image_of(chain, entry)
    links = [_configuration_link(chain, entry), _kernel_link(entry), *_file_links(entry)]
    if image is not None:
        links += image_links(chain, entry, image)
    links.append(_root_link(chain, entry))
    return EntryDiagnosis(entry=entry, verdict=verdict_of(links), chain=tuple(links))


def verdict_of(links: Iterable[Link]) -> Verdict:
    """One broken link: does not boot. All proved: boots. Else unknown."""
    states = {link.state for link in links}
    if State.BROKEN in states:
        return Verdict.DOES_NOT_BOOT
    return Verdict.UNKNOWN if State.UNKNOWN in states else Verdict.BOOTS


def fit_of(links: Iterable[Link]) -> Fit:
    """The same rule, for an image that no entry uses yet."""
    as_fit = {Verdict.BOOTS: Fit.FITS, Verdict.DOES_NOT_BOOT: Fit.DOES_NOT_FIT, Verdict.UNKNOWN: Fit.UNKNOWN}
    return as_fit[verdict_of(links)]


def image_of(chain: BootChain, entry: BootEntry) -> ImageFacts | None:
    """The entry's images as the kernel gets them: one after another, as one. None when one cannot be read."""
    parts = [chain.image_at(file.path) for file in entry.initrds]
    found = [part for part in parts if part is not None]
    if not found or len(found) != len(parts):
        return None
    return joined(found)


def joined(images: list[ImageFacts]) -> ImageFacts:
    """Several images handed over together; microcode comes first, so the last one gives the name."""
    *before, last = images
    for image in reversed(before):
        last = replace(
            last,
            image=last.image if image.image.complete else replace(image.image, sha256=last.image.sha256),
            has_init=last.has_init or image.has_init,
            modules=(*image.modules, *last.modules),
            kernel_releases=tuple(sorted({*image.kernel_releases, *last.kernel_releases})),
            texts={**image.texts, **last.texts},
            names=image.names | last.names,
        )
    return last


def image_links(chain: BootChain, entry: BootEntry, image: ImageFacts) -> list[Link]:
    """The links that depend on the image: also what proves that a backup fits."""
    links = [_complete_link(image), _init_link(image), _release_link(entry, image)]
    modules = chain.modules_of(entry.kernel_release)
    if modules is None or modules.directory is None:
        text = f"without /lib/modules/{entry.kernel_release or '?'} the drivers cannot be judged"
        links.append(_link("drivers", State.UNKNOWN, str(image.path), text))
    else:
        links += [_storage_link(chain, image, modules), _file_system_link(chain, image, modules)]
    links.append(identity_link(chain, image))
    return links


def _link(name: str, state: State, path: str, text: str) -> Link:
    return Link(link=name, state=state, evidence=(Evidence(path=path, text=text),))


def _configuration_link(chain: BootChain, entry: BootEntry) -> Link:
    place = f"{entry.source_path}"
    problems = [found for read in chain.configurations if read.path == entry.source_path for found in read.problems]
    text = f"entry '{entry.title}' in line {entry.source_line}"
    if problems:
        evidence = (Evidence(path=place, text=text), *(Evidence(path=place, text=problem) for problem in problems))
        return Link(link="configuration", state=State.UNKNOWN, evidence=evidence)
    return _link("configuration", State.PROVED, place, text)


def _kernel_link(entry: BootEntry) -> Link:
    kernel = entry.kernel
    shown = str(kernel.path or kernel.written)
    if kernel.path is None:
        return _link("kernel", State.UNKNOWN, shown, "lies on a file system that is not part of this system")
    if not kernel.exists:
        return _link("kernel", State.BROKEN, shown, "the entry names a kernel that is not there")
    if entry.kernel_problem:
        return _link("kernel", State.BROKEN, shown, entry.kernel_problem)
    return _link("kernel", State.PROVED, shown, f"release {entry.kernel_release}, {kernel.size_bytes} bytes")


def _file_links(entry: BootEntry) -> list[Link]:
    if not entry.initrds:
        return [_link("image", State.UNKNOWN, str(entry.source_path), "the entry hands over no initramfs image")]
    links = []
    for file in entry.initrds:
        shown = str(file.path or file.written)
        if file.path is None:
            links.append(_link("image", State.UNKNOWN, shown, "lies on a file system that is not part of this system"))
        elif not file.exists:
            links.append(_link("image", State.BROKEN, shown, "the entry names an image that is not there"))
        else:
            links.append(_link("image", State.PROVED, shown, f"{file.size_bytes} bytes, SHA-256 {file.sha256[:16]}…"))
    return links


def _complete_link(facts: ImageFacts) -> Link:
    image = facts.image
    path = str(facts.path)
    if not image.complete or image.kernel_view.accepted is Acceptance.REFUSED:
        texts = [*image.problems, image.kernel_view.message]
        found = tuple(Evidence(path=path, text=text) for text in dict.fromkeys(filter(None, texts)))
        whole = (Evidence(path=path, text="the image is not complete"),)
        return Link(link="image-content", state=State.BROKEN, evidence=found or whole)
    if image.kernel_view.accepted is Acceptance.PARTLY:
        return _link("image-content", State.UNKNOWN, path, image.kernel_view.message)
    segments = ", ".join(f"{segment.role} {segment.codec}" for segment in image.segments)
    return _link("image-content", State.PROVED, path, f"complete: {segments}")


def _init_link(facts: ImageFacts) -> Link:
    if facts.has_init:
        return _link("early-user-space", State.PROVED, f"{facts.path}!init", f"made by {facts.generator}")
    text = "there is no /init: the kernel would say VFS: Unable to mount root fs"
    return _link("early-user-space", State.BROKEN, str(facts.path), text)


def _release_link(entry: BootEntry, facts: ImageFacts) -> Link:
    path = str(facts.path)
    if entry.kernel_release and entry.kernel_release in facts.kernel_releases:
        return _link("kernel-release", State.PROVED, path, f"holds modules for {entry.kernel_release}")
    if not entry.kernel_release or not facts.kernel_releases:
        return _link("kernel-release", State.UNKNOWN, path, "the releases of kernel and image could not be compared")
    held = ", ".join(facts.kernel_releases)
    return _link(
        "kernel-release", State.BROKEN, path, f"holds modules for {held}, the kernel is {entry.kernel_release}"
    )


def _file_system_link(chain: BootChain, image: ImageFacts, modules: ModulesFacts) -> Link:
    root = chain.system.root
    name = FILE_SYSTEM_DRIVER.get(root.type)
    if name is None:
        return _link("file-system-driver", State.UNKNOWN, root.device, f"no driver is known for {root.type}")
    driver = judge_driver(name, image, modules)
    found = Evidence(path=root.device, text=f"the root file system is {root.type}")
    return Link(link="file-system-driver", state=driver.state, evidence=(found, *driver.evidence))


def _storage_link(chain: BootChain, image: ImageFacts, modules: ModulesFacts) -> Link:
    """The drivers that the way to the disk asks for.

    For a disk image the way is that of the boot proof, an assumption: a driver that is there and cannot load is
    broken all the same, but one that is missing says only that nothing is known.
    """
    hardware = chain.hardware
    names = sorted({name for modalias in hardware.modaliases for name in drivers_for(modalias, modules)})
    if not names:
        return _link("storage-driver", State.UNKNOWN, chain.system.root.device, "the way to the disk is not known")
    evidence: list[Evidence] = []
    states = set()
    for name in names:
        driver = judge_driver(name, image, modules)
        absent = name not in modules.builtin and image.module(name) is None
        states.add(State.UNKNOWN if hardware.assumed and absent else driver.state)
        evidence += driver.evidence
    if hardware.assumed:
        text = "a disk image: judged for the virtio disk of the boot proof"
        evidence.insert(0, Evidence(path=chain.system.root.device, text=text))
    worst = State.BROKEN if State.BROKEN in states else State.UNKNOWN if State.UNKNOWN in states else State.PROVED
    return Link(link="storage-driver", state=worst, evidence=tuple(evidence))


def _root_link(chain: BootChain, entry: BootEntry) -> Link:
    arguments = [word for word in entry.command_line.split() if word.startswith("root=")]
    shown = str(entry.source_path)
    if not arguments:
        return _link("root", State.UNKNOWN, shown, "the command line has no root=")
    wanted = arguments[-1].removeprefix("root=")
    kind, equals, value = wanted.partition("=")
    if not equals or kind.upper() != "UUID":
        return _link("root", State.UNKNOWN, shown, f"root={wanted} is not followed to a file system")
    if value.lower() == chain.system.root.uuid.lower():
        return _link("root", State.PROVED, chain.system.root.device, f"root={wanted} is this system's root")
    if value.lower() in chain.file_system_uuids:
        return _link("root", State.UNKNOWN, shown, f"root={wanted} is another system's root")
    return _link("root", State.BROKEN, shown, f"root={wanted} names no file system that was found")
