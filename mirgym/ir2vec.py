"""IR2Vec (VenkataKeerthy et al., TACO 2020), from LLVM's own analysis.

The engine counts (view ``ir2vec``); a vocabulary of learned vectors is the user's: either
LLVM's JSON (``llvm/lib/Analysis/models/*.json`` of its sources), or ``seedEmbeddingVocab.txt``
of the package ``ir2vec`` on PyPI. An embedding is the counts times the vocabulary.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np

from .errors import DatasetError
from .features import IR2VEC_NAMES

WEIGHTS = {"opcodes": 1.0, "types": 0.5, "arguments": 0.2}
"""IR2Vec's own weights of the three sections."""

_TYPES, _ARGUMENTS = IR2VEC_NAMES.index("FloatTy"), IR2VEC_NAMES.index("Function")


def read_vocabulary(path: str | Path) -> np.ndarray:
    """A vocabulary's vectors, weighted, shape ``(len(IR2VEC_NAMES), width)``, float32.

    Entries that the file lacks are zero, as in LLVM.

    Raises:
        DatasetError: The file is missing or is not a vocabulary.
    """
    try:
        text = Path(path).read_text()
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}; give the path of a vocabulary") from error
    try:
        entries = _from_json(text) if text.lstrip().startswith("{") else _from_lines(text)
        (width,) = {len(vector) for vector in entries.values()}
        table = np.zeros((len(IR2VEC_NAMES), width), np.float32)
        for row, name in enumerate(IR2VEC_NAMES):
            table[row] = entries.get(_key(name), 0)
    except (ValueError, KeyError, TypeError, AttributeError, SyntaxError) as error:
        raise DatasetError(
            f"{path} is not a vocabulary of IR2Vec; give LLVM's JSON or seedEmbeddingVocab.txt"
        ) from error
    table[:_TYPES] *= WEIGHTS["opcodes"]
    table[_TYPES:_ARGUMENTS] *= WEIGHTS["types"]
    table[_ARGUMENTS:] *= WEIGHTS["arguments"]
    return table


def _key(name: str) -> str:
    """Both branches of LLVM 23 are one opcode in older vocabularies."""
    return {"uncondbr": "br", "condbr": "br"}.get(name.lower(), name.lower())


def _from_json(text: str) -> dict[str, list[float]]:
    sections = json.loads(text)
    merged = {k: v for name in ("Opcodes", "Types", "Arguments") for k, v in sections[name].items()}
    return {_key(name): vector for name, vector in merged.items()}


def _from_lines(text: str) -> dict[str, list[float]]:
    """Lines such as ``add:[0.1, -0.2],``."""
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return {_key(name.strip()): ast.literal_eval(v.strip().rstrip(",")) for name, _, v in pairs}
