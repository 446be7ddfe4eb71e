"""``synth://``: URIs, the same text everywhere, the mix that was asked for, no undefined runs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.dynamic_cost import CostMeter
from mirgym.errors import UnknownProgramError
from mirgym.features import INSTCOUNT_NAMES
from mirgym.programs import resolve, resolve_all
from mirgym.programs.execute import Limits
from mirgym.programs.synth import KINDS, NUMBERS, PROFILES, Profile, generate, parse
from mirgym.programs.synth.templates import templates
from mirgym.session import InProcessSession
from mirgym.validate.sanitizers import available, find_undefined
from mirgym.wire import Wanted

_WANTED = Wanted.of(views=("instcount", "ir"), key=True)
SEEDS = range(6)


def counts_of(text: str, seeds: int = 40) -> Counter[str]:
    """Constructs drawn under a URI's options, over some seeds."""
    return sum((generate(s, parse(f"0?{text}").profile).counts for s in range(seeds)), Counter())


class TestUris:
    def test_the_uri_of_a_program_is_the_program(self):
        for text in ("7", "7?profile=numeric", "7?size=400&calls=0.1&loops=0.6"):
            program = resolve(f"synth://{text}")
            assert resolve(program.uri) == program
            assert resolve(program.uri).sources == program.sources

    def test_one_way_to_write_it(self):
        assert resolve("synth://007?loops=.60&calls=0.1").uri == "synth://7?calls=0.1&loops=0.6"
        assert resolve("synth://7?profile=balanced") == resolve("synth://7")

    def test_it_has_a_small_and_a_large_run(self):
        small, large = resolve("synth://7?profile=calls").runs
        assert small.args == ("1",)
        assert int(large.args[0]) > 1

    def test_given_shares_are_kept_and_the_others_keep_their_proportions(self):
        base, changed = PROFILES["numeric"].shares, parse("7?profile=numeric&loops=0.6").profile
        assert changed.shares["loops"] == 0.6
        assert sum(changed.shares.values()) == pytest.approx(1)
        assert changed.shares["floats"] / changed.shares["arrays"] == pytest.approx(
            base["floats"] / base["arrays"]
        )

    def test_only_what_is_asked_for(self):
        assert set(counts_of("floats=0.5&bits=0.5")) == {"floats", "bits"}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "expected a seed from 0 to 4294967295, as in synth://7"),
            ("-1", "expected a seed"),
            ("x", "expected a seed"),
            ("4294967296", "expected a seed"),
            ("٣", "expected a seed"),
            ("7?profile=numerc", "unknown profile 'numerc'. Did you mean 'numeric'"),
            ("7?profile=zzz", "unknown profile 'zzz'. There are balanced, numeric"),
            ("7?loop=0.5", "unknown key 'loop'. Did you mean 'loops'"),
            ("7?zzz=1", "unknown key 'zzz'. There are profile, size"),
            ("7?loops=-0.1", "loops=-0.1: expected a share, a number from 0 to 1"),
            ("7?loops=nan", "loops=nan: expected a share"),
            ("7?loops=inf", "loops=inf: expected a share"),
            ("7?loops=much", "loops=much: expected a share"),
            ("7?globals=2", "globals=2: expected a share"),
            ("7?loops=0.7&calls=0.6", "shares of loops, calls sum to 1.3; expected at most 1"),
            ("7?size=0", "size=0: expected a whole number from 5 to 5000"),
            ("7?depth=9", "depth=9: expected a whole number from 0 to 4"),
            ("7?size=1e3", "size=1e3: expected a whole number"),
            ("7?size", "size needs a value, as in size=200"),
            ("7?size=10&size=20", "size is given twice"),
            ("7?" + "&".join(f"{kind}=0" for kind in KINDS), "every construct has the share 0"),
        ],
    )
    def test_what_is_wrong_is_told(self, text, message):
        with pytest.raises(UnknownProgramError) as error:
            resolve(f"synth://{text}")
        assert message in str(error.value)


class TestGenerator:
    def test_the_text_is_pinned(self):
        """The same on every machine: results name seeds."""
        text = "".join(generate(7, PROFILES[name]).source for name in sorted(PROFILES))
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == "f7796fa6e9fe4938"

    def test_the_order_of_hashes_does_not_matter(self):
        code = (
            "from mirgym.programs.synth import *; import zlib;"
            "print(zlib.crc32(generate(3, PROFILES['balanced']).source.encode()))"
        )
        texts = {
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("0", "1")
        }
        assert len(texts) == 1

    def test_every_template_is_written(self):
        assert set(templates()) == set(KINDS)
        assert min(map(len, templates().values())) >= 5

    def test_it_is_fast(self):
        times = []
        for name, profile in PROFILES.items():
            start = time.process_time()
            for seed in SEEDS:
                generate(seed, profile)
            times.append((time.process_time() - start) / len(SEEDS))
            assert times[-1] < 0.05, name

    @given(
        seed=st.integers(0, 2**32 - 1),
        weights=st.lists(st.floats(0, 1), min_size=len(KINDS), max_size=len(KINDS)).filter(
            lambda weights: sum(weights) > 0.01
        ),
        numbers=st.fixed_dictionaries(
            {
                "size": st.integers(NUMBERS["size"].low, 300),
                "functions": st.integers(*NUMBERS["functions"]),
                "depth": st.integers(*NUMBERS["depth"]),
                "trips": st.integers(*NUMBERS["trips"]),
                "globals": st.floats(0, 1),
            }
        ),
    )
    @settings(max_examples=60)
    def test_any_profile_gives_a_program(self, seed, weights, numbers):
        shares = dict(zip(KINDS, (w / sum(weights) for w in weights), strict=True))
        profile = Profile(shares, **numbers)
        made = generate(seed, profile)
        assert made == generate(seed, profile)
        # Each function has at least one construct, whatever the size.
        most = 1.5 * (numbers["size"] + numbers["functions"]) + 4 * numbers["functions"] + 10
        assert numbers["size"] * 0.4 <= sum(made.counts.values()) <= 3 * most
        assert {kind for kind in made.counts if not shares[kind]} <= {"arithmetic"}
        assert "$" not in made.source
        assert made.source.count("{") == made.source.count("}")

    @given(
        seed=st.integers(0, 2**32 - 1),
        shares=st.dictionaries(st.sampled_from(KINDS), st.sampled_from((0, 0.05, 0.2)), max_size=5),
        size=st.integers(5, 60),
        trips=st.integers(*NUMBERS["trips"]),
    )
    @settings(max_examples=25)
    def test_any_uri_compiles(self, seed, shares, size, trips):
        options = "&".join(f"{kind}={share}" for kind, share in shares.items())
        program = resolve(f"synth://{seed}?size={size}&trips={trips}&{options}".rstrip("&"))
        assert resolve(program.uri).sources == program.sources
        assert program.bitcode()

    def test_data_is_declared_with_what_sums_it_up(self):
        """Arrays of ``double`` and no variables of that type, as seed 86 once had."""
        assert resolve("synth://86?profile=balanced").bitcode()


class TestMix:
    def test_counts_follow_the_shares(self):
        """Of what can stand everywhere; loops and calls are left out where they cannot."""
        drawn = counts_of("profile=balanced&size=200")
        shares = PROFILES["balanced"].shares
        kinds = [k for k in KINDS if k not in ("loops", "whiles", "calls", "branches", "switches")]
        expected = np.array([shares[kind] for kind in kinds])
        found = np.array([drawn[kind] for kind in kinds])
        assert found / found.sum() == pytest.approx(expected / expected.sum(), abs=0.015)

    def test_more_is_more(self):
        for kind in KINDS:
            low, high = (counts_of(f"{kind}={share}&size=100", 12) for share in (0.02, 0.3))
            share = [one[kind] / sum(one.values()) for one in (low, high)]
            assert share[1] > 3 * share[0], kind

    def test_the_ir_follows_the_profile(self):
        """The profile that is named for it has most of it, for each instruction."""
        found = {}
        with InProcessSession() as session:
            for name in PROFILES:
                totals, loads = np.zeros(70), 0
                for seed in SEEDS:
                    module = resolve(f"synth://{seed}?profile={name}").bitcode()
                    session.load(module)
                    state = session.step("function(mem2reg)", wanted=_WANTED)
                    totals += state.views["instcount"]
                    loads += str(state.views["ir"]).count("= load ptr,")
                row = dict(zip(INSTCOUNT_NAMES, totals / totals[0], strict=True))
                found[name] = {**row, "load ptr": loads / totals[0]}
        most = {
            "numeric": ("FAdd", "FMul", "FDiv"),
            "pointers": ("load ptr",),
            "control": ("Br", "Switch"),
            "embedded": ("And", "LShr"),
            "calls": ("Ret",),
            "strings": ("Trunc",),
        }
        for name, columns in most.items():
            for column in columns:
                best = max(found, key=lambda one, c=column: found[one][c])
                assert best == name, (column, {n: round(r[column], 4) for n, r in found.items()})

    def test_size_and_globals(self):
        def lines(text: str) -> float:
            profile = parse(f"0?{text}").profile
            return float(np.mean([generate(s, profile).source.count("\n") for s in range(20)]))

        assert lines("size=400") > 4 * lines("size=40")
        profile = parse("0?globals=0").profile
        assert not any("gv0" in generate(seed, profile).source for seed in range(10))


class TestRuns:
    def test_seeds_and_profiles_give_distinct_modules(self):
        uris = [f"synth://{seed}?profile={name}" for seed in SEEDS for name in PROFILES]
        with InProcessSession() as session:
            keys = [session.load(p.bitcode(), wanted=_WANTED).key for p in resolve_all(uris)]
        assert len(set(keys)) == len(uris)

    @pytest.mark.parametrize("name", PROFILES)
    def test_optimised_programs_print_the_same(self, name):
        """CostMeter compares what is printed with what the unoptimised module printed."""
        with InProcessSession() as session:
            for seed in range(4):
                program = resolve(f"synth://{seed}?profile={name}")
                meter = CostMeter(program)
                session.load(program.bitcode(), level="O3")
                start = meter.cost(session)
                session.step("default<O3>")
                assert meter.cost(session) < start, program.uri

    @pytest.mark.parametrize("name", PROFILES)
    def test_nothing_undefined_happens(self, name):
        if not available()[0]:
            pytest.skip("clang's sanitizers do not work here")
        program = resolve(f"synth://11?profile={name}")
        finding = find_undefined(program, program.runs[0], Limits())
        assert not finding.undefined, program.uri
