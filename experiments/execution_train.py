"""Training an ``ExecutionNet`` on blocks' samples, and asking it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from .execution_data import BlockSamples
from .execution_net import ExecutionNet, Inputs, NetConfig, asked, bits_of, collate, surest

Sample = tuple[BlockSamples, int]
"""A block, and which of its samples."""


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained."""

    epochs: int = 12
    batch: int = 64
    rate: float = 3e-3
    """Highest learning rate: it rises for a tenth of the steps, then falls to 0."""
    bits: float = 0.05
    """Weight of the loss of a load's bit, that of a branch being 1."""


class Targets(NamedTuple):
    """What is asked about a batch: B branches, L loads.

    Attributes:
        branches: Nodes: (B,) int64.
        conditions: Nodes, their first operands: (B,) int64.
        hints: (B,) float32.
        outcomes: (B,) float32.
        branch_events: (B,) int64.
        loads: Nodes: (L,) int64.
        operands: Nodes, their first operands: (L,) int64.
        pointers: What the loads' two bases hold, 0 without one: (L, 2) uint64.
        addresses: (L,) uint64.
        load_events: (L,) int64.
    """

    branches: np.ndarray
    conditions: np.ndarray
    hints: np.ndarray
    outcomes: np.ndarray
    branch_events: np.ndarray
    loads: np.ndarray
    operands: np.ndarray
    pointers: np.ndarray
    addresses: np.ndarray
    load_events: np.ndarray

    def bases(self, net: ExecutionNet) -> np.ndarray:
        """What the network reckons addresses from: (L, bases) uint64."""
        return self.pointers if net.config.relative else np.zeros_like(self.pointers[:, :1])


def batch_of(samples: Sequence[Sample]) -> tuple[Inputs, Targets]:
    """Graphs with values, and what is asked about them."""
    given = collate(
        [block.graph for block, _ in samples],
        [block.values[number] for block, number in samples],
        [block.block for block, _ in samples],
    )
    counts = given.graph.node_counts.numpy()
    starts = np.cumsum(counts) - counts
    parts = [_targets(*sample, start) for sample, start in zip(samples, starts, strict=True)]
    return given, Targets(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _targets(block: BlockSamples, number: int, start: int) -> Targets:
    """Of one sample, whose nodes begin at ``start``."""
    branch = slice(number, number + int(block.branch_events[number] >= 0))
    loads = np.flatnonzero(block.load_events[number] >= 0)
    values = np.append(block.values[number], np.uint64(0))  # the last one: no base
    firsts = block.graph.firsts
    # The graph may have no room for an operand; then the target stands for it.
    operands = np.where(firsts >= 0, firsts, np.arange(len(firsts)))
    count = branch.stop - branch.start
    return Targets(
        branches=np.full(count, start + block.branch),
        conditions=np.full(count, start + operands[block.branch]),
        hints=block.hints[branch],
        outcomes=block.outcomes[branch].astype(np.float32),
        branch_events=block.branch_events[branch],
        loads=start + block.loads[loads],
        operands=start + operands[block.loads[loads]],
        pointers=values[block.bases[loads]],
        addresses=block.addresses[number, loads],
        load_events=block.load_events[number, loads],
    )


def all_of(blocks: Sequence[BlockSamples]) -> list[Sample]:
    """Every sample of the blocks."""
    return [(block, number) for block in blocks for number in range(len(block.values))]


def train(
    blocks: Sequence[BlockSamples],
    shape: NetConfig,
    config: TrainConfig,
    seed: int,
    tasks: Sequence[str] = ("branch", "load"),
) -> ExecutionNet:
    """A network that learnt these tasks together from these samples."""
    torch.manual_seed(seed)
    net = ExecutionNet(shape)
    samples = all_of(blocks)
    steps = config.epochs * -(-len(samples) // config.batch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.rate, total_steps=steps, pct_start=0.1
    )
    for chosen in _shuffled(samples, config, np.random.default_rng(seed)):
        loss = _loss(net, *batch_of(chosen), config, tasks)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return net.eval()


def _shuffled(
    samples: Sequence[Sample], config: TrainConfig, generator: np.random.Generator
) -> Iterator[list[Sample]]:
    for _ in range(config.epochs):
        order = generator.permutation(len(samples))
        for first in range(0, len(order), config.batch):
            yield [samples[i] for i in order[first : first + config.batch]]


def _loss(
    net: ExecutionNet, given: Inputs, targets: Targets, config: TrainConfig, tasks: Sequence[str]
) -> torch.Tensor:
    """The sum of the tasks' losses, each a mean over the batch."""
    states = net.nodes(given)
    loss = states.sum() * 0.0
    if "branch" in tasks and len(targets.branches):
        of_branches = asked(states, targets.branches, targets.conditions)
        logits = net.branch_logits(of_branches, torch.from_numpy(targets.hints))
        outcomes = torch.from_numpy(targets.outcomes)
        loss = loss + F.binary_cross_entropy_with_logits(logits, outcomes)
    if "load" in tasks and len(targets.loads):
        # (L, bases, 64)
        logits = net.load_logits(asked(states, targets.loads, targets.operands))
        wanted = bits_of(targets.addresses[:, None] - targets.bases(net))
        each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        loss = loss + config.bits * each.sum((1, 2)).mean()
    return loss


class Claims(NamedTuple):
    """What is said about samples of one program, in their order.

    Attributes:
        taken: Of each branch whether its condition will hold: (B,) bool.
        addresses: Of each load: (L,) uint64.
        made: Whether a load's address is claimed at all: (L,) bool.
    """

    taken: np.ndarray
    addresses: np.ndarray
    made: np.ndarray


def ask(net: ExecutionNet, blocks: Sequence[BlockSamples], size: int = 256) -> Claims:
    """What a network says of every sample."""
    samples = all_of(blocks)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    with torch.inference_mode():
        for first in range(0, len(samples), size):
            given, targets = batch_of(samples[first : first + size])
            states = net.nodes(given)
            of_branches = asked(states, targets.branches, targets.conditions)
            holds = net.branch_logits(of_branches, torch.from_numpy(targets.hints)) > 0
            logits = net.load_logits(asked(states, targets.loads, targets.operands))
            found.append((holds.numpy(), surest(logits, targets.bases(net))))
    taken, addresses = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Claims(taken, addresses, np.ones(len(addresses), bool))
