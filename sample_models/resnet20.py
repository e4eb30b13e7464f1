"""How is ResNet-20 built and trained?"""

from __future__ import annotations

from torch import Tensor, nn

from sample_models.fit import Recipe


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut: [n, narrow, h, w] to [n, wide, h/stride, w/stride].

    Where the shape changes, the shortcut is a 1x1 convolution (option B of He et al., 2015).
    """

    def __init__(self, narrow: int, wide: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(narrow, wide, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide)
        self.conv2 = nn.Conv2d(wide, wide, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.downsample = nn.Sequential()
        if stride > 1 or narrow != wide:
            self.downsample = nn.Sequential(
                nn.Conv2d(narrow, wide, 1, stride, bias=False), nn.BatchNorm2d(wide)
            )

    def forward(self, maps: Tensor) -> Tensor:
        inner = self.bn1(self.conv1(maps)).relu()
        outer: Tensor = self.bn2(self.conv2(inner)) + self.downsample(maps)
        return outer.relu()


class ResNet20(nn.Module):
    """ResNet-20: nine residual blocks with batch norm; layers on one shortcut share their width.

    Takes float32 [n, 1, 28, 28], gives logits [n, 10]. He et al., 2015, section 4.2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.fc = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.bn1(self.conv1(images)).relu()
        maps = self.layer3(self.layer2(self.layer1(maps)))
        logits: Tensor = self.fc(maps.mean((2, 3)))
        return logits


RECIPE = Recipe(epochs=20, learning_rate=1e-2)
