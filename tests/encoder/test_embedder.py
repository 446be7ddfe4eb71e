"""The cache of embeddings, and what a module's embedding is made of."""

import numpy as np
import pytest

from mirgym.encoder.embedder import SCALE, Embedder, MissingViewError
from mirgym.session import InProcessSession
from mirgym.views import ModuleView
from mirgym.wire import Wanted
from tests.encoder.conftest import view_of

NEW = Wanted.of(views=("new_functions",), key=False)
ALL = Wanted.of(views=("functions",), key=False)
CALLS = """
define i32 @a(i32 %x) {
  %1 = call i32 @b(i32 %x)
  %2 = call i32 @c(i32 %1)
  ret i32 %2
}
define i32 @b(i32 %x) {
  %1 = mul i32 %x, 3
  ret i32 %1
}
define i32 @c(i32 %x) {
  %1 = udiv i32 %x, 7
  %2 = call i32 @b(i32 %1)
  ret i32 %2
}
"""


def test_module_is_weighted_sum(untrained):
    embedder = Embedder(untrained)
    module = view_of(CALLS)
    a, b, c = embedder.functions(module.functions)
    own = (3 * a + 2 * b + 3 * c) / 8
    called = (3 * (b + c) / 2 + 3 * b) / 8
    expected = np.r_[own, called, np.log(9) / SCALE, np.log(4) / SCALE]
    assert np.allclose(embedder.module(module), expected, atol=1e-5)


def test_cache_changes_nothing(untrained, crc):
    warm, cold = Embedder(untrained), Embedder(untrained)
    warm.functions(crc.functions)
    assert np.allclose(warm.module(crc), cold.module(crc), atol=2e-5)
    first = cold.module(crc)
    cold.forget()
    assert np.array_equal(cold.module(crc), first)


def test_only_new_functions_are_embedded(untrained, crc, monkeypatch):
    embedder = Embedder(untrained)
    embedder.module(crc)
    monkeypatch.setattr(embedder, "_embed", lambda batch: pytest.fail("embedded again"))
    embedder.module(crc)


def test_steps_by_new_functions(untrained):
    """The view that leaves out what was sent gives what the whole view gives."""
    embedder = Embedder(untrained)
    with InProcessSession() as session:
        session.load(CALLS.encode(), wanted=NEW)
        for pipeline in ("", "function(instcombine)", "inline", "globaldce", "function(gvn)"):
            view = (session.step(pipeline, wanted=NEW) if pipeline else session.observe(ALL)).views
            small = view.get("new_functions") or view["functions"]
            whole = session.observe(ALL).views["functions"]
            fresh = Embedder(untrained)
            assert np.allclose(embedder.module(small), fresh.module(whole), atol=2e-5)


def test_lost_embedding(untrained, crc):
    embedder = Embedder(untrained)
    keys_only = crc._replace(functions=[None] * len(crc.functions))
    assert not embedder.knows(keys_only)
    with pytest.raises(MissingViewError, match="not cached"):
        embedder.module(keys_only)
    embedder.module(crc)
    assert embedder.knows(keys_only)
    assert np.array_equal(embedder.module(keys_only), embedder.module(crc))


def test_least_recently_used_goes(untrained, crc):
    embedder = Embedder(untrained, cached_functions=2)
    embedder.functions(crc.functions[:1])
    for view in crc.functions[1:4]:
        embedder.functions([view])
    assert list(embedder._cache) == crc.keys[2:4]


def test_empty_module(untrained):
    embedder = Embedder(untrained)
    empty = ModuleView([], [], [], [], [])
    assert not embedder.module(empty).any()
    assert embedder.functions([]).shape == (0, embedder.function_size)
