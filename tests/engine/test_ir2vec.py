"""Reading vocabularies of IR2Vec, and what an embedding is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mirgym.errors import DatasetError
from mirgym.features import IR2VEC_NAMES
from mirgym.ir2vec import read_vocabulary

ADD, INTEGER, CONSTANT = map(IR2VEC_NAMES.index, ("Add", "IntegerTy", "Constant"))


def test_lines_and_json_give_the_same(tmp_path):
    lines = tmp_path / "seed.txt"
    lines.write_text("add:[1.0, 2.0],\nbr:[3, 4],\nintegerTy:[2, 4],\nconstant:[5, 10]\n")
    document = tmp_path / "seed.json"
    document.write_text(
        json.dumps(
            {
                "Opcodes": {"Add": [1, 2], "Br": [3, 4]},
                "Types": {"IntegerTy": [2, 4]},
                "Arguments": {"Constant": [5, 10]},
            }
        )
    )
    table = read_vocabulary(lines)
    assert np.array_equal(table, read_vocabulary(document))
    assert table.shape == (112, 2)
    assert table[ADD].tolist() == [1, 2]
    assert table[INTEGER].tolist() == [1, 2]  # half
    assert table[CONSTANT] == pytest.approx([1, 2])  # a fifth
    for branch in ("UncondBr", "CondBr"):
        assert table[IR2VEC_NAMES.index(branch)].tolist() == [3, 4]
    assert not table[IR2VEC_NAMES.index("Freeze")].any()


@pytest.mark.parametrize("text", ["", "hello", "{}", '{"Opcodes": 3}', "add:[1, 2],\nsub:[1],\n"])
def test_other_files_are_one_clear_error(tmp_path, text):
    path = tmp_path / "seed"
    path.write_text(text)
    with pytest.raises(DatasetError, match="not a vocabulary"):
        read_vocabulary(path)


def test_missing_file(tmp_path):
    with pytest.raises(DatasetError, match="No such file"):
        read_vocabulary(tmp_path / "none")
