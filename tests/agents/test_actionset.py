from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirgym.agents import actionset
from mirgym.agents.actionset import DEFAULT_GROUPS, GROUPS, ActionSet, build, o2_less
from mirgym.agents.pipelines import O2, O2_PASSES, leaves, parse
from mirgym.envs.actions import build_actions
from mirgym.errors import ActionSetError
from mirgym.passes import Pass, catalogue
from mirgym.session import InProcessSession

BRANCHES = """
static int twice(int x) { return x * 2; }
int main(int n, char **v) {
  int sum = 0;
  for (int i = 0; i < n; i++) sum += i & 1 ? twice(i) : twice(sum) - i;
  return sum;
}
"""


def test_the_default_leaves_the_risky_groups_out() -> None:
    chosen = build()
    assert chosen.groups == DEFAULT_GROUPS
    assert chosen.actions[: len(catalogue())] == catalogue()
    assert not any("gvn-sink" in a.pipeline or a.pipeline == "forceattrs" for a in chosen.actions)
    everything = build(GROUPS)
    assert everything.groups == GROUPS
    assert set(chosen.actions) < set(everything.actions)


def test_groups_are_joined_in_one_order() -> None:
    assert build("stages + core") == build(("core", "stages"))
    assert build("core").actions == catalogue()


def test_every_action_runs_and_gives_valid_code(compile_c) -> None:
    module = compile_c(BRANCHES)
    with InProcessSession() as session:
        session.load(module, level="Oz")
        start = session.snapshot()
        for action in build(GROUPS).actions:
            session.restore(start)
            session.step(action.pipeline, dict(action.options))
            session.verify()


def test_stages_are_pieces_of_o2() -> None:
    """Each pass of a stage stands in O2, in the same order."""
    known = [name for _, name in leaves(O2)]
    for stage in build("stages").actions:
        if not stage.name.startswith("stage:"):
            continue
        found = [name for _, name in leaves(parse(stage.pipeline))]
        rest = iter(known)
        assert found, stage.name
        assert all(name in rest for name in found), stage.name


def test_o2_less_leaves_out_what_it_says() -> None:
    every = o2_less(["gvn", "sroa#2"])
    assert every.name == "O2-gvn-sroa#2"
    left = [name for _, name in leaves(parse(every.pipeline))]
    assert len(left) == len(O2_PASSES) - 2
    assert "gvn" not in left


@pytest.mark.parametrize("name", ["indvar", "gvn#9"])
def test_o2_less_something_else(name: str) -> None:
    with pytest.raises(ActionSetError, match=f"O2 has no pass '{name}' to leave out"):
        o2_less([name])


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "actions.json"
    saved = build(GROUPS)
    ActionSet(saved.actions, "mine", {"programs": 3}).save(path)
    loaded = ActionSet.load(path)
    assert [(a.name, a.pipeline, a.options, a.group) for a in loaded.actions] == [
        (a.name, a.pipeline, a.options, a.group) for a in saved.actions
    ]
    assert (loaded.name, loaded.about) == ("mine", {"programs": 3})
    assert loaded.find("inline:15").options == (("inline-threshold", "15"),)


def test_an_environment_takes_a_set() -> None:
    chosen = build("stages+parameters")
    assert build_actions([*chosen.actions, "stop"]).passes[:-1] == chosen.actions


def written(path: Path, **changes: object) -> Path:
    build("gvn-sink").save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "has schema 2, and this mirgym reads 1"),
        ({"llvm": "24.0"}, "is for LLVM 24.0, and this is LLVM 23"),
        ({"actions": []}, "holds no action"),
        ({"actions": [{"name": "a"}]}, "an action needs 'name' and 'pipeline'"),
        ({"actions": [{"name": "a", "pipeline": "b", "options": 3}]}, "options"),
        ({"actions": [{"name": "a", "pipeline": "b"}] * 2}, r"holds \['a'\] more than once"),
        ({"actions": 3}, "an action needs"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(ActionSetError, match=message):
        ActionSet.load(written(tmp_path / "a.json", **changes))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b"null"])
def test_files_that_are_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ActionSetError, match=r"action set"):
        ActionSet.load(path)


def test_no_such_file_group_or_action(tmp_path: Path) -> None:
    with pytest.raises(ActionSetError, match="cannot read the action set"):
        ActionSet.load(tmp_path / "none.json")
    with pytest.raises(ActionSetError, match="Did you mean 'stages'"):
        build("core+stage")
    with pytest.raises(ActionSetError, match="Did you mean 'level:O2'"):
        build("stages").find("level:O22")


def test_names_are_unique() -> None:
    with pytest.raises(ActionSetError, match="more than once"):
        ActionSet((Pass("a", "x"), Pass("a", "y")))
    assert actionset.SCHEMA == 1
