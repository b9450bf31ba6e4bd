"""From a diagnosis to a plan: every remedy, every wish, and what is left to the operator."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from bootrescue.errors import DecisionNeededError, ExitCode, RefusedError, UsageError
from bootrescue.plan.model import (
    ABSENT,
    Plan,
    PointEntry,
    RebuildModuleIndex,
    Remedy,
    RestoreImage,
    RestoreModule,
    Wish,
)
from bootrescue.plan.preview import preview
from bootrescue.plan.remedies import NothingFitsError, remedies
from tests.chain_builders import (
    BACKUP,
    IMAGE,
    OTHER_UUID,
    RELEASE,
    ImageRecipe,
    Machine,
    driver,
    drivers,
    image,
    menu_entry,
    place,
    waits_for,
)

STRIPPED_MODULE = driver("virtio_blk", stripped=True)
STRIPPED = image(ImageRecipe(modules=drivers(virtio_blk=STRIPPED_MODULE)))
GOOD = image(ImageRecipe(salt=1))
INSTALLED = f"/lib/modules/{RELEASE}/{place('virtio_blk')}"
MEMBER = f"usr/lib/modules/{RELEASE}/{place('virtio_blk')}"
INJECTED = Machine(image=STRIPPED, installed=drivers(virtio_blk=STRIPPED_MODULE), files={BACKUP: GOOD})


def made(machine: Machine, wish: Wish | None = None) -> Plan:
    """The plan for a machine."""
    return remedies(machine.diagnosis(), wish or Wish())


def kinds(plan: Plan) -> list[type]:
    """The kinds of its steps."""
    return [type(step) for step in plan.steps]


def test_nothing_is_done_to_a_machine_in_order() -> None:
    plan = made(replace(Machine(), files={BACKUP: GOOD}))
    assert (plan.steps, plan.notes) == ((), ())


def test_an_injection_is_rolled_back_in_the_image_and_below_lib_modules() -> None:
    image_step, module_step, index_step = made(INJECTED).steps
    chain = INJECTED.chain()
    assert isinstance(image_step, RestoreImage)
    assert (image_step.path, image_step.source) == (PurePosixPath(IMAGE), PurePosixPath(BACKUP))
    assert image_step.before_sha256 == chain.images[0].image.sha256
    assert image_step.size_bytes == len(GOOD)
    assert isinstance(module_step, RestoreModule)
    assert (str(module_step.path), str(module_step.source), module_step.member) == (INSTALLED, BACKUP, MEMBER)
    assert isinstance(index_step, RebuildModuleIndex)
    assert index_step.before_sha256 == chain.modules[0].index_sha256


def test_a_plan_names_its_machine_and_has_an_id_of_its_content() -> None:
    plan = made(INJECTED)
    assert (plan.system, plan.machine.machine_id) == ("debian-1f0c2a9b", "0123456789abcdef0123456789abcdef")
    assert plan.id == made(INJECTED).id
    assert plan.id != made(INJECTED, Wish(remedy=Remedy.RESTORE_IMAGE)).id


def test_a_missing_image_is_restored_where_there_was_none() -> None:
    (step,) = made(Machine(files={IMAGE: None, BACKUP: GOOD})).steps
    assert isinstance(step, RestoreImage)
    assert (step.path, step.before_sha256) == (PurePosixPath(IMAGE), ABSENT)


def test_of_two_images_only_the_broken_one_is_replaced() -> None:
    grub = menu_entry("Debian", f"/boot/microcode.img {IMAGE}")
    microcode = image(ImageRecipe(modules={}, init=False, salt=9))
    machine = replace(INJECTED, grub=grub, files={BACKUP: GOOD, "/boot/microcode.img": microcode})
    assert [str(step.path) for step in made(machine, Wish(remedy=Remedy.RESTORE_IMAGE)).steps] == [IMAGE]


@pytest.mark.parametrize(
    ("remedy", "expected"),
    [
        (Remedy.RESTORE_IMAGE, [RestoreImage]),
        (Remedy.RESTORE_MODULE, [RestoreModule, RebuildModuleIndex]),
        (Remedy.POINT_ENTRY, [PointEntry]),
    ],
)
def test_only_the_remedy_asked_for_is_planned(remedy: Remedy, expected: list[type]) -> None:
    plan = made(INJECTED, Wish(remedy=remedy))
    assert kinds(plan) == expected
    says_what_is_left = any("restore-module mends it" in note for note in plan.notes)
    assert says_what_is_left is (remedy is not Remedy.RESTORE_MODULE)


def test_an_entry_is_pointed_at_a_backup_on_the_same_file_system() -> None:
    (step,) = made(INJECTED, Wish(remedy=Remedy.POINT_ENTRY)).steps
    assert isinstance(step, PointEntry)
    assert (step.old, step.new, str(step.path)) == (IMAGE, BACKUP, "/boot/grub/grub.cfg")


def test_a_backup_on_another_file_system_is_copied_beside_the_image_first() -> None:
    machine = replace(INJECTED, separate_boot=True)
    copy, point = made(machine, Wish(remedy=Remedy.POINT_ENTRY)).steps
    assert isinstance(copy, RestoreImage)
    assert (str(copy.path), copy.before_sha256, str(copy.source)) == (f"{IMAGE}.bootrescue", ABSENT, BACKUP)
    assert isinstance(point, PointEntry)
    assert point.new == f"{IMAGE}.bootrescue".removeprefix("/boot")


def test_the_copy_takes_the_place_of_no_other_image() -> None:
    taken = {BACKUP: GOOD, f"{IMAGE}.bootrescue": image(ImageRecipe(init=False, salt=5))}
    copy, _ = made(replace(INJECTED, separate_boot=True, files=taken), Wish(remedy=Remedy.POINT_ENTRY)).steps
    assert str(copy.path) == f"{IMAGE}.bootrescue2"


def test_every_entry_with_the_broken_image_is_pointed_away_one_after_the_other() -> None:
    grub = menu_entry("a", IMAGE) + menu_entry("b", IMAGE, more=" single") + menu_entry("rescue", "/boot/rescue.img")
    first, second = made(replace(INJECTED, grub=grub), Wish(remedy=Remedy.POINT_ENTRY)).steps
    assert isinstance(first, PointEntry)
    assert isinstance(second, PointEntry)
    assert (first.entry, second.entry) == ("0", "1")
    assert second.before_sha256 == first.after_sha256


def test_the_preview_shows_the_difference_and_nothing_else_changes() -> None:
    machine = INJECTED
    lines = preview(made(machine, Wish(remedy=Remedy.POINT_ENTRY)), machine.chain())
    changed = [line for line in lines if line.startswith(("   | +", "   | -")) and "grub.cfg" not in line]
    assert changed == [f"   | -  initrd {IMAGE}", f"   | +  initrd {BACKUP}"]
    assert any("grub-mkconfig" in line for line in lines)


def test_the_preview_says_which_modules_change() -> None:
    lines = preview(made(INJECTED), INJECTED.chain())
    assert "   modules changed: virtio_blk" in lines
    assert [line[:2] for line in lines if not line.startswith(" ")] == ["1.", "2.", "3."]


def test_a_bad_module_without_a_good_copy_is_told_and_left() -> None:
    plan = made(
        Machine(image=STRIPPED, installed=drivers(virtio_blk=STRIPPED_MODULE)), Wish(remedy=Remedy.RESTORE_MODULE)
    )
    assert plan.steps == ()
    assert any(INSTALLED in note and "stays as it is" in note for note in plan.notes)


def test_a_module_is_taken_from_the_image_in_use_when_that_one_is_good() -> None:
    module, index = made(Machine(installed=drivers(virtio_blk=STRIPPED_MODULE))).steps
    assert isinstance(module, RestoreModule)
    assert str(module.source) == IMAGE
    assert isinstance(index, RebuildModuleIndex)


def test_a_module_packed_in_another_way_is_no_good_copy() -> None:
    packed_otherwise = {f"{path}.xz" if "virtio_blk" in path else path: body for path, body in drivers().items()}
    machine = replace(INJECTED, files={BACKUP: image(ImageRecipe(modules=packed_otherwise))})
    assert RestoreModule not in kinds(made(machine))


def test_a_bad_driver_that_the_boot_does_not_need_is_rolled_back_too() -> None:
    bad = driver("i40e", stripped=True)
    machine = Machine(image=image(ImageRecipe(modules=drivers(i40e=bad))), files={BACKUP: GOOD})
    assert kinds(made(machine)) == [RestoreImage]
    alone = replace(machine, files={})
    assert made(alone).steps == ()
    assert "i40e" in made(alone).notes[0]


def test_a_wish_names_the_entry_by_id_or_title() -> None:
    grub = menu_entry("good", "/boot/good.img") + menu_entry("bad", IMAGE)
    machine = replace(INJECTED, grub=grub, files={"/boot/good.img": GOOD, BACKUP: image(ImageRecipe(salt=2))})
    for name in ("1", "bad"):
        step = made(machine, Wish(entry=name)).steps[0]
        assert (str(step.path), getattr(step, "source", None)) == (IMAGE, PurePosixPath(BACKUP))
    with pytest.raises(UsageError, match="no boot entries answer"):
        made(machine, Wish(entry="2"))


def test_a_wish_names_the_backup_by_path_or_digest() -> None:
    machine = replace(INJECTED, files={"/srv/a": GOOD, "/srv/b": image(ImageRecipe(salt=2))})
    digest = next(one.facts.image.sha256 for one in machine.chain().candidates if str(one.paths[0]) == "/srv/b")
    for name in ("/srv/b", digest):
        step = made(machine, Wish(to=name)).steps[0]
        assert isinstance(step, RestoreImage)
        assert str(step.source) == "/srv/b"
    with pytest.raises(UsageError):
        made(machine, Wish(to="/srv/c"))


def test_backups_of_equal_standing_are_the_operators_choice() -> None:
    machine = replace(INJECTED, files={"/srv/a": GOOD, "/srv/b": image(ImageRecipe(salt=2))})
    with pytest.raises(DecisionNeededError, match="/srv/a, /srv/b") as caught:
        made(machine)
    assert caught.value.exit_code is ExitCode.DECISION_NEEDED


def test_a_backup_that_would_not_boot_is_refused_even_when_asked_for() -> None:
    machine = replace(INJECTED, files={BACKUP: image(ImageRecipe(more=(waits_for(OTHER_UUID),)))})
    with pytest.raises(RefusedError, match="waits for the file system"):
        made(machine, Wish(to=BACKUP))
    with pytest.raises(NothingFitsError):
        made(machine)


def test_a_backup_whose_fit_is_unknown_is_taken_only_when_asked_for() -> None:
    odd = image(ImageRecipe(modules=drivers(ext4=driver("ext4", info=("softdep=pre: crc32c",)))))
    machine = replace(INJECTED, files={BACKUP: odd})
    with pytest.raises(NothingFitsError):
        made(machine)
    plan = made(machine, Wish(to=BACKUP, remedy=Remedy.RESTORE_IMAGE))
    assert kinds(plan) == [RestoreImage]
    assert "not proved" in plan.notes[0]


def test_what_another_image_would_not_mend_is_said() -> None:
    plan = made(Machine(files={f"/boot/vmlinuz-{RELEASE}": None, BACKUP: GOOD}))
    assert plan.steps == ()
    assert "kernel" in plan.notes[0]


def test_without_a_known_default_the_operator_names_the_entry() -> None:
    machine = replace(INJECTED, grub="blscfg\n" + menu_entry("Debian", IMAGE))
    with pytest.raises(DecisionNeededError, match="by default is not known"):
        made(machine)
    assert made(machine, Wish(entry="Debian")).steps


def test_an_image_on_an_unknown_file_system_is_not_written_to() -> None:
    machine = replace(INJECTED, grub=menu_entry("Debian", IMAGE, search=OTHER_UUID))
    with pytest.raises(NothingFitsError):
        made(machine, Wish(to=BACKUP))
