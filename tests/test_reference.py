"""The generated pages of docs/reference/ say what the code says, and the examples of the others are true."""

import os
import re

import pytest

from bootrescue.cli.main import COMMANDS
from bootrescue.plan.model import RestoreImage
from bootrescue.plan.plan_file import STEP_CLASSES, parse_plan, render_plan
from tests.reference import DIRECTORY, PAGES, commands_page, rules_page


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_not_stale(name: str) -> None:
    written = (DIRECTORY / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run python -m tests.reference"


def test_every_command_and_every_rule_is_documented() -> None:
    assert [name for name in COMMANDS if f"\n## bootrescue {name}\n" not in commands_page()] == []
    headings = re.findall(r"^## (.+)$", rules_page(), flags=re.MULTILINE)
    assert all(re.fullmatch(r"[a-z-]+", heading) for heading in headings)


def plan_examples() -> list[str]:
    """The plans shown in plan-file.md."""
    text = (DIRECTORY / "plan-file.md").read_text(encoding="utf-8")
    return re.findall(r"^```toml\n(.+?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_the_plans_shown_are_plans() -> None:
    plans = [parse_plan(example.encode(), where="plan-file.md") for example in plan_examples()]
    assert {type(step) for plan in plans for step in plan.steps} == set(STEP_CLASSES.values())
    for plan in plans:
        assert parse_plan(render_plan(plan), where="x").steps == plan.steps


def test_the_odd_name_shown_is_the_one_told() -> None:
    (step,) = parse_plan(plan_examples()[-1].encode(), where="plan-file.md").steps
    assert isinstance(step, RestoreImage)
    assert os.fsencode(str(step.source)) == b"/root/caf\xe9\\old.bin"
