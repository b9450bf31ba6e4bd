"""Which backup is right: each candidate's fit for one entry, and an order among those that fit."""

from collections.abc import Iterable

from bootrescue.boot.model import BootChain, BootEntry, ImageFacts
from bootrescue.findings.boot_path import fit_of, image_links, image_of
from bootrescue.findings.drivers import refused_modules
from bootrescue.findings.identity import identity_link
from bootrescue.findings.model import Fit, ImageChange, JudgedCandidate, State

_FIT_ORDER = {Fit.FITS: 0, Fit.UNKNOWN: 1, Fit.DOES_NOT_FIT: 2}


def judge_candidates(chain: BootChain, entry: BootEntry) -> tuple[JudgedCandidate, ...]:
    """Judge every image but the entry's own, best first.

    First by fit; then those without modules that the kernel refuses; then images that no entry uses before images
    that belong to another entry; then those that share most modules with what the entry uses now, where that was
    made for this machine; then the newest.
    """
    own = {file.sha256 for file in entry.initrds}
    current = image_of(chain, entry)
    model = current if current is not None and _is_ours(chain, current) else None
    modules = chain.modules_of(entry.kernel_release)
    judged = []
    for candidate in chain.candidates:
        facts = candidate.facts
        if facts.image.sha256 in own:
            continue
        links = tuple(image_links(chain, entry, (facts,)))
        standing = (
            _FIT_ORDER[fit_of(links)],
            len(refused_modules(facts, modules)) if modules is not None else 0,
            len(candidate.used_by) > 0,
            _distance(model, facts),
            -facts.modified_ns,
        )
        judged.append((standing, candidate, links))
    ranks = sorted({standing for standing, _, _ in judged})
    judged.sort(key=lambda item: (item[0], item[1].paths[0]))
    return tuple(
        JudgedCandidate(
            candidate=candidate,
            fit=fit_of(links),
            reasons=links,
            compared=compare(current, candidate.facts) if current is not None else ImageChange(),
            rank=ranks.index(standing) + 1,
        )
        for standing, candidate, links in judged
    )


def _is_ours(chain: BootChain, image: ImageFacts) -> bool:
    return image.image.complete and identity_link(chain, image).state is not State.BROKEN


def _distance(model: ImageFacts | None, facts: ImageFacts) -> int:
    """How many modules come or go."""
    if model is None:
        return 0
    change = compare(model, facts)
    return len(change.modules_added) + len(change.modules_removed)


def compare(old: ImageFacts, new: ImageFacts) -> ImageChange:
    """Which modules come, go and change when one image takes another's place."""
    before = _digests(old)
    after = _digests(new)
    return ImageChange(
        modules_added=tuple(sorted(after.keys() - before.keys())),
        modules_removed=tuple(sorted(before.keys() - after.keys())),
        modules_changed=tuple(sorted(name for name in before.keys() & after.keys() if before[name] != after[name])),
    )


def _digests(image: ImageFacts) -> dict[str, frozenset[str]]:
    """Module name -> what its copies hold."""
    found: dict[str, set[str]] = {}
    for copy in image.modules:
        found.setdefault(copy.name, set()).add(copy.module.sha256)
    return {name: frozenset(digests) for name, digests in found.items()}


def best(judged: Iterable[JudgedCandidate]) -> tuple[JudgedCandidate, ...]:
    """Those that fit and share the best rank: one is an answer, several are a question to the operator."""
    fitting = [found for found in judged if found.fit is Fit.FITS]
    top = min((found.rank for found in fitting), default=0)
    return tuple(found for found in fitting if found.rank == top)
