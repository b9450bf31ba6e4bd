"""Plan files: what is malformed or hostile is refused with the place where it stands."""

import pytest

from bootrescue.errors import BadInputError, ExitCode
from bootrescue.plan.model import SCHEMA
from bootrescue.plan.plan_file import LIMIT_BYTES, parse_plan, plan_id, render_plan

DIGEST = "ab" * 32
STEP = f"""
[[step]]
kind = "restore-image"
path = "/boot/initrd.img"
before_sha256 = "{DIGEST}"
source = "/root/old.bin"
after_sha256 = "{DIGEST}"
size_bytes = 10
"""
WHOLE = f"""schema = "{SCHEMA}"
system = "debian-1"
notes = ["a"]

[machine]
machine_id = "1"
{STEP}"""
INDEX = f"""schema = "{SCHEMA}"
[[step]]
kind = "rebuild-module-index"
path = "/lib/modules/6.1"
release = "6.1"
before_sha256 = "absent"
after_sha256 = "computed"
"""


def test_a_plan_written_by_hand_is_read() -> None:
    plan = parse_plan(WHOLE.encode(), where="plan.toml")
    assert (len(plan.steps), plan.machine.machine_id, plan.id) == (1, "1", plan_id(WHOLE.encode()))
    assert parse_plan(INDEX.encode(), where="x").steps


# what stands in the file -> what stands there instead, and the words of the refusal
MALFORMED = {
    "no TOML": (WHOLE, "=", "is not TOML"),
    "not UTF-8": ('notes = ["a"]', 'notes = ["\udcff"]', "is not TOML"),
    "another schema": (SCHEMA, "bootrescue-plan/2", "is no plan"),
    "a member nobody knows": ("system", "sistem", "plan.toml: holds what is not known: sistem"),
    "a system that is no text": ('"debian-1"', "1", "plan.toml: system: is no text"),
    "notes that are no list": ('notes = ["a"]', 'notes = "a"', "notes: is no list"),
    "a note that is no text": ('notes = ["a"]', "notes = [1]", "note 1: is no text"),
    "a machine that is no table": ('[machine]\nmachine_id = "1"', "machine = 1", "[machine]: is no table"),
    "a machine's member nobody knows": ("machine_id", "dmi_serial", "[machine]: holds what is not known: dmi_serial"),
    "a machine's member that is no text": ('machine_id = "1"', "machine_id = 1", "machine_id: is no text"),
    "steps that are no list": (STEP, "", "step: is no list"),
    "a step without a kind": ('kind = "restore-image"', "", "step 1: is of no known kind"),
    "a step of an unknown kind": ("restore-image", "remove-hook", "step 1: is of no known kind"),
    "a kind that is no text": ('"restore-image"', "[1]", "step 1: is of no known kind"),
    "a step's member nobody knows": ("size_bytes = 10", "size_bytes = 10\nmode = 1", "step 1: holds what is not known"),
    "a missing member": ("size_bytes = 10", "", "step 1: lacks size_bytes"),
    "a relative path": ('"/boot/initrd.img"', '"boot/initrd.img"', "step 1: path: is no absolute path"),
    "a path upwards": ('"/boot/initrd.img"', '"/boot/../etc/shadow"', "path: is no absolute path"),
    "a path with two slashes": ('"/boot/initrd.img"', '"//boot/initrd.img"', "path: is no absolute path"),
    "the root itself": ('"/boot/initrd.img"', '"/"', "path: is no absolute path"),
    "a path with a dot": ('"/boot/initrd.img"', '"/boot/./initrd.img"', "path: is no absolute path"),
    "a path with a NUL": ("/boot/initrd.img", "/boot/\\u0000", "path: holds a NUL"),
    "a path with a lone backslash": ("/boot/initrd.img", "/boot/\\\\n", "path: has a backslash"),
    "a path that is a number": ('"/boot/initrd.img"', "1", "path: is no text"),
    "a digest that is none": (DIGEST, "AB" * 32, "before_sha256: is neither a SHA-256 nor 'absent'"),
    "a result that is computed": (f'after_sha256 = "{DIGEST}"', 'after_sha256 = "absent"', "after_sha256: is neither"),
    "a negative size": ("= 10", "= -1", "size_bytes: is no number from 0"),
    "a size beyond all": ("= 10", "= 99999999999999999999", "size_bytes: is no number from 0"),
    "a size too long to be read": ("= 10", "= " + "9" * 5000, "is not TOML"),
    "a size that is a truth": ("= 10", "= true", "size_bytes: is no number from 0"),
    "a size with a fraction": ("= 10", "= 1.5", "size_bytes: is no number from 0"),
    "lists without end": ("= 10", "= " + "[" * 10_000, "is not TOML"),
    "a policy": ("[machine]", '[policy]\nremedy = "rollback-driver"\n[machine]', "has a [policy]"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_plan_is_refused_with_its_place(name: str) -> None:
    old, new, words = MALFORMED[name]
    text = WHOLE.replace(old, new, 1) if name != "steps that are no list" else WHOLE.replace(STEP, "", 1)
    if name == "steps that are no list":
        text = text.replace("notes", "step = 1\nnotes", 1)
    assert text != WHOLE
    with pytest.raises(BadInputError) as caught:
        parse_plan(text.encode(errors="surrogateescape"), where="plan.toml")
    assert words in str(caught.value)
    assert caught.value.where.startswith("plan.toml")
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_a_file_too_large_for_a_plan_is_not_even_read() -> None:
    with pytest.raises(BadInputError, match="too large"):
        parse_plan(b"#" * (LIMIT_BYTES + 1), where="x")


def test_what_is_written_is_ascii() -> None:
    plan = parse_plan(WHOLE.replace("old.bin", "Sicherung-ä-\U0001f4be").encode(), where="x")
    assert render_plan(plan).isascii()
    assert parse_plan(render_plan(plan), where="x").steps == plan.steps
