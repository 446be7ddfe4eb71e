"""``mirgym.embed`` with the shipped weights, and the observation made of it."""

import os
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import mirgym
from mirgym.cli import main
from mirgym.encoder.weights import FOLDER, SHIPPED, load
from mirgym.envs import LlvmVectorEnv
from mirgym.errors import InvalidModuleError, MirgymError, UnknownProgramError
from mirgym.programs import resolve

DATA = Path(__file__).parents[1] / "data" / "views"
GOLDEN = Path(__file__).parent / "golden.npz"
CRC = "mirbench/crc"


def test_golden():
    """Made by ``MIRGYM_GOLDEN=write pytest`` on this file; again only with new weights."""
    found = {path.stem: mirgym.embed(path) for path in sorted(DATA.glob("*.ll"))}
    if os.environ.get("MIRGYM_GOLDEN") == "write":
        np.savez_compressed(GOLDEN, **found)
    golden = np.load(GOLDEN)
    assert set(golden) == set(found)
    for name, vector in found.items():
        assert np.allclose(vector, golden[name], atol=1e-3), name


def test_every_kind_of_source(tmp_path):
    program = resolve(CRC)
    bitcode = tmp_path / "crc.bc"
    bitcode.write_bytes(program.bitcode())
    vector = mirgym.embed(CRC)
    assert vector.shape == (258,)
    assert vector.dtype == np.float32
    for source in (program, bitcode, str(bitcode), program.bitcode()):
        assert np.array_equal(mirgym.embed(source), vector)
    text = DATA / "calls.ll"
    assert np.array_equal(mirgym.embed(text.read_text()), mirgym.embed(text))


def test_per_function():
    functions = mirgym.embed(CRC, per_function=True)
    assert "main" in functions
    assert {vector.shape for vector in functions.values()} == {(128,)}


def test_empty_module():
    assert not mirgym.embed("; nothing here\n").any()


def test_optimised_code_is_elsewhere():
    """Names do not matter, passes do."""
    text = (DATA / "calls.ll").read_text()
    renamed = text.replace("%x", "%another_name")
    assert np.array_equal(mirgym.embed(text), mirgym.embed(renamed))
    assert not np.allclose(mirgym.embed(CRC), mirgym.embed("mirbench/sha2"), atol=0.05)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("not IR\n", InvalidModuleError),
        ("no/such.c", UnknownProgramError),
        (b"BC", InvalidModuleError),
    ],
)
def test_bad_sources(source, error):
    with pytest.raises(error):
        mirgym.embed(source)


def test_unknown_model():
    with pytest.raises(MirgymError, match="no weights at"):
        mirgym.embed(CRC, model="huge")


def test_shipped_weights_are_small():
    assert "tiny" in SHIPPED
    assert sum(path.stat().st_size for path in FOLDER.glob("*.safetensors")) <= 20_000_000
    assert sum(p.numel() for p in load("tiny").parameters()) <= 600_000


def test_observation_is_the_embedding():
    env = gym.make("mir-llvm-v0", programs=CRC)
    first, _ = env.reset(seed=0)
    assert np.allclose(first, mirgym.embed(CRC), atol=1e-4)
    after, *_ = env.step(env.unwrapped.passes.index("mem2reg"))
    bitcode = env.unwrapped.episode.session.emit("bc")
    assert np.allclose(after, mirgym.embed(bitcode), atol=1e-4)
    assert not np.allclose(after, first, atol=1e-3)
    twin = env.unwrapped.fork()
    assert np.array_equal(twin.episode.observation(), after)
    twin.close()
    env.close()


def test_vector_environment_equals_single():
    single = gym.make("mir-llvm-v0", programs=CRC)
    vector = LlvmVectorEnv(2, programs=CRC)
    actions = [single.unwrapped.passes.index(n) for n in ("sroa<modify-cfg>", "inline", "gvn")]
    one, _ = single.reset(seed=0)
    several, _ = vector.reset(seed=0)
    for action in [None, *actions]:
        if action is not None:
            one = single.step(action)[0]
            several = vector.step(np.array([action, action]))[0]
        assert np.allclose(several, one, atol=1e-4)
    vector.close()
    single.close()


def test_several_observations():
    env = gym.make("mir-llvm-v0", programs=CRC, observation=("embedding", "autophase"))
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    assert set(observation) == {"embedding", "autophase"}
    env.close()


def test_command_line(tmp_path, capsys):
    assert main(["embed", CRC]) == 0
    printed = np.array(capsys.readouterr().out.split(), float)
    assert np.allclose(printed, mirgym.embed(CRC), atol=1e-4)
    target = tmp_path / "crc.npz"
    assert main(["embed", CRC, "--per-function", "-o", str(target)]) == 0
    assert set(np.load(target)) == set(mirgym.embed(CRC, per_function=True))
    assert main(["embed", "no/such.c"]) == 1
    assert "no/such.c" in capsys.readouterr().err
