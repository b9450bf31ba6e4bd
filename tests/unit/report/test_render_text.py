"""Text for a person: at most 80 columns, names whole, nothing that a terminal would act on, only what is broken."""

from dataclasses import replace

import pytest

from bootrescue.findings.candidates import judge_candidates
from bootrescue.plan.model import Remedy, Wish
from bootrescue.plan.preview import BAR, preview
from bootrescue.plan.remedies import remedies
from bootrescue.report.judging import candidate_document, diagnosis_document
from bootrescue.report.looking import system_document
from bootrescue.report.model import BackupsDocument, DiagnosisDocument, RepairDocument, ScanDocument
from bootrescue.report.render_text import COLUMNS, Document, fitted, render_text, safe, size
from tests.chain_builders import BACKUP, IMAGE, RELEASE, ImageRecipe, Machine, driver, drivers, image, menu_entry

STRIPPED = driver("virtio_blk", stripped=True)
BROKEN = Machine(
    image=image(ImageRecipe(modules=drivers(virtio_blk=STRIPPED))),
    installed=drivers(virtio_blk=STRIPPED),
    files={BACKUP: image(ImageRecipe(salt=1))},
)
HOSTILE = "\x1b[2J\x9b31m\u202egnp.\u2066\r\n\x7f\udcff"


def documents(machine: Machine) -> list[Document]:
    """One document of each kind that shows names from a target."""
    chain = machine.chain()
    found = machine.diagnosis()
    judged = tuple(candidate_document(one) for one in judge_candidates(chain, chain.entries[0]))
    planned = remedies(found, Wish(remedy=Remedy.POINT_ENTRY))
    return [
        DiagnosisDocument(systems=(diagnosis_document(found),)),
        BackupsDocument(system=chain.system.id, entry="0", candidates=judged),
        RepairDocument(preview=preview(planned, chain)),
        ScanDocument(
            devices=(), file_systems=(), systems=(system_document(chain.system, chain.entries),), unread=(HOSTILE,)
        ),
    ]


def test_no_line_is_wider_than_the_screen_but_for_names_and_differences() -> None:
    for document in documents(BROKEN):
        for line in render_text(document).splitlines():
            is_name = len(line.split()) <= 2
            assert len(line) <= COLUMNS or is_name or line.lstrip().startswith(BAR), line


def test_a_path_is_never_cut() -> None:
    text = render_text(documents(BROKEN)[0])
    assert f"{IMAGE}!usr/lib/modules/{RELEASE}/kernel/drivers/block/virtio_blk.ko:" in text.split()


def test_a_wrapped_line_keeps_its_words_and_is_indented() -> None:
    line = "    " + "word " * 40
    first, *rest = fitted(line.rstrip())
    assert first.startswith("    word")
    assert all(one.startswith("      word") for one in rest)
    assert " ".join([first, *rest]).split() == line.split()


def test_nothing_reaches_the_terminal_unescaped() -> None:
    hostile = replace(
        BROKEN,
        grub=menu_entry("evil \x1b[2J\x9b31m\u202e\u2066\r\x7f", IMAGE),
        files={**BROKEN.files, "/root/\x1b]0;x\x07\u202e\n\udcff.bin": image(ImageRecipe(salt=5))},
        modified={BACKUP: 9},
    )
    for document in documents(hostile):
        assert "\\x1b" in render_text(document) or isinstance(document, RepairDocument)
        for line in render_text(document).splitlines():
            assert line.isprintable()
            assert line.isascii()


def test_safe_leaves_printable_text_alone() -> None:
    assert safe("Überprüfung 検査 ✓") == "Überprüfung 検査 ✓"
    assert safe(HOSTILE).isprintable()


def test_a_diagnosis_shows_only_what_is_broken() -> None:
    text = render_text(documents(BROKEN)[0])
    assert "    X storage-driver: the kernel would say: virtio_blk: module has no symbols\n" in text
    assert "is there and loadable" not in text
    assert "proved" not in text


def test_what_is_only_unknown_is_not_called_fine() -> None:
    machine = Machine(grub=menu_entry("Debian", IMAGE, more=" rdinit=/bin/sh"))
    text = render_text(DiagnosisDocument(systems=(diagnosis_document(machine.diagnosis()),)))
    assert "Nothing was found that stops the boot" not in text
    assert "Debian: unknown" in text
    fine = render_text(DiagnosisDocument(systems=(diagnosis_document(Machine().diagnosis()),)))
    assert "Nothing was found that stops the boot." in fine


def test_the_place_of_damage_is_shown() -> None:
    cut = Machine(image=image()[:-2000])
    text = render_text(DiagnosisDocument(systems=(diagnosis_document(cut.diagnosis()),)))
    assert f"{IMAGE} at byte 1024:" in text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_300_000, "12.3 MB"), (5 * 10**15, "5000 TB")],
)
def test_a_size_reads_well(size_bytes: int, text: str) -> None:
    assert size(size_bytes) == text
