"""Small networks of many kinds, each with data to send through."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pruneviz.data import Data

Made = tuple[nn.Module, Data]

SAMPLES = 12


class AudioNet(nn.Module):
    """A 1-D convolutional network on sound, strided, dilated and grouped."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv1d(1, 16, 16, stride=4), nn.BatchNorm1d(16), nn.ReLU()),
            *(nn.Conv1d(16, 32, 5, dilation=2), nn.BatchNorm1d(32), nn.ReLU()),
            *(nn.Conv1d(32, 32, 3, groups=4, padding="same"), nn.GELU(), nn.AdaptiveAvgPool1d(4)),
        )
        self.head = nn.Linear(128, 6)

    def forward(self, sound: Tensor) -> Tensor:
        return self.head(self.body(sound).flatten(1))


class LstmClassifier(nn.Module):
    """Words in, one of four classes out, by the last state of two LSTM layers."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.lstm = nn.Embedding(50, 16), nn.LSTM(16, 24, 2, batch_first=True)
        self.hidden, self.head = nn.Linear(24, 32), nn.Linear(32, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.lstm(self.words(tokens))
        return self.head(self.hidden(states[:, -1]).relu())


class GruTagger(nn.Module):
    """Steps in, one of four classes out, by a GRU that reads time first and both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(6, 10, 2, bidirectional=True)
        self.hidden, self.head = nn.Linear(20, 16), nn.Linear(16, 4)

    def forward(self, steps: Tensor) -> Tensor:
        states, _ = self.gru(steps.transpose(0, 1))
        return self.head(self.hidden(states.mean(0)).relu())


class CellReader(nn.Module):
    """Steps in, three numbers out, by an LSTM's cell, and a cell without gates behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.plain = nn.LSTMCell(6, 12), nn.RNNCell(12, 8, bias=False)
        self.hidden, self.head = nn.Linear(8, 12), nn.Linear(12, 3)

    def forward(self, steps: Tensor) -> Tensor:
        state, last = None, None
        for step in steps.unbind(1):
            state = self.cell(step, state)
            last = self.plain(state[0], last)
        return self.head(self.hidden(last).relu())


class Experts(nn.Module):
    """Rows in, one of four classes out, by the best two of three experts for each row.

    The first weights are stored as [experts, units, inputs], the second as [experts, inputs,
    units], as libraries do both.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inward, self.router = nn.Linear(6, 10), nn.Linear(10, 3)
        self.hidden, self.head = nn.Linear(10, 12), nn.Linear(12, 4)
        self.up = nn.Parameter(torch.randn(3, 16, 10) / 4)
        self.down = nn.Parameter(torch.randn(3, 16, 10) / 4)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.inward(x).relu()
        weights, chosen = self.router(rows).softmax(-1).topk(2)
        inside = torch.einsum("ni,eoi->eno", rows, self.up).relu()
        said = torch.bmm(inside, self.down).transpose(0, 1)
        picked = torch.take_along_dim(said, chosen.unsqueeze(-1), 1)
        return self.head(self.hidden(rows + (picked * weights.unsqueeze(-1)).sum(1)).relu())


class UNet(nn.Module):
    """Pictures in, a class for each pixel out: down, up by a transposed convolution, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.inward = nn.Conv2d(3, 16, 3, padding=1)
        self.down = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.middle = nn.Conv2d(32, 32, 3, padding=1)
        self.up = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.joined, self.head = nn.Conv2d(32, 16, 3, padding=1), nn.Conv2d(16, 5, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        wide = F.relu(self.inward(pictures))
        deep = F.relu(self.middle(F.relu(self.down(wide))))
        return self.head(F.relu(self.joined(torch.cat([wide, self.up(deep)], 1))))


class Encoder(nn.Module):
    """torch's own transformer encoder, with packed projections."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 3)

    def forward(self, steps: Tensor) -> Tensor:
        return self.head(self.body(steps).mean(1))


class Regressor(nn.Module):
    """Three numbers out, to come close to."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh())
        self.head = nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class Detector(nn.Module):
    """Pictures in, scores and boxes at two scales out, behind a neck that joins both."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.deep = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1)
        self.norm, self.deeper = nn.BatchNorm2d(16), nn.BatchNorm2d(32)
        self.side, self.top = nn.Conv2d(16, 24, 1), nn.Conv2d(32, 24, 1)
        self.smooth = nn.Conv2d(24, 24, 3, padding=1)
        self.scores, self.boxes = nn.Conv2d(24, 5, 1), nn.Conv2d(24, 4, 1)

    def forward(self, x: Tensor) -> dict[str, list[Tensor]]:
        near = self.norm(self.stem(x)).relu()
        far = self.top(self.deeper(self.deep(near)).relu())
        joined = self.smooth(self.side(near) + F.interpolate(far, scale_factor=2.0)).relu()
        scales = [joined, far.relu()]
        return {
            "scores": [self.scores(scale) for scale in scales],
            "boxes": [self.boxes(scale) for scale in scales],
        }


class Separator(nn.Module):
    """A mixture of sounds in, a waveform in stereo for each of three sources out."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv1d(1, 32, 16, stride=8, padding=4)
        self.bottleneck, self.mask = nn.Conv1d(32, 24, 1), nn.Conv1d(24, 96, 1)
        self.block = nn.Conv1d(24, 24, 3, padding=2, dilation=2)
        self.decoder = nn.ConvTranspose1d(32, 2, 16, stride=8, padding=4)

    def forward(self, mixture: Tensor) -> tuple[Tensor, ...]:
        sound = self.encoder(mixture).relu()
        inside = self.bottleneck(sound).relu()
        masks = self.mask(inside + self.block(inside).relu()).sigmoid().chunk(3, 1)
        return tuple(self.decoder(sound * mask) for mask in masks)


class TwoInputs(nn.Module):
    """A picture and a row of numbers in, one of four classes out."""

    def __init__(self) -> None:
        super().__init__()
        self.look, self.read = nn.Conv2d(3, 16, 3, padding=1), nn.Linear(6, 12)
        self.join, self.head = nn.Linear(28, 20), nn.Linear(20, 4)

    def forward(self, picture: Tensor, numbers: Tensor) -> Tensor:
        seen = self.look(picture).relu().mean((2, 3))
        both = torch.cat([seen, self.read(numbers).relu()], 1)
        return self.head(self.join(both).relu())


class TwoHeads(nn.Module):
    """Rows in, classes and an embedding out."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.deep = nn.Linear(8, 32), nn.Linear(32, 24)
        self.classes, self.embedding = nn.Linear(24, 5), nn.Linear(24, 6)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        inside = self.deep(self.body(x).relu()).relu()
        return {"logits": self.classes(inside), "embedding": self.embedding(inside)}


def own_networks() -> dict[str, Callable[[], Made]]:
    n = SAMPLES
    return {
        "1-D audio CNN": lambda: (AudioNet(), Data(torch.randn(n, 1, 800), torch.arange(n) % 6)),
        "LSTM classifier": lambda: (
            LstmClassifier(),
            Data(torch.randint(0, 50, (n, 5)), torch.arange(n) % 4),
        ),
        "GRU, both ways": lambda: (GruTagger(), Data(torch.randn(n, 4, 6), torch.arange(n) % 4)),
        "LSTM cell": lambda: (CellReader(), Data(torch.randn(n, 3, 6), torch.randn(n, 3))),
        "Experts": lambda: (Experts(), Data(torch.randn(n, 6), torch.arange(n) % 4)),
        "U-Net": lambda: (
            UNet(),
            Data(torch.randn(n, 3, 16, 16), torch.randint(0, 5, (n, 16, 16))),
        ),
        "torch TransformerEncoder": lambda: (
            Encoder(),
            Data(torch.randn(n, 7, 16), torch.arange(n) % 3),
        ),
        "MLP regressor": lambda: (Regressor(), Data(torch.randn(n, 8), torch.randn(n, 3))),
        "Detector, two scales": lambda: (Detector(), Data(torch.rand(n, 3, 32, 32))),
        "Source separation": lambda: (Separator(), Data(torch.randn(n, 1, 320))),
        "Two inputs": lambda: (
            TwoInputs(),
            Data(
                {"picture": torch.rand(n, 3, 12, 12), "numbers": torch.randn(n, 6)},
                torch.arange(n) % 4,
            ),
        ),
        "Two heads": lambda: (TwoHeads(), Data(torch.randn(n, 8), torch.arange(n) % 5)),
    }
