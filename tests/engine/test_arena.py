"""Heap and stack of the runs whose addresses are looked at."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mirgym.dynamic_cost import CostMeter
from mirgym.execution import Counters, Ending
from mirgym.programs import resolve
from mirgym.session import InProcessSession, Session
from mirgym.traces import SiteKind
from mirgym.worker import WorkerSession

from .test_execute import ENDS, HEAD, SHORT, Place, run

CompileC = Callable[..., bytes]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


MEMORY = """
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define CHECK(what) if (!(what)) { printf("%d: %s", __LINE__, #what); return 1; }
static int whole(char *p, size_t n, int byte) {
  for (size_t i = 0; i < n; i++) if (p[i] != byte) return 0;
  return 1;
}
int main(int count, char **given) {
  char *kept[400];
  for (int i = 0; i < 400; i++) {                       /* blocks do not overlap */
    size_t n = (size_t)i * i + 1;
    kept[i] = malloc(n);
    CHECK(kept[i] && (uintptr_t)kept[i] % 16 == 0 && malloc_usable_size(kept[i]) >= n);
    memset(kept[i], i, n);
  }
  for (int i = 0; i < 400; i += 2) free(kept[i]);
  for (int i = 0; i < 400; i += 2) {
    kept[i] = calloc(i + 1, i + 1);
    CHECK(whole(kept[i], (size_t)(i + 1) * (i + 1), 0));
    memset(kept[i], i, (size_t)(i + 1) * (i + 1));
  }
  for (int i = 1; i < 400; i += 2) {
    kept[i] = realloc(kept[i], (size_t)i * i * 3 + 100);
    CHECK(whole(kept[i], (size_t)i * i + 1, (char)i));
  }
  CHECK(!realloc(malloc(3), 0));
  CHECK(calloc(SIZE_MAX / 2, 4) == NULL && reallocarray(NULL, SIZE_MAX / 2, 4) == NULL);
  void *aligned;
  CHECK(posix_memalign(&aligned, 4096, 10) == 0 && (uintptr_t)aligned % 4096 == 0);
  CHECK(posix_memalign(&aligned, 3, 10) != 0);
  free(aligned);
  char *more = aligned_alloc(64, 1000);
  CHECK((uintptr_t)more % 64 == 0);
  more = realloc(more, 5000);
  free(more);
  char *line = malloc(2);                               /* the C library makes it larger */
  size_t size = 2;
  CHECK(getline(&line, &size, stdin) == 27 && size > 27 && !strncmp(line, "abcdefghijklm", 13));
  CHECK(getline(&line, &size, stdin) == 2);
  free(line);
  char *made;                                           /* is the C library's */
  CHECK(asprintf(&made, "%s %d", given[1], count) == 5);
  CHECK(!strcmp(made, "one 2"));
  made = realloc(made, 1 << 20);
  free(made);
  char *copy = strdup(given[0]), *bounded = strndup(given[0], 3);
  CHECK(!strcmp(copy, "program") && !strcmp(bounded, "pro"));
  free(copy);
  free(bounded);
  char *huge = malloc(600u << 20);                      /* larger than all of it */
  CHECK(huge);
  huge[599u << 20] = 1;
  free(huge);
  printf("fine");
  return 0;
}
"""


@pytest.mark.parametrize("counters", [Counters.BRANCHES, Counters.VALUES])
def test_memory_is_what_a_program_expects(
    session: Session, place: Place, compile_c: CompileC, counters: Counters
) -> None:
    session.load(compile_c(MEMORY))
    request = place.request("one", stdin="abcdefghijklmnopqrstuvwxyz\n1\n")
    done = session.execute([request] * 2, counters=counters)
    assert place.stdout.read_text() == "fine"
    assert {r[:3] for r in done.runs} == {(Ending.EXITED, 0, done.runs[0].cost)}


def test_it_costs_the_same(local: InProcessSession, place: Place, compile_c: CompileC) -> None:
    local.load(compile_c(MEMORY))
    request = place.request("one", stdin="abcdefghijklmnopqrstuvwxyz\n1\n")
    costs = {local.execute([request], counters=c).runs[0].cost for c in Counters}
    costs.add(local.trace([request]).runs[0].cost)
    assert len(costs) == 1


LIBRARIES = """
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <vector>
static std::jmp_buf back;
static int depth(int n) { if (n == 0) std::longjmp(back, 5); return depth(n - 1) + 1; }
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main() {
  std::map<int, std::vector<int>> words;
  for (int i = 0, word; std::scanf("%d", &word) == 1; i++) words[word].push_back(i);
  int caught = 0;
  try { words[1].at(1000); } catch (const std::exception &) { caught = 1; }
  int jumped = setjmp(back);
  if (!jumped) return depth(9);
  int *numbers = (int *)std::malloc(300 * sizeof(int));
  for (int i = 0; i < 300; i++) numbers[i] = (i * 7919) % 300;
  std::qsort(numbers, 300, sizeof(int), compare);
  char *path = realpath("/", nullptr);
  std::printf("%zu %d %d %d %s", words[1].size(), caught, jumped, numbers[299], path);
  std::free(path);
  std::free(numbers);
}
"""


def test_with_libraries_that_allocate(session: Session, place: Place, compile_c: CompileC) -> None:
    session.load(compile_c(LIBRARIES, "-stdlib=libstdc++", cpp=True))
    request = place.request(stdin="1\n2\n1\n" * 50)
    for how in ("", "default<O2>"):
        if how:
            session.step(how)
        costs = set()
        for counters in (Counters.NONE, Counters.VALUES):
            done = session.execute([request], libraries=["stdc++"], counters=counters)
            costs.add(done.runs[0].cost)
            assert place.stdout.read_text() == "100 1 5 299 /"
        done = session.trace([request], libraries=["stdc++"])
        assert place.stdout.read_text() == "100 1 5 299 /"
        assert costs == {done.runs[0].cost}


@pytest.mark.parametrize("what", ["exits in a handler", "overflows its stack", "aborts"])
def test_it_ends_as_always(session: Session, place: Place, compile_c: CompileC, what: str) -> None:
    body, ending, code = ENDS[what]
    module = compile_c(f"{HEAD}int main(int n, char **v) {{ {body} }}")
    found = run(session, module, place.request(), counters=Counters.VALUES)
    assert found.runs[0][:2] == (ending, code)
    assert session.trace([place.request()], limits=SHORT).runs[0][:2] == (ending, code)


def test_where_things_lie(session: Session, place: Place, compile_c: CompileC) -> None:
    text = """
#include <stdlib.h>
int global = 3;
int main(void) {
  int *heap = malloc(4), local = 5;
  int *volatile at = &local;
  *heap = 4;
  return global + *heap + *at;
}
"""
    session.load(compile_c(text))
    session.step("function(mem2reg)")
    done = session.trace([place.request()])
    assert done.runs[0].code == 12
    places = {int(a) >> 40 for a in done.traces[0].of(SiteKind.LOAD)[1]}
    assert places == {0x10, 0x20, 0x21}  # the program, its heap, its stack


@pytest.mark.parametrize("name", ["json", "lisp", "trees"])
def test_runs_are_the_same_in_every_process(name: str) -> None:
    program = resolve(f"mirbench/{name}")
    traces, samples = [], []
    for kind in (WorkerSession, InProcessSession, WorkerSession):
        with kind() as session:
            session.load(program.bitcode(), level="O3")
            session.step("default<O2>")
            meter = CostMeter(program)
            traces.append(meter.trace(session, limit=200_000))
            functions = meter.profile(session, values=True).functions
            samples.append(np.concatenate([f.values.samples.ravel() for f in functions]))
    for other in (1, 2):
        assert np.array_equal(traces[0].sites, traces[other].sites)
        assert np.array_equal(traces[0].payloads, traces[other].payloads)
        assert np.array_equal(samples[0], samples[other])


def test_a_stack_overflow_is_told(local: InProcessSession, place: Place) -> None:
    module = b"""
define i32 @down(i32 %n) {
  %space = alloca [4096 x i8]
  store volatile i32 %n, ptr %space
  %more = add i32 %n, 1
  %r = call i32 @down(i32 %more)
  %back = load volatile i32, ptr %space
  %sum = add i32 %r, %back
  ret i32 %sum
}
define i32 @main() {
  %r = call i32 @down(i32 0)
  ret i32 %r
}
"""
    local.load(module)
    report = local.execute([place.request()], counters=Counters.VALUES).runs[0]
    assert report[:2] == (Ending.SIGNALLED, signal.SIGSEGV)
