"""How is LeNet-300-100 built and trained?"""

from __future__ import annotations

from torch import Tensor, nn

from sample_models.fit import Recipe


class LeNet300(nn.Module):
    """LeNet-300-100: three fully connected layers, the oldest subject of pruning papers.

    Takes float32 [n, 1, 28, 28], gives logits [n, 10]. LeCun et al., 1998.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, 10)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.fc1(images.flatten(1)).relu()
        hidden = self.fc2(hidden).relu()
        logits: Tensor = self.fc3(hidden)
        return logits


RECIPE = Recipe(epochs=40, learning_rate=2e-3)
