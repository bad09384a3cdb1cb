from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import UserError
from tasks.scheduling.crontab import block, with_block, without_block
from tasks.scheduling.job import Job

JOB = Job(
    "maintenance-zbeam-0000002a", "Maintenance of /srv/zbeam: what is due", ("/bin/x", "a b"), {"P": "1"}, 197, 20
)
OTHER = JOB._replace(name="maintenance-other-00000001")
BEGIN, END = (f"# {mark} {JOB.name}\n".encode() for mark in ("BEGIN", "END"))

tables = st.lists(
    st.binary(max_size=30) | st.sampled_from([b"0 1 * * * x", b"MAILTO=me", b"\r", b"# BEGIN", b"#"]), max_size=8
).map(b"\n".join)


def ended(table: bytes) -> bytes:
    return table + b"\n" * bool(table and not table.endswith(b"\n"))


@given(tables)
def test_foreign_lines_stay_byte_for_byte(table: bytes) -> None:
    installed = with_block(table, JOB)
    assert installed == ended(table) + block(JOB)
    assert with_block(installed, JOB) == installed
    assert without_block(installed, JOB.name) == ended(table)


@given(tables, tables)
def test_a_block_is_replaced_where_it_is(before: bytes, after: bytes) -> None:
    table = ended(before) + block(JOB) + after
    changed = JOB._replace(minute=600)
    assert with_block(table, changed) == ended(before) + block(changed) + after
    assert without_block(table, JOB.name) == ended(before) + after


@given(tables)
def test_what_was_doubled_by_hand_becomes_one(between: bytes) -> None:
    table = block(JOB) + ended(between) + block(JOB)
    assert with_block(table, JOB) == block(JOB) + ended(between)
    assert without_block(table, JOB.name) == ended(between)


def test_another_project_is_left_alone() -> None:
    both = with_block(with_block(b"", OTHER), JOB)
    assert without_block(both, JOB.name) == block(OTHER)
    assert without_block(block(OTHER), JOB.name) == block(OTHER)


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        (BEGIN + b"x\n", END),
        (b"x\n" + END, BEGIN),
        (END + BEGIN, BEGIN),
        (BEGIN + BEGIN + END, END),
        (block(JOB) + END, BEGIN),
    ],
    ids=["no end", "no beginning", "turned", "two beginnings", "one more end"],
)
def test_half_a_block_is_nobodys_to_guess(table: bytes, missing: bytes) -> None:
    with pytest.raises(UserError, match=missing.decode().strip()):
        with_block(table, JOB)
    with pytest.raises(UserError, match=missing.decode().strip()):
        without_block(table, JOB.name)


_words = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)


@given(st.lists(_words, min_size=1, max_size=4), _words)
def test_the_shell_that_cron_starts_gets_the_very_words(words: list[str], value: str) -> None:
    job = JOB._replace(command=("/bin/x", *words), environ={"P": value})
    line = block(job).decode().splitlines()[2]
    minute, hour, *stars, command = line.split(" ", 5)
    assert (minute, hour, stars) == (str(job.fixed_minute % 60), "3", ["*", "*", "*"])
    # cron(5): an unescaped percent sign ends the command, the backslash before another one is taken away.
    assert "%" not in command.replace("\\%", "")
    assert shlex.split(command.replace("\\%", "%")) == ["/usr/bin/env", f"P={value}", "/bin/x", *words]
