"""How is the small vision transformer built and trained?"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sample_models.fit import Recipe


class Attention(nn.Module):
    """Self-attention with queries, keys and values in one layer: [n, tokens, dim] to the same."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        parts = self.qkv(tokens).unflatten(2, (3, self.num_heads, self.head_dim))
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        seen = F.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return mixed


class Mlp(nn.Module):
    """Two linear layers on each token by itself: [n, tokens, dim] to the same."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        changed: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return changed


class Block(nn.Module):
    """Attention, then an MLP, each normed before and added to what came in."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, 2 * dim)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        changed: Tensor = self.mlp(self.norm2(tokens))
        return tokens + changed


class VisionTransformer(nn.Module):
    """A small vision transformer: 4 blocks of 4 heads over 49 patches and a class token.

    Takes float32 [n, 1, 28, 28], gives logits [n, 10]. Dosovitskiy et al., 2021; parts are named
    as timm names them.
    """

    def __init__(self) -> None:
        super().__init__()
        side, patch, dim, depth, num_heads = 28, 4, 64, 4, 4
        self.patch_embed = nn.Conv2d(1, dim, patch, stride=patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (side // patch) ** 2, dim))
        for embedding in (self.cls_token, self.pos_embed):
            # Not normal_: on the "meta" device that imports half of torch, for a second.
            nn.init.trunc_normal_(embedding, std=0.02)
        self.blocks = nn.Sequential(*(Block(dim, num_heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch_embed(images).flatten(2).transpose(1, 2)
        # shape[0], not len(): torch.export would fix the number of images at the one it saw.
        first = self.cls_token.expand(patches.shape[0], -1, -1)
        tokens = torch.cat([first, patches], dim=1) + self.pos_embed
        tokens = self.norm(self.blocks(tokens))
        logits: Tensor = self.head(tokens[:, 0])
        return logits


RECIPE = Recipe(epochs=50, learning_rate=2e-3)
