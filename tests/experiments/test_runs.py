"""What experiments keep in their work folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.runs import claim
from mirgym.errors import DatasetError


def test_a_work_folder_is_for_one_set_of_settings(tmp_path: Path) -> None:
    work = tmp_path / "work"
    claim(work, (120, "a"))
    claim(work, (120, "a"))
    with pytest.raises(DatasetError, match=r"work of other settings .* give another folder"):
        claim(work, (60, "a"))
