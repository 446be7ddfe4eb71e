"""The catalogue: every pass parses and runs, names are unique, errors help."""

from __future__ import annotations

import pytest

from mirgym.errors import UnknownPassError
from mirgym.passes import GROUPS, Pass, catalogue, compilergym_flags, find, to_pipeline
from mirgym.session import InProcessSession
from mirgym.worker import WorkerSession

RUNNABLE = catalogue(*(g for g in GROUPS if g != "excluded"))
EXCLUDED = catalogue("excluded")


@pytest.mark.parametrize("one", RUNNABLE, ids=lambda p: p.name)
def test_runs_one_step(local, modules, one: Pass):
    local.load(modules["features"], level="Oz")
    local.step("function(sroa,simplifycfg)")
    state = local.step(one.pipeline, dict(one.options))
    local.verify()
    with InProcessSession() as fresh:
        assert fresh.load(local.emit("bc")).key == state.key


def test_every_pass_in_a_row_in_a_worker(modules):
    """Over a program with exceptions, without a crash."""
    with WorkerSession() as session:
        session.load(modules["cpp"])
        for one in catalogue("core", "dormant", "cosmetic"):
            session.step(one.pipeline)
            session.verify()


@pytest.mark.parametrize("one", EXCLUDED, ids=lambda p: p.name)
def test_excluded_ones_parse_and_say_why(worker, one: Pass):
    assert len(one.reason) > 5
    worker.load(b"define void @f() {\n  ret void\n}")
    worker.step(one.pipeline)


def test_only_core_dormant_and_cosmetic_need_no_reason():
    for one in catalogue(*GROUPS):
        assert bool(one.reason) == (one.group in ("opt-in", "excluded")), one.name


def test_groups():
    assert len(catalogue()) == 115
    assert catalogue() == catalogue("core")
    assert [len(catalogue(g)) for g in GROUPS] == [115, 4, 51, 8, 14]
    with pytest.raises(ValueError, match=r"unknown pass group 'cores'.*Did you mean 'core'\?"):
        catalogue("cores")


def test_what_must_not_be_in_the_core():
    names = {p.name for p in catalogue()}
    banned = {"newgvn", "internalize", "gvn-sink", "sandbox-vectorizer", "attributor"}
    assert not names & banned


@pytest.mark.parametrize("attribute", ["name", "pipeline"])
def test_are_unique(attribute):
    values = [getattr(p, attribute) for p in catalogue(*GROUPS)]
    assert len(values) == len(set(values))


class TestFind:
    def test_by_name(self):
        assert find("mem2reg") == Pass("mem2reg", "function(mem2reg)")
        assert find("newgvn").group == "excluded"

    def test_by_compilergym_flag(self):
        assert find("-mem2reg") == find("mem2reg")

    def test_did_you_mean(self):
        with pytest.raises(UnknownPassError, match=r"unknown pass 'mem2regg'.*'mem2reg'\?"):
            find("mem2regg")

    def test_nothing_near(self):
        with pytest.raises(UnknownPassError, match=r"unknown pass 'zzz'; `mirgym passes list`"):
            find("zzz")

    def test_compilergym_flags_have_targets(self):
        flags = compilergym_flags()
        assert len(flags) == 124
        missing = [f for f, target in flags.items() if target is None]
        for flag in flags:
            if flag not in missing:
                assert find(flag).name == flags[flag]
        assert len(missing) < 30
        with pytest.raises(UnknownPassError, match="no counterpart in LLVM 23"):
            find(missing[0])


def test_to_pipeline():
    assert to_pipeline([]) == ""
    assert to_pipeline([find("mem2reg"), find("globaldce")]) == "function(mem2reg),globaldce"


def test_to_pipeline_of_the_whole_core_parses(local):
    local.load(b"define void @f() {\n  ret void\n}")
    local.step(to_pipeline(catalogue()))
