"""The encoder and its batches: what an embedding may depend on, and what it must."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch

from mirgym.encoder.arrays import FIELD_OFFSETS, NODE_OFFSETS, RELATIONS
from mirgym.encoder.batch import collate
from mirgym.encoder.config import BASE, TINY
from mirgym.encoder.dataset import crop
from mirgym.encoder.model import Encoder
from tests.encoder.conftest import view_of

STRAIGHT = "define i32 @f(i32 %a) {{\n{body}  ret i32 %v{last}\n}}\n"


def straight_line(instructions: int) -> str:
    lines = [
        f"  %v{i} = add i32 %{'a' if i == 0 else f'v{i - 1}'}, {i}\n"
        for i in range(instructions - 1)
    ]
    return STRAIGHT.format(body="".join(lines), last=instructions - 2)


def embed(encoder, views):
    with torch.inference_mode():
        return encoder(collate(views, encoder.config.window)).fused


def test_sizes():
    count = {c: sum(p.numel() for p in Encoder(c).parameters()) for c in (BASE, TINY)}
    assert count[BASE] <= 8_000_000
    assert count[TINY] <= 600_000


def test_batch_equals_single(untrained, crc):
    together = embed(untrained, crc.functions)
    apart = torch.cat([embed(untrained, [view]) for view in crc.functions])
    assert torch.allclose(together, apart, atol=2e-5)
    backwards = embed(untrained, crc.functions[::-1]).flip(0)
    assert torch.allclose(together, backwards, atol=2e-5)


def test_prepared_tables_change_nothing(crc):
    encoder = Encoder(TINY).eval()
    before = embed(encoder, crc.functions)
    assert torch.allclose(embed(encoder.prepare_inference(), crc.functions), before, atol=1e-5)


def test_deterministic(untrained, crc):
    assert torch.equal(embed(untrained, crc.functions), embed(untrained, crc.functions))


@pytest.mark.parametrize("instructions", [1, 2, 15, 16, 17, 31, 32, 33, 64, 200, 50_000])
def test_any_size(untrained, instructions):
    text = (
        "define void @f() {\n  ret void\n}\n" if instructions == 1 else straight_line(instructions)
    )
    (view,) = view_of(text).functions
    assert view.tokens.shape == (8, instructions)
    vector = embed(untrained, [view])
    assert vector.shape == (1, TINY.d_embed)
    assert torch.isfinite(vector).all()


@pytest.mark.parametrize("modality", ["text", "graph"])
def test_one_modality_ignores_the_other(crc, modality):
    torch.manual_seed(0)
    encoder = Encoder(dataclasses.replace(TINY, modality=modality)).eval()
    view = crc.functions[0]
    other = (
        view._replace(nodes=view.nodes * 0, edges=view.edges[::-1])
        if modality == "text"
        else view._replace(tokens=view.tokens * 0)
    )
    assert torch.equal(embed(encoder, [view]), embed(encoder, [other]))


@pytest.mark.parametrize("conv", ["ggnn", "gatv2", "pna"])
def test_other_convolutions(crc, conv):
    encoder = Encoder(dataclasses.replace(TINY, conv=conv)).eval()
    together = embed(encoder, crc.functions[:5])
    apart = torch.cat([embed(encoder, [view]) for view in crc.functions[:5]])
    assert torch.allclose(together, apart, atol=2e-5)


def test_operand_order_matters(untrained):
    text = "define i32 @f(i32 %a, i32 %b) {{\n  %d = sub i32 {}\n  ret i32 %d\n}}\n"
    one, other = (view_of(text.format(o)).functions[0] for o in ("%a, %b", "%b, %a"))
    assert not torch.allclose(embed(untrained, [one]), embed(untrained, [other]))


def test_contraction(crc):
    """Defined variables become their instructions; every other edge is there both ways."""
    view = crc.functions[0]
    batch = collate([view])
    definitions = int((view.edge_kinds >> 3 == 2).sum())
    assert len(batch.nodes) == view.nodes.shape[1] - definitions
    assert batch.edges.shape[1] == 2 * (view.edges.shape[1] - definitions)
    edges = sorted(zip(*batch.edges.tolist(), strict=True))
    assert edges == sorted(zip(*batch.edges.flip(0).tolist(), strict=True))
    assert set(batch.relations.tolist()) == set(range(len(RELATIONS)))


def test_edge_weights_are_means(crc):
    """The weights of one relation's edges into one node sum to one."""
    batch = collate(crc.functions)
    slots = batch.edges[1] * len(RELATIONS) + batch.relations
    sums = torch.zeros(int(slots.max()) + 1).index_add_(0, slots, batch.edge_weights)
    assert torch.allclose(sums[slots], torch.ones(len(slots)))


def test_codes_stay_in_their_fields(crc):
    batch = collate(crc.functions)
    for codes, offsets in ((batch.tokens, FIELD_OFFSETS), (batch.nodes, NODE_OFFSETS)):
        for column in range(codes.shape[1]):
            assert codes[:, column].min() >= offsets[column]
            assert codes[:, column].max() < offsets[column + 1] - 1  # the last is the mask


def test_windows_hold_every_instruction_once(crc):
    batch = collate(crc.functions, 64)
    rows = torch.cat([w.rows[w.real] for w in batch.windows])
    assert sorted(rows.tolist()) == list(range(len(batch.tokens)))


def test_crop():
    view = view_of(straight_line(300)).functions[0]
    part = crop(view, 100, 50)
    assert np.array_equal(part.tokens, view.tokens[:, 100:150])
    assert np.array_equal(part.nodes[:, :50], view.nodes[:, 100:150])
    assert part.edges.max() < part.nodes.shape[1]
    control = part.edges[:, part.edge_kinds >> 3 == 0]
    assert control.shape[1] == 49


def test_embedding_does_not_import_torch_geometric():
    """It takes longer to import than torch does, and only other convolutions need it."""
    code = (
        "import sys, mirgym; mirgym.embed('mirbench/crc'); print('torch_geometric' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
