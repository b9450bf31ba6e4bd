"""Which backup is right: fit by proof, rank by reasons, and equal standing left to the operator."""

from dataclasses import replace

import pytest

from bootrescue.findings.candidates import best, judge_candidates
from bootrescue.findings.model import Fit, JudgedCandidate
from tests.chain_builders import (
    BACKUP,
    IMAGE,
    OTHER_UUID,
    ImageRecipe,
    Machine,
    driver,
    drivers,
    image,
    menu_entry,
    waits_for,
)

GOOD = image(ImageRecipe(salt=1))
STRIPPED = image(ImageRecipe(modules=drivers(virtio_blk=driver("virtio_blk", stripped=True))))


def judged(machine: Machine) -> tuple[JudgedCandidate, ...]:
    """The candidates for the first entry."""
    chain = machine.chain()
    return judge_candidates(chain, chain.entries[0])


def broken(backups: dict[str, bytes | None], **times: int) -> Machine:
    """A machine with a stripped driver in its image, and these other files; times by their last part."""
    modified = {path: times.get(path.rpartition("/")[2], 0) for path in backups}
    return Machine(image=STRIPPED, files=backups, modified=modified)


def names(found: tuple[JudgedCandidate, ...]) -> list[str]:
    """First paths."""
    return [str(one.candidate.paths[0]) for one in found]


def test_a_backup_is_found_by_content_under_any_name_and_fits() -> None:
    (found,) = judged(broken({BACKUP: GOOD}))
    assert (names((found,)), found.fit, found.rank) == ([BACKUP], Fit.FITS, 1)
    assert found.compared.modules_changed == ("virtio_blk",)


@pytest.mark.parametrize("codec", ["none", "gzip", "xz", "zstd", "lz4", "bzip2", "lzma"])
def test_a_backup_is_found_in_every_packing(codec: str) -> None:
    recipe = ImageRecipe(codec=codec, salt=2)
    (found,) = judged(broken({"/srv/x": image(recipe)}))
    assert found.fit is Fit.FITS


UNFIT = {
    "cut": GOOD[:-1000],
    "for another kernel": image(ImageRecipe(release="5.10.0-1-amd64")),
    "foreign": image(ImageRecipe(more=(waits_for(OTHER_UUID),))),
    "stripped as well": image(ImageRecipe(modules=drivers(ext4=driver("ext4", stripped=True)))),
    "without init": image(ImageRecipe(init=False)),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_would_not_boot_never_fits(name: str) -> None:
    (found,) = judged(broken({BACKUP: UNFIT[name]}))
    assert found.fit is Fit.DOES_NOT_FIT
    assert best((found,)) == ()


def test_the_same_content_is_listed_once_with_all_its_places() -> None:
    (found,) = judged(broken({"/srv/b": GOOD, "/srv/a": GOOD}, a=5, b=3))
    assert sorted(map(str, found.candidate.paths)) == ["/srv/a", "/srv/b"]
    assert found.candidate.facts.modified_ns == 3


def test_the_image_in_use_is_no_candidate_for_itself() -> None:
    assert judged(broken({"/srv/copy-of-the-broken-one": STRIPPED})) == ()


def test_an_image_of_another_entry_ranks_behind_one_that_nobody_uses() -> None:
    machine = broken({"/boot/rescue.img": image(ImageRecipe(salt=3)), BACKUP: GOOD}, **{"rescue.img": 9})
    grub = menu_entry("Debian", IMAGE) + menu_entry("rescue", "/boot/rescue.img")
    found = judged(replace(machine, grub=grub))
    assert names(found) == [BACKUP, "/boot/rescue.img"]
    assert [one.rank for one in found] == [1, 2]
    assert found[1].candidate.used_by == ("1",)


def test_the_newest_of_two_alike_is_first() -> None:
    found = judged(broken({"/srv/old": GOOD, "/srv/new": image(ImageRecipe(salt=4))}, old=1, new=2))
    assert names(found) == ["/srv/new", "/srv/old"]


def test_two_that_nothing_tells_apart_share_a_rank() -> None:
    found = judged(broken({"/srv/one": GOOD, "/srv/two": image(ImageRecipe(salt=4))}))
    assert [one.rank for one in found] == [1, 1]
    assert len(best(found)) == 2


def test_one_with_a_refused_driver_ranks_behind_an_older_one_without() -> None:
    bad_network = image(ImageRecipe(modules=drivers(i40e=driver("i40e", stripped=True))))
    found = judged(broken({"/srv/good": GOOD, "/srv/bad": bad_network}, good=1, bad=2))
    assert names(found) == ["/srv/good", "/srv/bad"]
    assert {one.fit for one in found} == {Fit.FITS}


def test_one_that_shares_more_modules_with_the_image_in_use_is_first() -> None:
    smaller = image(ImageRecipe(modules=drivers(i40e=None)))
    found = judged(broken({"/srv/same": GOOD, "/srv/smaller": smaller}, same=1, smaller=2))
    assert names(found) == ["/srv/same", "/srv/smaller"]


def test_a_foreign_image_in_use_is_no_model_for_the_right_one() -> None:
    foreign = image(ImageRecipe(modules=drivers(i40e=None), more=(waits_for(OTHER_UUID),)))
    like_the_foreign = image(ImageRecipe(modules=drivers(i40e=None), salt=7))
    machine = Machine(
        image=foreign,
        files={"/srv/ours": GOOD, "/srv/like": like_the_foreign},
        modified={"/srv/ours": 2, "/srv/like": 1},
    )
    assert names(judged(machine)) == ["/srv/ours", "/srv/like"]


@pytest.mark.parametrize("place", ["/proc/1/x", "/sys/x", "/dev/x", "/run/x", "/var/lib/bootrescue/1/x"])
def test_what_is_no_place_for_backups_is_not_searched(place: str) -> None:
    assert judged(broken({place: GOOD})) == ()


def test_a_file_too_small_for_an_image_is_none() -> None:
    assert judged(broken({"/srv/tiny": GOOD[:2000]})) == ()
