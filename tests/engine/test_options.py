"""LLVM's command-line options: set for one step, then set back."""

from __future__ import annotations

import threading

import pytest

from mirgym import errors
from mirgym.session import InProcessSession, Session

CALLS = """
static int work(int x) {
  int sum = 0;
  for (int i = 0; i < x; i++) { sum += i * x; sum ^= x >> (i & 7); if (sum & 1) sum *= 3; }
  for (int i = x; i > 0; i--) { sum -= i * x; sum ^= x << (i & 3); if (sum & 2) sum /= 5; }
  return sum * 3;
}
int f(int a) { return work(a) + work(a + 1) + work(a * 2); }
int g(int b) { return work(b) ^ work(b - 1); }
"""
INLINE = "cgscc(inline)"


@pytest.fixture(scope="module")
def calls(compile_c):
    return compile_c(CALLS)


def after_inlining(session: Session, module: bytes, options=None) -> tuple[int, int]:
    session.load(module)
    session.step("function(sroa,simplifycfg)")
    state = session.step(INLINE, options)
    return state.key, state.metrics["ir_instructions"]


class TestOptions:
    def test_have_an_effect(self, session: Session, calls):
        none = after_inlining(session, calls, {"inline-threshold": "-1000"})
        all_of_them = after_inlining(session, calls, {"inline-threshold": "100000"})
        assert none[1] < all_of_them[1]

    def test_last_for_one_step(self, session: Session, calls):
        never_set = after_inlining(session, calls)
        for value in ("-1000", "100000"):
            after_inlining(session, calls, {"inline-threshold": value})
            assert after_inlining(session, calls) == never_set

    def test_an_empty_set_is_none(self, session: Session, calls):
        assert after_inlining(session, calls, {}) == after_inlining(session, calls)

    def test_several(self, session: Session, calls):
        options = {"inline-threshold": "100000", "inline-call-penalty": "7"}
        assert after_inlining(session, calls, options)[1] > 0

    def test_values_may_be_numbers(self, session: Session, calls):
        text = after_inlining(session, calls, {"inline-threshold": "100000"})
        assert after_inlining(session, calls, {"inline-threshold": 100000}) == text

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"inline-treshold": "1"}, r"unknown LLVM option 'inline-treshold'.*without dashes"),
            ({"--inline-threshold": "1"}, "unknown LLVM option '--inline-threshold'"),
            ({"": "1"}, "unknown LLVM option ''"),
            ({"help": "1"}, "unknown LLVM option 'help'"),  # would end the process
            ({"version": "1"}, "unknown LLVM option 'version'"),
            ({"inline-threshold": "many"}, "'inline-threshold' does not take the value 'many'"),
            ({"inline-threshold": ""}, "does not take the value ''"),
            ({"enable-load-pre": "perhaps"}, "does not take the value 'perhaps'"),
        ],
    )
    def test_bad_ones_are_refused(self, session: Session, calls, options, message):
        key = session.load(calls).key
        with pytest.raises(errors.UnknownPassError, match=message):
            session.step(INLINE, options)
        assert session.observe().key == key

    def test_a_bad_one_undoes_the_good_ones(self, session: Session, calls):
        never_set = after_inlining(session, calls)
        with pytest.raises(errors.UnknownPassError, match="nonsense"):
            after_inlining(session, calls, {"inline-threshold": "-1000", "nonsense": "1"})
        assert after_inlining(session, calls) == never_set

    def test_a_bad_pipeline_undoes_them_too(self, session: Session, calls):
        never_set = after_inlining(session, calls)
        with pytest.raises(errors.UnknownPassError, match="nonsense"):
            session.step("nonsense", {"inline-threshold": "-1000"})
        assert after_inlining(session, calls) == never_set


def test_threads_do_not_see_each_other(calls):
    """Options are process-wide, sessions are not."""
    wanted = {}
    with InProcessSession() as session:
        for value in (None, "-1000", "100000"):
            wanted[value] = after_inlining(session, calls, value and {"inline-threshold": value})
    wrong: list[str] = []

    def run(value: str | None) -> None:
        with InProcessSession() as session:
            for _ in range(30):
                options = value and {"inline-threshold": value}
                if after_inlining(session, calls, options) != wanted[value]:
                    wrong.append(str(value))

    threads = [threading.Thread(target=run, args=(value,)) for value in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
