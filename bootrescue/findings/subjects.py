"""What a rule looks at: the chain, the judged entries, and each image in use with the links judged for it."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from bootrescue.boot.model import BootChain, ImageFacts
from bootrescue.findings.boot_path import image_of
from bootrescue.findings.model import EntryDiagnosis, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedImage:
    """An image, the entries that use it, and the links that were judged for the first of them."""

    image: ImageFacts
    kernel_release: str
    entry_ids: tuple[str, ...]
    links: tuple[Link, ...]

    def link(self, name: str) -> Link | None:
        """The link of that name."""
        return next((link for link in self.links if link.link == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """All that a rule may look at."""

    chain: BootChain
    entries: tuple[EntryDiagnosis, ...]
    images: tuple[UsedImage, ...]


def subject_of(chain: BootChain, entries: tuple[EntryDiagnosis, ...]) -> Subject:
    """Bring entries that use the same images together."""
    groups: dict[tuple[PurePosixPath | str | None, ...], list[EntryDiagnosis]] = {}
    for found in entries:
        key = (found.entry.kernel_release, *(file.path for file in found.entry.initrds))
        groups.setdefault(key, []).append(found)
    images = []
    for group in groups.values():
        first = group[0]
        image = image_of(chain, first.entry)
        if image is not None:
            ids = tuple(found.entry.id for found in group)
            release = first.entry.kernel_release
            images.append(UsedImage(image=image, kernel_release=release, entry_ids=ids, links=first.chain))
    return Subject(chain=chain, entries=entries, images=tuple(images))
