from __future__ import annotations

import os
import signal

import pytest

from mirgym.agents import pipelines
from mirgym.agents.explorer import BudgetSpentError, Explorer, SearchConfig
from mirgym.agents.pipelines import O2, O2_PASSES, o2_without
from mirgym.agents.search import ALGORITHMS, agents_for, greedy_search, random_search, search
from mirgym.agents.strategies import o_level
from mirgym.passes import Pass, catalogue, find, to_pipeline
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import Wanted
from mirgym.worker import WorkerLimits, WorkerSession

SMALL = "mirbench/primes"
PROGRAMS = (SMALL, "mirbench/bitcount", "mirbench/crc")
MEM2REG, GVN, DCE = find("mem2reg"), find("gvn"), find("dce")
CRASH = Pass("unify-loop-exits", find("unify-loop-exits").pipeline)


@pytest.fixture(scope="module")
def module() -> bytes:
    return resolve(SMALL).bitcode()


@pytest.fixture(scope="module")
def crashing() -> bytes:
    """A program on which ``CRASH`` ends the worker."""
    return resolve("mirbench/hashtable").bitcode()


def cost_of(module: bytes, steps: tuple[Pass, ...], metric: str = "text_size_bytes"):
    """``(key, cost)`` by the plainest way: a fresh in-process session, step by step."""
    wanted = Wanted.of((metric,))
    with InProcessSession() as session:
        state = session.load(module, level="Oz", wanted=wanted)
        for step in steps:
            state = session.step(step.pipeline, dict(step.options), wanted=wanted)
        return state.key, state.metrics[metric]


# -- the explorer -----------------------------------------------------------------------


def test_each_compile_is_counted_once(module: bytes) -> None:
    with Explorer(module, SearchConfig(budget=50)) as explorer:
        first = explorer.walk(explorer.root, (MEM2REG, GVN))
        assert explorer.compiles == 2
        assert explorer.walk(explorer.root, (MEM2REG, GVN)) is first
        assert explorer.compiles == 2
        # The same pass again changes nothing: known only after one more compile.
        assert explorer.apply(first, GVN) is first
        assert explorer.compiles == 3
        # A pass that changes nothing leads back to the node, whose outcomes are known.
        assert explorer.walk(explorer.root, (MEM2REG, GVN, GVN, GVN)) is first
        assert explorer.compiles == 3


def test_two_ways_to_one_state_meet(module: bytes) -> None:
    with Explorer(module, SearchConfig(budget=50)) as explorer:
        once = explorer.walk(explorer.root, (MEM2REG,))
        twice = explorer.walk(explorer.root, (DCE, MEM2REG))
        assert twice is once
        assert once.path == (MEM2REG,)


def test_the_name_of_a_pass_does_not_matter_to_the_memo(module: bytes) -> None:
    with Explorer(module, SearchConfig(budget=1)) as explorer:
        reached = explorer.apply(explorer.root, MEM2REG)
        assert explorer.apply(explorer.root, MEM2REG._replace(name="other")) is reached


def test_the_budget_is_a_wall(module: bytes) -> None:
    with Explorer(module, SearchConfig(budget=2)) as explorer:
        node = explorer.walk(explorer.root, (MEM2REG, GVN))
        with pytest.raises(BudgetSpentError):
            explorer.apply(node, DCE)
        assert explorer.compiles == 2
        assert explorer.walk(explorer.root, (MEM2REG, GVN)) is node


def test_an_allowance_ends_its_block_only(module: bytes) -> None:
    with Explorer(module, SearchConfig(budget=3)) as explorer:
        with explorer.at_most(1):
            explorer.walk(explorer.root, (MEM2REG, GVN))
            pytest.fail("the block goes on after its last compile")
        assert (explorer.compiles, explorer.left) == (1, 2)


def test_a_node_is_what_its_path_gives(module: bytes) -> None:
    """Nodes that were reached over snapshots replay to the same module and cost."""
    passes = catalogue()[::7]
    with Explorer(module, SearchConfig(budget=200)) as explorer:
        node = explorer.root
        nodes = []
        for step in passes:
            reached = explorer.apply(node, step)
            explorer.apply(explorer.root, step)  # moves the worker away in between
            assert reached is not None
            node = reached
            nodes.append(node)
        assert explorer.failures == []
        for node in nodes[::4]:
            assert cost_of(module, node.path) == (node.key, node.cost)


def test_dropped_snapshots_are_made_again(module: bytes, monkeypatch) -> None:
    monkeypatch.setattr("mirgym.agents.walker._SNAPSHOT_BYTES", 1)
    with Explorer(module, SearchConfig(budget=50)) as explorer:
        deep = explorer.walk(
            explorer.root, (MEM2REG, GVN, find("sroa<modify-cfg>"), find("licm<allowspeculation>"))
        )
        explorer.apply(explorer.root, find("reassociate"))
        again = explorer.apply(deep, find("simplifycfg"))
        assert explorer.failures == []
        assert cost_of(module, again.path) == (again.key, again.cost)


def test_a_crash_costs_its_candidate_only(crashing: bytes) -> None:
    config = SearchConfig(budget=40, candidates=(MEM2REG, CRASH, GVN))
    with Explorer(crashing, config) as explorer:
        node = explorer.apply(explorer.root, MEM2REG)
        assert explorer.apply(node, CRASH) is None
        assert explorer.apply(node, CRASH) is None
        assert explorer.compiles == 2
        (failure,) = explorer.failures
        assert failure.passes == (MEM2REG, CRASH)
        assert "SessionCrashedError" in failure.error
        assert explorer.apply(node, GVN) is not None


def test_a_new_worker_is_told_the_growth_limit(crashing: bytes, monkeypatch) -> None:
    """A snapshot does not carry the limit: only a load does."""
    limits = []
    load = WorkerSession.load

    def spy(self, module, **options):
        limits.append(options["growth_limit"])
        return load(self, module, **options)

    monkeypatch.setattr(WorkerSession, "load", spy)
    with Explorer(crashing, SearchConfig(budget=9, growth_limit=3.0)) as explorer:
        node = explorer.walk(explorer.root, (MEM2REG, GVN))
        assert explorer.apply(node, CRASH) is None
        assert limits == [3.0]
        assert explorer.apply(node, DCE) is not None
        assert limits == [3.0, 3.0]


def test_a_search_closes_its_worker(module: bytes) -> None:
    explorer = Explorer(module, SearchConfig(budget=5))
    pid = explorer._walker.session.pid
    explorer.close()
    explorer.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# -- configurations ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0}, "the budget is 0 compiles; expected 1 or more"),
        ({"objective": "text_size"}, "Did you mean 'text_size_bytes'"),
        ({"baseline": "O4"}, "unknown baseline 'O4'"),
        ({"candidates": ()}, "no candidate passes"),
    ],
)
def test_wrong_configurations_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SearchConfig(**options)


# -- the algorithms ---------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(agents_for("text_size_bytes")))
@pytest.mark.parametrize("program", PROGRAMS)
def test_never_worse_than_the_baseline_and_true(program: str, name: str) -> None:
    module = resolve(program).bitcode()
    found = ALGORITHMS[name](module, SearchConfig(budget=40))
    assert found.cost <= found.baseline_cost
    assert found.baseline_cost == cost_of(module, (o_level("default<O2>"),))[1]
    assert cost_of(module, found.pipeline) == (found.key, found.cost)
    assert cost_of(module, found.unpruned)[1] == found.cost
    assert found.compiles <= 40


@pytest.mark.parametrize("baseline", ["O0", "O1", "O3", "Os"])
def test_other_baselines(module: bytes, baseline: str) -> None:
    found = search(module, SearchConfig(budget=15, baseline=baseline))
    assert found.cost <= found.baseline_cost
    assert found.ratio >= 1


def test_search_beats_the_baseline(module: bytes) -> None:
    assert search(module, SearchConfig(budget=80)).ratio > 1.005


def test_instructions_are_an_objective_too() -> None:
    module = resolve("mirbench/bitcount").bitcode()
    found = search(module, SearchConfig(budget=60, objective="ir_instructions"))
    assert cost_of(module, found.pipeline, "ir_instructions")[1] == found.cost
    assert found.cost <= found.baseline_cost


@pytest.mark.parametrize("name", sorted(agents_for("text_size_bytes")))
def test_deterministic_by_seed(module: bytes, name: str) -> None:
    first, second = (ALGORITHMS[name](module, SearchConfig(budget=40, seed=3)) for _ in range(2))
    assert (first.pipeline, first.cost, first.key) == (second.pipeline, second.cost, second.key)
    assert first.history == second.history
    assert first.compiles == second.compiles


def test_seeds_differ(module: bytes) -> None:
    first, second = (
        random_search(module, SearchConfig(budget=60, seed=s, from_baseline=False)) for s in (0, 1)
    )
    assert first.unpruned != second.unpruned


@pytest.mark.parametrize("budget", [1, 2, 7, 30])
@pytest.mark.parametrize("name", sorted(agents_for("text_size_bytes")))
def test_the_budget_is_kept(module: bytes, name: str, budget: int) -> None:
    seen = []
    found = ALGORITHMS[name](module, SearchConfig(budget=budget), seen.append)
    assert 1 <= found.compiles <= budget
    assert [p.compiles for p in seen] == list(range(1, found.compiles + 1))
    if budget == 1:
        assert to_pipeline(found.pipeline) == "default<O2>"


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("from_baseline", [False, True])
@pytest.mark.parametrize("name", sorted(agents_for("text_size_bytes")))
def test_what_is_run_is_what_is_counted(
    module: bytes, tmp_path, monkeypatch, name: str, from_baseline: bool, cached: bool
) -> None:
    """No algorithm gets an outcome past the budget; repeats within a search are no compiles."""
    asked = []
    outcome = Explorer._outcome

    def spy(self, node, step):
        asked.append((node.key, step.pipeline, step.options))
        return outcome(self, node, step)

    monkeypatch.setattr(Explorer, "_outcome", spy)
    config = SearchConfig(
        budget=25, from_baseline=from_baseline, transitions=tmp_path if cached else None
    )
    for _ in range(1 + cached):
        asked.clear()
        found = ALGORITHMS[name](module, config)
        compiles = asked[0 if from_baseline else 1 :]  # the first only measures the baseline
        assert found.compiles == len(compiles) == len(set(compiles)) <= 25
    if name not in ("fixed", "oz_twice"):
        assert found.compiles == 25


def test_a_single_compile_of_search_is_o2_itself(module: bytes) -> None:
    found = search(module, SearchConfig(budget=1, from_baseline=False))
    assert found.pipeline == (o_level("default<O2>"),)
    assert found.ratio == 1.0


def test_progress_and_history_tell_the_same_story(module: bytes) -> None:
    seen = []
    found = search(module, SearchConfig(budget=60), seen.append)
    costs = [cost for _, cost in found.history]
    assert costs == sorted(costs, reverse=True)
    assert found.history[0] == (0, found.start_cost)
    assert costs[-1] == found.cost == seen[-1].best
    assert seen[-1].baseline == found.baseline_cost


def test_without_the_baseline_a_search_may_lose(module: bytes) -> None:
    config = SearchConfig(budget=3, from_baseline=False, candidates=(find("lower-expect"),))
    found = random_search(module, config)
    assert found.compiles == 1  # the only candidate is known after one compile
    assert found.baseline_cost == cost_of(module, (o_level("default<O2>"),))[1]
    assert found.ratio < 1


def test_a_crashing_candidate_does_not_end_a_search(crashing: bytes) -> None:
    config = SearchConfig(budget=40, candidates=(MEM2REG, CRASH, find("simplifycfg")))
    found = random_search(crashing, config)
    assert found.failures
    assert all(failure.passes[-1] == CRASH for failure in found.failures)
    assert found.compiles > len(found.failures)
    assert CRASH not in found.pipeline


def test_a_slow_candidate_is_a_failure(module: bytes) -> None:
    """With a limit that O2 itself cannot keep, the search cannot start, and says why."""
    from mirgym.errors import SessionError

    limits = WorkerLimits(step_seconds=0.002)
    with pytest.raises(SessionError):
        search(module, SearchConfig(budget=5, limits=limits))


@pytest.mark.parametrize("algorithm", [search, greedy_search, random_search])
def test_ctrl_c_returns_the_best_so_far(module: bytes, algorithm) -> None:
    def interrupt(progress) -> None:
        if progress.compiles == 10:
            os.kill(os.getpid(), signal.SIGINT)

    found = algorithm(module, SearchConfig(budget=1000), interrupt)
    assert found.interrupted
    assert 10 <= found.compiles < 1000
    assert found.cost <= found.baseline_cost
    assert cost_of(module, found.pipeline) == (found.key, found.cost)


def test_ctrl_c_before_the_baseline_leaves_no_result(module: bytes) -> None:
    def interrupt(progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(module, SearchConfig(budget=10), interrupt)


# -- O2 written out ---------------------------------------------------------------------


@pytest.mark.parametrize("program", [*PROGRAMS, "mirbench/json", "mirbench/fft"])
@pytest.mark.parametrize("level", ["O2", "Oz"])
def test_o2_written_out_is_o2(program: str, level: str) -> None:
    module = resolve(program).bitcode()
    with InProcessSession() as session:
        session.load(module, level=level)
        expected = session.step("default<O2>").key
        session.load(module, level=level)
        assert session.step(pipelines.o2_without(()).pipeline).key == expected


def test_a_pipeline_round_trips() -> None:
    text = "function<eager-inv>(sroa,loop-mssa(licm<a;b>,loop-rotate),gvn),globaldce,cgscc(inline)"
    assert pipelines.render(pipelines.parse(text)) == text
    assert [name for _, name in pipelines.leaves(pipelines.parse(text))] == [
        "sroa",
        "licm<a;b>",
        "loop-rotate",
        "gvn",
        "globaldce",
        "inline",
    ]


def test_unbalanced_pipelines_are_refused() -> None:
    with pytest.raises(ValueError, match="unbalanced"):
        pipelines.parse("function(sroa)),dce")


def test_empty_adaptors_go() -> None:
    tree = pipelines.parse("function(sroa,loop(licm)),globaldce")
    places = [place for place, name in pipelines.leaves(tree) if name in ("sroa", "licm")]
    assert pipelines.render(pipelines.without(tree, places)) == "globaldce"


def test_each_pass_of_o2_can_be_left_out(compile_c) -> None:
    """LLVM parses every such pipeline, and the name says what is missing."""
    module = compile_c("int main(int n, char **v) { return n * 3; }")
    with InProcessSession() as session:
        for place, name in pipelines.O2_PASSES.items():
            less = pipelines.o2_without({place})
            assert less.name == f"O2 without {name.partition('<')[0]}"
            session.load(module, level="Oz")
            session.step(less.pipeline)


def test_o2_is_a_module_pipeline_whatever_comes_first(module: bytes) -> None:
    with InProcessSession() as session:
        for count in range(1, len(O2)):
            trial = o2_without({place for place in O2_PASSES if place[0] < count})
            session.load(module, level="Oz")
            session.step(trial.pipeline)


def test_needed_passes_come_last_and_are_named() -> None:
    order = sorted(pipelines.O2_PASSES, key=pipelines.promise)
    needed = [pipelines.is_needed(place) for place in order]
    assert needed == sorted(needed)
    assert pipelines.O2_PASSES[order[0]] == "indvars"
    assert sum(needed) > 5
