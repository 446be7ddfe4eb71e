from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments import mine_edits
from experiments.mine_edits import EditsConfig, promise
from mirgym.agents.edits import Edit, all_edits, promising
from mirgym.passes import Pass

FEW = all_edits()[::3]


def test_edits_that_give_the_same_module_count_once() -> None:
    gains = [
        [("set", "a", "1", 0.3, "x"), ("set", "b", "1", 0.3, "x"), ("drop", "c", "", -1.0, "y")],
        [("set", "a", "1", -0.2, "z"), ("set", "b", "1", 0.1, "w"), ("drop", "c", "", 0.0, "v")],
    ]
    found = promise(gains)
    assert found == {Edit("set", "b", "1"): pytest.approx(0.2)}
    assert promise([]) == {}


def test_what_remains_of_an_edit_stays() -> None:
    gains = [
        [("set", "a", "1", 0.3, "x"), ("set", "b", "1", 0.3, "x")],
        [("set", "a", "1", 0.1, "y"), ("set", "b", "1", 0.2, "z")],
        [("set", "a", "1", 0.3, "y"), ("set", "b", "1", 0.0, "z")],
    ]
    found = promise(gains)
    assert list(found) == [Edit("set", "a", "1"), Edit("set", "b", "1")]
    assert found[Edit("set", "b", "1")] == pytest.approx(0.2 / 3)


def test_a_pass_at_several_places_counts_where_it_gains_most() -> None:
    gains = [[("drop", "gvn", "", 0.1, "x"), ("drop", "gvn", "", 0.4, "y")]]
    assert promise(gains) == {Edit("drop", "gvn"): pytest.approx(0.4)}


def test_a_whole_run_goes_on_from_what_is_there(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(mine_edits, "all_edits", lambda: FEW)
    level = Pass("level", "default<O1>")
    monkeypatch.setattr(mine_edits.Guide, "to_try", lambda guide, size: [level])
    config = EditsConfig(
        programs=("bitcount",),
        first=1,
        jobs=1,
        folder=tmp_path / "results",
        work=tmp_path / "work",
        output=tmp_path / "edits.json",
    )
    assert mine_edits.main(config) == 0
    written = json.loads(config.output.read_text())
    gains = [row[-1] for row in written["edits"]["ir_instructions"]]
    assert gains and gains == sorted(gains, reverse=True)
    (file,) = config.work.glob("*.json")
    file.write_text(json.dumps({key: [["set", "a", "1", 0.5, "x"]] for key in written["edits"]}))
    assert mine_edits.main(config) == 0
    assert json.loads(config.output.read_text())["edits"]["text_size_bytes"] == [
        ["set", "a", "1", 0.5]
    ]


def test_what_is_shipped_names_edits_that_exist() -> None:
    known = set(all_edits())
    for objective in ("text_size_bytes", "ir_instructions"):
        edits = promising(objective)
        assert len(edits) > 20
        assert all(edit.kind == "drop" or edit in known for edit in edits)
        assert list(edits.values()) == sorted(edits.values(), reverse=True)
