"""A plan read back is the plan written, whatever the names in it are made of."""

import os
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from bootrescue.errors import BadInputError
from bootrescue.plan.model import (
    ABSENT,
    Machine,
    Plan,
    PointEntry,
    RebuildModuleIndex,
    RestoreImage,
    RestoreModule,
)
from bootrescue.plan.plan_file import parse_plan, plan_id, render_plan

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
befores = digests | st.just(ABSENT)
sizes = st.integers(min_value=0, max_value=4 << 30)
# Names as file systems hold them: any bytes but NUL, and what bytes look like that are no UTF-8.
texts = st.binary().map(lambda name: os.fsdecode(name.replace(b"\0", b"")))
names = texts.map(lambda name: name.replace("/", "")).filter(lambda name: name not in {"", ".", ".."})
paths = st.lists(names, min_size=1, max_size=4).map(lambda parts: PurePosixPath("/", *parts))
steps = st.one_of(
    st.builds(RestoreImage, path=paths, before_sha256=befores, source=paths, after_sha256=digests, size_bytes=sizes),
    st.builds(
        RestoreModule,
        path=paths,
        before_sha256=befores,
        source=paths,
        member=texts,
        after_sha256=digests,
        size_bytes=sizes,
    ),
    st.builds(RebuildModuleIndex, path=paths, release=texts, before_sha256=befores),
    st.builds(
        PointEntry,
        path=paths,
        before_sha256=befores,
        entry=texts,
        line=sizes,
        old=texts,
        new=texts,
        after_sha256=digests,
        size_bytes=sizes,
    ),
)
plans = st.builds(
    Plan,
    id=st.just(""),
    system=texts,
    machine=st.builds(Machine, machine_id=texts, root_uuid=texts),
    steps=st.lists(steps, max_size=4).map(tuple),
    notes=st.lists(texts, max_size=3).map(tuple),
)


@given(plans)
def test_a_plan_read_back_is_the_plan_written(plan: Plan) -> None:
    content = render_plan(plan)
    read = parse_plan(content, where="x")
    assert (read.system, read.machine, read.steps, read.notes) == (plan.system, plan.machine, plan.steps, plan.notes)
    assert read.id == plan_id(content)
    assert render_plan(read) == content


@given(st.binary() | plans.map(render_plan).flatmap(lambda whole: st.integers(0, len(whole)).map(lambda n: whole[:n])))
def test_whatever_is_no_plan_is_refused_in_words(content: bytes) -> None:
    try:
        parse_plan(content, where="x")
    except BadInputError as error:
        assert error.where  # noqa: PT017 -- most inputs are refused, a cut behind a step is not
