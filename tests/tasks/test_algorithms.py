"""Generated algorithm implementations: right answers, checks that can fail, wide variety.

``MIRGYM_ALGORITHM_SAMPLES=20 pytest tests/tasks`` looks at 20 programs of each class (and
mutates every class) instead of the few that make the tests fast.
"""

from __future__ import annotations

import doctest
import os
import random
import re
import subprocess
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from mirgym.errors import UnknownProgramError
from mirgym.programs import Run
from mirgym.programs.compile import FRONT_END_FLAGS, find_clang
from mirgym.programs.execute import Limits, run_program
from mirgym.session import InProcessSession
from mirgym.tasks import algorithms
from mirgym.tasks.algorithms import ALGORITHMS, generate, implementations, split_of
from mirgym.tasks.algorithms.family import templates
from mirgym.tasks.algorithms.rewrite import Rewriter, expand, layout
from mirgym.validate.compare import unmet

SAMPLES = int(os.environ.get("MIRGYM_ALGORITHM_SAMPLES", "1"))
TRAPS = ("-fsanitize=undefined", "-fsanitize-trap=undefined")
LIMITS = Limits(seconds=10, memory_bytes=1 << 28, processes=4)


def build(folder: Path, source: str, *flags: str) -> Path:
    file, out = folder / "program.c", folder / "program"
    file.write_text(source)
    command = [str(find_clang()), "-O1", "-w", *flags, str(file), "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def run_once(folder: Path, implementation, *flags: str, limits: Limits = LIMITS):
    """Build and run; the result, and what the program must do that it did not."""
    stdin, stdout = folder / "stdin", folder / "stdout"
    stdin.write_text(implementation.stdin)
    stdout.write_text(implementation.stdout)
    run = Run(stdin=stdin, stdout=stdout)
    result = run_program(build(folder, implementation.source, *flags), run, limits)
    return result, unmet(run, result)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_programs_print_what_the_model_says(algorithm, tmp_path):
    first = ALGORITHMS.index(algorithm) * 1000  # other styles for each class
    for seed in range(first, first + SAMPLES):
        implementation = generate(algorithm, seed)
        result, wrong = run_once(tmp_path, implementation, *TRAPS)
        assert not wrong, (implementation.name, wrong, result.stderr)


CHANGES = {
    " -= ": " += ", " /= ": " *= ", " != ": " == ", " < ": " >= ", " > ": " <= ", " == ": " != ", " + ": " - ", " - ": " + ", " += ": " -= ",
    " % ": " / ", " / ": " % ", "LT(": "!LT(", "0": "1", "1": "2", "++": "--", "&": "|",
}  # fmt: skip


def mutants(text: str) -> list[str]:
    """A template with one operator or number changed at a time, but not in heads of loops."""
    found = []
    for old, new in CHANGES.items():
        for match in re.finditer(re.escape(old), text):
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            if ") {" in line or "for (" not in line:
                found.append(text[: match.start()] + new + text[match.end() :])
    random.Random(0).shuffle(found)
    return found


CHECKED = (
    "bubble sort",
    "quicksort",
    "sieve",
    "crc",
    "dijkstra",
    "edit distance",
    "hanoi",
    "rabin karp",
)


@pytest.mark.parametrize("algorithm", CHECKED if SAMPLES == 1 else ALGORITHMS)
def test_self_checks_fail_on_wrong_results(algorithm, tmp_path, monkeypatch):
    seed = next(s for s in range(100) if generate(algorithm, s).style.check != "none")
    right = generate(algorithm, seed)
    assert not run_once(tmp_path, right)[1]
    texts = dict(templates(algorithm))
    caught = missed = 0
    for mutant in mutants(texts[right.template])[:30]:
        changed = texts | {right.template: mutant}
        monkeypatch.setattr(algorithms, "templates", lambda _, changed=changed: changed)
        wrong = generate(algorithm, seed)
        try:
            result, _ = run_once(tmp_path, wrong, limits=replace(LIMITS, seconds=1))
        except subprocess.CalledProcessError:
            continue  # the mutant is no C
        caught += result.exit_code in (1, -6)  # exit(1) or a flag, abort()
        missed += result.exit_code == 0 and result.stdout != right.stdout.encode()
        if caught >= 3 and SAMPLES == 1:
            break
    assert caught > 0
    assert missed <= caught


def keys_of(folder: Path, sample) -> list[int]:
    """Structural keys of programs, before any optimisation."""
    names = []
    for number, implementation in enumerate(sample):
        (folder / f"{number}.c").write_text(implementation.source)
        names.append(f"{number}.c")
    subprocess.run([str(find_clang()), *FRONT_END_FLAGS, *names], cwd=folder, check=True)
    with InProcessSession() as session:
        return [session.load((folder / f"{n}.bc").read_bytes()).key for n in range(len(sample))]


@pytest.mark.parametrize(
    "algorithm", ("bubble sort", "n queens", "crc", "hanoi") if SAMPLES == 1 else ALGORITHMS
)
def test_hardly_any_two_programs_are_alike(algorithm, tmp_path):
    sample = [generate(algorithm, seed) for seed in range(40)]
    assert len(set(keys_of(tmp_path, sample))) >= 38


def test_equal_seeds_give_equal_programs():
    assert len(ALGORITHMS) >= 24
    for algorithm in ALGORITHMS:
        assert generate(algorithm, 7) == generate(algorithm, 7)
    assert generate("sieve", 1).source != generate("sieve", 2).source
    some = list(implementations(per_class=2, seed=5))
    assert [p.algorithm for p in some[::2]] == list(ALGORITHMS)
    assert {p.seed for p in some} == {5, 6}


def test_unknown_algorithms_are_refused():
    with pytest.raises(UnknownProgramError, match=r"no algorithm 'quiksort'.*'quicksort'"):
        generate("quiksort", 0)


def test_splits_hold_out_whole_templates_and_styles():
    sides = defaultdict(set)
    for program in implementations(per_class=25):
        sides[program.algorithm, program.template].add(split_of(program))
        goto = program.style.loop == "goto"
        assert not goto or split_of(program, by="style") == "test"
    assert all(len(side) == 1 for side in sides.values())
    for algorithm in ALGORITHMS:
        names = list(templates(algorithm))
        assert len(names) >= 3
        assert [sides[algorithm, name] for name in names[-2:]] == [{"train"}, {"test"}]
    with pytest.raises(ValueError, match="no split by 'colour'"):
        split_of(program, by="colour")


def test_styles_are_what_the_text_shows():
    shown = {
        "malloc": lambda p: p.style.storage == "malloc" and "calloc(" in p.source,
        "scanf": lambda p: p.style.input == "scanf" and "scanf(" in p.source,
        "abort": lambda p: p.style.check == "abort" and "abort();" in p.source,
        "callback": lambda p: p.style.compare == "callback" and "(*compare)" in p.source,
        "steps": lambda p: p.style.counts and "steps" in p.source,
        "swap": lambda p: p.style.swap == "function" and "swap(" in p.source,
    }
    programs = [generate("heap sort", seed) for seed in range(60)]
    for name, shows in shown.items():
        assert any(map(shows, programs)), name
    for program in programs:
        assert ("exit(1)" in program.source) == (program.style.check == "exit")
        assert ("goto " in program.source) <= (program.style.loop == "goto")
        assert re.search(rf"\b{program.style.element}\b", program.source)
        assert not re.search(r"\b[A-Z]+\(|\b[TI]\b", program.source.replace("NULL", ""))


@pytest.mark.parametrize("form", ["for", "while", "do", "goto"])
def test_loops_take_every_form(form, tmp_path):
    style = next(
        s
        for seed in range(400)
        if (s := generate("sieve", seed).style).loop == form and s.access == "pointer"
    )
    text = """
    for (int i = 1; i < 6; i++) { a[i] = a[i - 1] + i; }
    for (int i = 5; i >= 0; i--) { if (a[i] == 3) { continue; } else { sum += a[i]; } }
    while (sum > 30) { sum -= 7; if (sum == 33) { break; } }
    each (int x : a, 6) { sum = sum * 3 + x; }"""
    seen = set()
    for seed in range(6):
        body = Rewriter(random.Random(seed), style, {"a": "int"})(text)
        seen.add(body)
        source = layout(
            "#include <stdio.h>\nint main(void) {\nint a[6] = {1}, sum = 0;\n"
            f'{body}\nprintf("%d", sum);\nreturn 0;\n}}\n'
        )
        result = run_program(build(tmp_path, source, *TRAPS), Run(), LIMITS)
        a = [1, 2, 4, 7, 11, 16]
        total = sum(a)
        while total > 30:
            total -= 7
            if total == 33:
                break
        for x in a:
            total = total * 3 + x
        assert result.stdout == str(total).encode(), source
    assert len(seen) > 2
    assert any({"do": "do {", "goto": "goto "}.get(form, f"{form} (") in body for body in seen)


def test_macros_expand_from_within():
    assert expand("A(1, A(f(2, 3), 4)) BA(5)", "A", lambda x, y: f"[{x}|{y}]") == (
        "[1|[f(2, 3)|4]] BA(5)"
    )
    with pytest.raises(ValueError, match="no closing bracket"):
        expand("A(1", "A", lambda x: x)


def test_the_example_in_the_docstring():
    assert doctest.testmod(algorithms).failed == 0
