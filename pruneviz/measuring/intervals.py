"""How sure can one be of a share that was counted on a sample?"""

from __future__ import annotations

import math

Z95 = 1.959963984540054


def wilson(hits: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a proportion (95 % by default), in [0, 1].

    Wilson 1927; (0, 1) when n is 0. Raises ValueError when hits is not in 0..n.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"hits must be in 0..{n}, got {hits}")
    if n == 0:
        return 0.0, 1.0
    share, factor = hits / n, 1 + z * z / n
    middle = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (middle - spread) / factor, (middle + spread) / factor
    # Exact at the ends, where rounding would leave 1e-17.
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == n else min(1.0, high))


def paired_difference(gained: int, lost: int, n: int, z: float = Z95) -> tuple[float, float, float]:
    """(difference, low, high) of two accuracies measured on the same n samples.

    gained: samples right now and wrong before; lost: the other way round. The interval is the
    adjusted Wald of Bonett & Price 2012 (one count added to either kind of change), which keeps
    its coverage with few changes and never has width zero. (0, -1, 1) when n is 0.
    Raises ValueError when the counts do not fit into n.
    """
    if gained < 0 or lost < 0 or gained + lost > n:
        raise ValueError(f"{gained} gained and {lost} lost do not fit into {n} samples")
    if n == 0:
        return 0.0, -1.0, 1.0
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    middle = up - down
    spread = z * math.sqrt((up + down - middle * middle) / (n + 2))
    return (gained - lost) / n, max(-1.0, middle - spread), min(1.0, middle + spread)
