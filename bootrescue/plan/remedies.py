"""From a diagnosis to a plan: the image from the backup that fits, the modules from that image, the index anew."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from bootrescue.boot.model import BootEntry, EntryFile, ImageFacts, InstalledModule, ModulesFacts
from bootrescue.errors import BootRescueError, DecisionNeededError, RefusedError, UsageError
from bootrescue.findings.boot_path import image_of
from bootrescue.findings.candidates import best, judge_candidates
from bootrescue.findings.drivers import judge_module, refused_modules
from bootrescue.findings.model import Diagnosis, EntryDiagnosis, Fit, JudgedCandidate, State, Verdict
from bootrescue.plan.model import (
    ABSENT,
    Machine,
    Plan,
    RebuildModuleIndex,
    Remedy,
    RestoreImage,
    RestoreModule,
    Step,
    Wish,
)
from bootrescue.plan.plan_file import render_plan
from bootrescue.plan.point_entry import point_entries


class NothingFitsError(BootRescueError):
    """No image on the target is proved to fit this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


def remedies(diagnosis: Diagnosis, wish: Wish) -> Plan:
    """Say what to do about one boot entry; a machine in order gives a plan without steps.

    Raises:
        DecisionNeededError: no default entry is known, or several backups have equal standing.
        NothingFitsError: no backup is proved to fit.
        RefusedError: the backup asked for does not fit.
        UsageError: the entry or backup asked for does not exist.
    """
    found = choose_entry(diagnosis, wish.entry)
    draft = _image_draft(diagnosis, found, wish)
    modules = _module_draft(diagnosis, found.entry, _sources(diagnosis, found, draft), wish)
    steps = (*draft.steps, *modules.steps)
    notes = (*draft.notes, *modules.notes)
    if wish.remedy is not None and not steps:
        notes = (*notes, f"Nothing is left to do for {wish.remedy}.")
    system = diagnosis.chain.system
    machine = Machine(machine_id=system.machine_id, root_uuid=system.root.uuid)
    plan = Plan(id="", system=system.id, machine=machine, steps=steps, notes=notes)
    return replace(plan, id=hashlib.sha256(render_plan(plan)).hexdigest()[:12])


def choose_entry(diagnosis: Diagnosis, wanted: str) -> EntryDiagnosis:
    """The entry asked for by id, title or index; else the one that boots by default.

    Raises:
        DecisionNeededError: nothing was asked for and the default is not known.
        UsageError: there is no such entry, or several.
    """
    if not wanted:
        if diagnosis.default is None:
            raise DecisionNeededError(
                "which entry boots by default is not known",
                where=diagnosis.chain.system.id,
                hint="name one with --entry",
            )
        return diagnosis.default
    entries = diagnosis.entries
    found = [one for one in entries if one.entry.id == wanted] or [one for one in entries if one.entry.title == wanted]
    if len(found) != 1:
        known = ", ".join(one.entry.id for one in entries) or "none"
        raise UsageError(
            f"{len(found) or 'no'} boot entries answer to '{wanted}'",
            hint=f"bootrescue entries list shows them: {known}",
        )
    return found[0]


def _image_draft(diagnosis: Diagnosis, found: EntryDiagnosis, wish: Wish) -> _Draft:
    if wish.remedy is Remedy.RESTORE_MODULE:
        return _Draft()
    if not wish.to and not _image_is_broken(found):
        return _improvement(diagnosis, found, wish)
    if not found.entry.initrds:
        raise NothingFitsError(
            "the entry hands over no image, so there is none to restore",
            where=found.entry.title,
            hint="see entries list",
        )
    return _put_in_place(diagnosis, found, choose_candidate(diagnosis, found.entry, wish.to), wish)


def _put_in_place(diagnosis: Diagnosis, found: EntryDiagnosis, chosen: JudgedCandidate, wish: Wish) -> _Draft:
    target = _broken_file(diagnosis, found)
    if target.path is None:
        raise NothingFitsError(
            "the image cannot be followed to a file of this system",
            where=target.written,
            hint="bootrescue entries show tells what the entry names",
        )
    image = chosen.candidate.facts.image
    if target.sha256 == image.sha256:
        return _Draft()
    if wish.remedy is Remedy.POINT_ENTRY:
        steps, notes = point_entries(diagnosis.chain, found.entry, target, chosen.candidate)
        return _Draft(steps=steps, notes=(*notes, *_candidate_notes(chosen)))
    step = RestoreImage(
        path=target.path,
        before_sha256=target.sha256 or ABSENT,
        source=chosen.candidate.paths[0],
        after_sha256=image.sha256,
        size_bytes=image.size_bytes,
    )
    return _Draft(steps=(step,), notes=_candidate_notes(chosen))


def _image_is_broken(found: EntryDiagnosis) -> bool:
    """Whether a link that another image would mend is broken; a missing kernel or root is none of them."""
    return any(link.state is State.BROKEN and link.link not in {"kernel", "root"} for link in found.chain)


def _improvement(diagnosis: Diagnosis, found: EntryDiagnosis, wish: Wish) -> _Draft:
    """An image that boots and carries a driver that the kernel refuses is replaced where one backup is clearly better.

    Bringing the machine up is worth more than asking, so what is not clear becomes a note.
    """
    modules = diagnosis.chain.modules_of(found.entry.kernel_release)
    current = image_of(diagnosis.chain, found.entry)
    refused = refused_modules(current, modules) if current is not None and modules is not None else {}
    if not refused or modules is None:
        return _Draft(notes=_what_is_left(found))
    top = best(judge_candidates(diagnosis.chain, found.entry))
    if len(top) == 1 and not refused_modules(top[0].candidate.facts, modules):
        return _put_in_place(diagnosis, found, top[0], wish)
    text = f"The image of '{found.entry.title}' holds drivers that the kernel refuses: {', '.join(sorted(refused))}"
    which = "choose one of several backups with --to" if len(top) > 1 else "no backup is proved to be better"
    return _Draft(notes=(f"{text}; {which}.", *_what_is_left(found)))


def _what_is_left(found: EntryDiagnosis) -> tuple[str, ...]:
    if found.verdict is Verdict.BOOTS:
        return ()
    open_links = ", ".join(link.link for link in found.chain if link.state is not State.PROVED)
    return (f"The image of '{found.entry.title}' is not what is wrong; not proved: {open_links}.",)


def _broken_file(diagnosis: Diagnosis, found: EntryDiagnosis) -> EntryFile:
    """Which of the entry's files to replace: the one that is missing or broken, microcode left alone."""
    for file in found.entry.initrds:
        if file.path is not None and not file.exists:
            return file
    for file in found.entry.initrds:
        facts = diagnosis.chain.image_at(file.path)
        if facts is not None and not facts.image.complete:
            return file
    return found.entry.initrds[-1]


def choose_candidate(diagnosis: Diagnosis, entry: BootEntry, wanted: str) -> JudgedCandidate:
    """The backup asked for, or the best one that is proved to fit.

    Raises:
        DecisionNeededError: several have equal standing.
        NothingFitsError: none is proved to fit.
        RefusedError: the one asked for does not fit.
        UsageError: the one asked for is not among them.
    """
    judged = judge_candidates(diagnosis.chain, entry)
    if wanted:
        return _named(judged, wanted)
    top = best(judged)
    if not top:
        raise NothingFitsError(
            f"no backup image is proved to fit this machine ({len(judged)} looked at)",
            where=diagnosis.chain.system.id,
            hint="bootrescue backups shows each with its reasons; --to chooses one whose fit is unknown",
        )
    if len(top) > 1:
        names = ", ".join(str(one.candidate.paths[0]) for one in top)
        raise DecisionNeededError(f"several backups have equal standing: {names}", hint="choose one with --to")
    return top[0]


def _named(judged: tuple[JudgedCandidate, ...], wanted: str) -> JudgedCandidate:
    for one in judged:
        if wanted == one.candidate.facts.image.sha256 or PurePosixPath(wanted) in one.candidate.paths:
            if one.fit is Fit.DOES_NOT_FIT:
                why = next(link.evidence[0].text for link in one.reasons if link.state is State.BROKEN)
                raise RefusedError(f"this image would not boot this machine: {why}", where=wanted)
            return one
    raise UsageError("is no backup image of this machine", where=wanted, hint="bootrescue backups lists them")


def _candidate_notes(chosen: JudgedCandidate) -> tuple[str, ...]:
    notes = []
    if chosen.fit is Fit.UNKNOWN:
        unknown = ", ".join(link.link for link in chosen.reasons if link.state is State.UNKNOWN)
        notes.append(f"It is not proved that {chosen.candidate.paths[0]} fits: {unknown}.")
    if chosen.candidate.used_by:
        notes.append(f"{chosen.candidate.paths[0]} is also the image of {', '.join(chosen.candidate.used_by)}.")
    return tuple(notes)


def _sources(diagnosis: Diagnosis, found: EntryDiagnosis, draft: _Draft) -> list[ImageFacts]:
    """Images to take good modules from, each once: the one that the plan puts in place first, then the fitting ones."""
    chain = diagnosis.chain
    wanted = {step.after_sha256 for step in draft.steps if isinstance(step, RestoreImage)}
    judged = judge_candidates(chain, found.entry)
    fitting = [one.candidate.facts for one in judged if one.fit is not Fit.DOES_NOT_FIT]
    own = [facts for file in found.entry.initrds if (facts := chain.image_at(file.path)) is not None]
    return sorted([*fitting, *own], key=lambda facts: facts.image.sha256 not in wanted)


def _module_draft(diagnosis: Diagnosis, entry: BootEntry, sources: list[ImageFacts], wish: Wish) -> _Draft:
    """Steps for the bad modules below /lib/modules: the other half of an injection."""
    modules = diagnosis.chain.modules_of(entry.kernel_release)
    if modules is None or modules.directory is None:
        return _Draft()
    bad = [copy for copy in modules.installed if judge_module(copy.module, modules).state is State.BROKEN]
    if wish.remedy not in {None, Remedy.RESTORE_MODULE}:
        return _Draft(notes=tuple(f"{copy.path} is bad too; --remedy restore-module mends it." for copy in bad))
    steps: list[Step] = []
    notes = []
    for copy in bad:
        step = _restore_module(copy, modules, sources)
        if step is None:
            notes.append(f"No good copy of {copy.path} was found in any image; it stays as it is.")
        else:
            steps.append(step)
    if steps:
        index = RebuildModuleIndex(path=modules.directory, release=modules.release, before_sha256=modules.index_sha256)
        steps.append(index)
    return _Draft(steps=tuple(steps), notes=tuple(notes))


def _restore_module(bad: InstalledModule, modules: ModulesFacts, sources: list[ImageFacts]) -> RestoreModule | None:
    """Take the module from an image that holds it under the same file name: so it is packed in the same way."""
    for image in sources:
        for copy in image.modules_for(modules.release):
            same_name = PurePosixPath(copy.path).name == bad.path.name
            if not same_name or judge_module(copy.module, modules).state is not State.PROVED:
                continue
            return RestoreModule(
                path=bad.path,
                before_sha256=bad.module.sha256,
                source=image.path,
                member=copy.path,
                after_sha256=copy.module.sha256,
                size_bytes=copy.module.size_bytes,
            )
    return None
