"""Which backup is right: each candidate's fit for one entry, and an order among those that fit."""

from collections.abc import Iterable

from bootrescue.boot.model import BootChain, BootEntry, Candidate, ImageFacts
from bootrescue.findings.boot_path import fit_of, image_links, image_of
from bootrescue.findings.model import Fit, ImageChange, JudgedCandidate

_FIT_ORDER = {Fit.FITS: 0, Fit.UNKNOWN: 1, Fit.DOES_NOT_FIT: 2}


def judge_candidates(chain: BootChain, entry: BootEntry) -> tuple[JudgedCandidate, ...]:
    """Judge every image but the entry's own, best first.

    First by fit; then images that no entry uses before images that belong to another entry; then those that share
    most modules with what the entry uses now; then the newest.
    """
    own = {file.sha256 for file in entry.initrds}
    current = image_of(chain, entry)
    judged = []
    for candidate in chain.candidates:
        if candidate.facts.image.sha256 in own:
            continue
        links = image_links(chain, entry, candidate.facts)
        change = compare(current, candidate.facts) if current is not None else ImageChange()
        judged.append((_standing(fit_of(links), candidate, change), candidate, links, change))
    judged.sort(key=lambda item: item[0])
    ranks = sorted({item[0] for item in judged})
    return tuple(
        JudgedCandidate(
            candidate=candidate,
            fit=fit_of(links),
            reasons=tuple(links),
            compared=change,
            rank=ranks.index(standing) + 1,
        )
        for standing, candidate, links, change in judged
    )


def _standing(fit: Fit, candidate: Candidate, change: ImageChange) -> tuple[int, int, int, int]:
    different = len(change.modules_added) + len(change.modules_removed)
    return (_FIT_ORDER[fit], len(candidate.used_by) > 0, different, -candidate.facts.modified_ns)


def compare(old: ImageFacts, new: ImageFacts) -> ImageChange:
    """Which modules come, go and change when one image takes another's place."""
    before = _digests(old)
    after = _digests(new)
    return ImageChange(
        modules_added=tuple(sorted(after.keys() - before.keys())),
        modules_removed=tuple(sorted(before.keys() - after.keys())),
        modules_changed=tuple(sorted(name for name in before.keys() & after.keys() if before[name] != after[name])),
    )


def _digests(image: ImageFacts) -> dict[str, str]:
    return {found.module.name: found.module.sha256 for found in image.modules}


def best(judged: Iterable[JudgedCandidate]) -> tuple[JudgedCandidate, ...]:
    """Those that fit and share the best rank: one is an answer, several are a question to the operator."""
    fitting = [found for found in judged if found.fit is Fit.FITS]
    top = min((found.rank for found in fitting), default=0)
    return tuple(found for found in fitting if found.rank == top)
