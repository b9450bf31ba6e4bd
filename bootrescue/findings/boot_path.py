"""The chain of proof for one entry: loader, kernel, image, early user space, drivers, root, identity.

The verdict follows from the links by one rule: one broken link means the entry does not boot; all proved means it
boots; anything else is unknown.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bootrescue.boot.model import BootChain, BootEntry, ImageFacts, ModulesFacts
from bootrescue.findings.drivers import judge_driver, worst
from bootrescue.findings.identity import identity_link
from bootrescue.findings.model import EntryDiagnosis, Evidence, Fit, Link, State, Verdict
from bootrescue.findings.root import root_link
from bootrescue.findings.storage import storage_link
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

WHERE_NOT_KNOWN: Final = "cannot be followed to a file of this system"


def diagnose_entry(chain: BootChain, entry: BootEntry) -> EntryDiagnosis:
    """Judge one entry with the images it names now."""
    links = [_configuration_link(chain, entry), _kernel_link(entry), *_file_links(entry)]
    parts = parts_of(chain, entry)
    if parts:
        links += image_links(chain, entry, parts)
    elif entry.initrds:
        text = "not all of the entry's images could be read, so what they do together is not known"
        links.append(_link("image-content", State.UNKNOWN, str(entry.source_path), text))
    links.append(root_link(chain, entry))
    return EntryDiagnosis(entry=entry, verdict=verdict_of(links), chain=tuple(links))


def verdict_of(links: Iterable[Link]) -> Verdict:
    """One broken link: does not boot. All proved: boots. Else unknown."""
    as_verdict = {State.BROKEN: Verdict.DOES_NOT_BOOT, State.UNKNOWN: Verdict.UNKNOWN, State.PROVED: Verdict.BOOTS}
    return as_verdict[worst(link.state for link in links)]


def fit_of(links: Iterable[Link]) -> Fit:
    """The same rule, for an image that no entry uses yet."""
    as_fit = {Verdict.BOOTS: Fit.FITS, Verdict.DOES_NOT_BOOT: Fit.DOES_NOT_FIT, Verdict.UNKNOWN: Fit.UNKNOWN}
    return as_fit[verdict_of(links)]


def parts_of(chain: BootChain, entry: BootEntry) -> tuple[ImageFacts, ...]:
    """What is known of the entry's images, in order; nothing when one of them could not be read."""
    parts = [chain.image_at(file.path) for file in entry.initrds]
    found = tuple(part for part in parts if part is not None)
    return found if len(found) == len(parts) else ()


def image_of(chain: BootChain, entry: BootEntry) -> ImageFacts | None:
    """The entry's images as the kernel gets them: one after another, as one. None when one cannot be read."""
    parts = parts_of(chain, entry)
    return joined(parts) if parts else None


def joined(parts: tuple[ImageFacts, ...]) -> ImageFacts:
    """Several images handed over together; microcode comes first, so the last one gives the name."""
    return replace(
        parts[-1],
        has_init=any(part.has_init for part in parts),
        modules=tuple({module.path: module for part in parts for module in part.modules}.values()),
        kernel_releases=tuple(sorted({release for part in parts for release in part.kernel_releases})),
        texts={name: text for part in parts for name, text in part.texts.items()},
        names=frozenset(name for part in parts for name in part.names),
    )


def image_links(chain: BootChain, entry: BootEntry, parts: tuple[ImageFacts, ...]) -> list[Link]:
    """The links that depend on the images: also what proves that a backup fits."""
    image = joined(parts)
    links = [*map(_content_link, parts), _init_link(entry, image), _release_link(entry, image)]
    modules = chain.modules_of(entry.kernel_release)
    if modules is None or modules.directory is None:
        text = f"without /lib/modules/{entry.kernel_release or '?'} the drivers cannot be judged"
        links.append(_link("drivers", State.UNKNOWN, str(image.path), text))
    else:
        links += [storage_link(chain, image, modules), _file_system_link(chain, image, modules)]
    links.append(identity_link(chain, image))
    return links


def _link(name: str, state: State, path: str, text: str) -> Link:
    return Link(link=name, state=state, evidence=(Evidence(path=path, text=text),))


def _configuration_link(chain: BootChain, entry: BootEntry) -> Link:
    place = str(entry.source_path)
    problems = [found for read in chain.configurations if read.path == entry.source_path for found in read.problems]
    text = f"entry '{entry.title}' in line {entry.source_line}"
    if problems:
        evidence = tuple(Evidence(path=place, text=problem) for problem in problems)
        return Link(link="configuration", state=State.UNKNOWN, evidence=evidence)
    evidence = (Evidence(path=place, offset=entry.source_offset, text=text),)
    return Link(link="configuration", state=State.PROVED, evidence=evidence)


def _kernel_link(entry: BootEntry) -> Link:
    kernel = entry.kernel
    shown = str(kernel.path or kernel.written)
    if kernel.path is None:
        return _link("kernel", State.UNKNOWN, shown, WHERE_NOT_KNOWN)
    if not kernel.exists:
        return _link("kernel", State.BROKEN, shown, "the entry names a kernel that is not there")
    if entry.kernel_problem:
        return _link("kernel", State.BROKEN, shown, entry.kernel_problem)
    if not entry.kernel_release:
        return _link("kernel", State.UNKNOWN, shown, "is started in another way than Linux itself")
    return _link("kernel", State.PROVED, shown, f"release {entry.kernel_release}, {kernel.size_bytes} bytes")


def _file_links(entry: BootEntry) -> list[Link]:
    if not entry.initrds:
        return [_link("image", State.UNKNOWN, str(entry.source_path), "the entry hands over no initramfs image")]
    links = []
    for file in entry.initrds:
        shown = str(file.path or file.written)
        if file.path is None:
            links.append(_link("image", State.UNKNOWN, shown, WHERE_NOT_KNOWN))
        elif not file.exists:
            links.append(_link("image", State.BROKEN, shown, "the entry names an image that is not there"))
        else:
            links.append(_link("image", State.PROVED, shown, f"{file.size_bytes} bytes, SHA-256 {file.sha256[:16]}…"))
    return links


def _content_link(facts: ImageFacts) -> Link:
    image = facts.image
    view = image.kernel_view
    path = str(facts.path)
    texts = tuple(dict.fromkeys(filter(None, (*image.problems, view.message)))) or ("it cannot be unpacked whole",)
    at = next((segment.offset for segment in image.segments if not segment.complete), -1)
    evidence = tuple(Evidence(path=path, offset=at, text=text) for text in texts)
    if view.accepted is Acceptance.UNKNOWN:
        return Link(link="image-content", state=State.UNKNOWN, evidence=evidence)
    if not image.complete or view.accepted is Acceptance.REFUSED:
        return Link(link="image-content", state=State.BROKEN, evidence=evidence)
    if view.accepted is Acceptance.PARTLY:
        return Link(link="image-content", state=State.UNKNOWN, evidence=evidence)
    segments = ", ".join(f"{segment.role} {segment.codec}" for segment in image.segments)
    return _link("image-content", State.PROVED, path, f"complete: {segments}")


def _init_link(entry: BootEntry, facts: ImageFacts) -> Link:
    chosen = [word for word in entry.command_line.split() if word.startswith("rdinit=")]
    if chosen:
        text = f"{chosen[-1]} takes the place of /init, and is not followed"
        return _link("early-user-space", State.UNKNOWN, str(entry.source_path), text)
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
    return Link(link="file-system-driver", state=driver.state, evidence=driver.evidence)
