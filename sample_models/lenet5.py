"""How is LeNet-5 built and trained?"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sample_models.fit import Recipe


class LeNet5(nn.Module):
    """LeNet-5: two convolutions and three fully connected layers, with ReLU and max pooling.

    Takes float32 [n, 1, 28, 28], gives logits [n, 10]. LeCun et al., 1998.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)  # the paper's digits came padded to 32x32
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, images: Tensor) -> Tensor:
        maps = F.max_pool2d(self.conv1(images).relu(), 2)
        maps = F.max_pool2d(self.conv2(maps).relu(), 2)
        hidden = self.fc1(maps.flatten(1)).relu()
        hidden = self.fc2(hidden).relu()
        logits: Tensor = self.fc3(hidden)
        return logits


RECIPE = Recipe(epochs=30, learning_rate=4e-3)
