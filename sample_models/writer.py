"""How is the small language model built and trained?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from pruneviz.data import IGNORED

LENGTH = 64  # positions of its window


class Attention(nn.Module):
    """Each word looks at itself and those before it: [n, words, dim] to the same."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.o_proj = nn.Linear(dim, dim)

    def forward(self, words: Tensor) -> Tensor:
        query, key, value = (
            project(words).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        mixed: Tensor = self.o_proj(seen.transpose(1, 2).flatten(2))
        return mixed


class Mlp(nn.Module):
    """Two linear layers on each word by itself: [n, words, dim] to the same."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, words: Tensor) -> Tensor:
        changed: Tensor = self.fc2(F.gelu(self.fc1(words)))
        return changed


class Block(nn.Module):
    """Attention, then an MLP, each normed before and added to what came in."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, 4 * dim)

    def forward(self, words: Tensor) -> Tensor:
        words = words + self.attn(self.norm1(words))
        changed: Tensor = self.mlp(self.norm2(words))
        return words + changed


class Writer(nn.Module):
    """A small GPT: 4 blocks of 4 heads that guess the next word of a story.

    Takes numbers of words int64 [n, words], at most 64, gives logits [n, words, vocabulary].
    Radford et al., 2019, with queries, keys and values in layers of their own.
    """

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        dim, depth, num_heads = 96, 4, 4
        # Not nn.Embedding's own start: on the "meta" device that imports half of torch.
        self.embed = nn.Embedding(vocabulary, dim, _weight=torch.empty(vocabulary, dim))
        self.pos_embed = nn.Parameter(torch.empty(1, LENGTH, dim))
        for embedding in (self.embed.weight, self.pos_embed):
            nn.init.trunc_normal_(embedding, std=0.02)
        self.blocks = nn.Sequential(*(Block(dim, num_heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, vocabulary, bias=False)

    def forward(self, words: Tensor) -> Tensor:
        states = self.embed(words) + self.pos_embed[:, : words.shape[1]]
        logits: Tensor = self.head(self.norm(self.blocks(states)))
        return logits


@dataclass(frozen=True)
class WriterRecipe:
    """What its training depends on besides the stories and the seed.

    AdamW under a one-cycle schedule of `steps` whose highest rate is `learning_rate`; each step
    sees `batch` stories that it has never seen before. There is a cycle for each emphasis: so many
    times a word counts that needs a skill. The first learns the language; in the second what only
    one word in a hundred tells can be heard.
    """

    steps: int
    learning_rate: float
    batch: int = 32
    weight_decay: float = 0.05
    emphasis: tuple[float, ...] = (4.0, 20.0)

    @property
    def rounds(self) -> int:
        """Steps of all cycles."""
        return self.steps * len(self.emphasis)


RECIPE = WriterRecipe(steps=1_600, learning_rate=3e-3)


def fit_writer(
    build: Callable[[], nn.Module],
    recipe: WriterRecipe,
    batches: Callable[[int], tuple[Tensor, Tensor, Tensor]],
    seed: int,
    tell: Callable[[int, float], None] = lambda step, loss: None,
) -> nn.Module:
    """A newly built network, trained on new stories at each step, in eval mode.

    batches(n): the next n stories: words, the words that follow (-100: none) and their skills (0:
    none), int64 [n, 64] each. The same seed and stories give the same weights on the same machine
    with the same number of threads; torch's global generator is left as it was. tell(step of all
    cycles, mean loss in nats) after each hundred.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build()
    for number, emphasis in enumerate(recipe.emphasis):
        tell_cycle = partial(_tell_from, number * recipe.steps, tell)
        fit_cycle(model, recipe, emphasis, batches, tell_cycle)
    return model.eval().requires_grad_(False)


def _tell_from(before: int, tell: Callable[[int, float], None], step: int, loss: float) -> None:
    tell(before + step, loss)


def fit_cycle(
    model: nn.Module,
    recipe: WriterRecipe,
    emphasis: float,
    batches: Callable[[int], tuple[Tensor, Tensor, Tensor]],
    tell: Callable[[int, float], None],
) -> None:
    """Trains `model` in place for one cycle; see `fit_writer`."""
    model.train()
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.parameters() if p.ndim > 1]},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, recipe.steps, pct_start=0.1
    )
    total = 0.0
    for step in range(1, recipe.steps + 1):
        words, following, skills = batches(recipe.batch)
        weight = (following != IGNORED).float() + (emphasis - 1) * (skills > 0)
        each = F.cross_entropy(model(words).flatten(0, 1), following.flatten(), reduction="none")
        loss = (each * weight.flatten()).sum() / weight.sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += loss.item()
        if step % 100 == 0:
            tell(step, total / 100)
            total = 0.0
