"""How long may somebody in a class train?"""

from __future__ import annotations

import time

from pruneviz.classroom import current_rules
from pruneviz.progress import Progress
from pruneviz.training import Training


def check_length(training: Training) -> None:
    """ValueError where it is longer than one may be in this class."""
    rules = current_rules()
    if rules is not None:
        rules.check_training(training)


def within_class(training: Training, report: Progress) -> Progress:
    """A report that ends a training which lasts longer than one may in this class; outside of a
    class the one that is given. ValueError where it is too long from the start.
    """
    check_length(training)
    rules = current_rules()
    if rules is None:
        return report
    end = time.monotonic() + rules.seconds

    def tell(label: str, done: float) -> None:
        if time.monotonic() > end and done < 1:
            raise ValueError(
                f"in this class one lasts at most {rules.seconds} seconds; what was trained until "
                "the last full epoch is kept"
            )
        report(label, done)

    return tell
