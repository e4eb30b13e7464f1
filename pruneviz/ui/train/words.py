"""What does each setting of a training mean?"""

from __future__ import annotations

HELP = {
    "epochs": "How often every training sample is seen; for methods with rounds, in each round.",
    "learning_rate": "The highest rate. To recover accuracy, a tenth of the rate that trained "
    "the network is usual.",
    "start": "From the weights on the screen, or from new ones drawn with the seed; the paper on "
    "lottery tickets starts with new ones.",
    "samples": "How many of the first samples to train on. With few of them you can see "
    "overfitting.",
    "schedule": "How the learning rate falls from its highest value, in each round.",
    "rounds": "How many times it is cut and trained again.",
    "rewind": "The epoch of the first round whose weights a ticket is rewound to; 0: the initial "
    "weights.",
    "controls": "After each ticket, also trains the same mask with new weights, and a random "
    "mask with the ticket's weights: three times the work, and the only way to tell "
    "whether it is a winning ticket.",
    "cut": "The part of the training in which it cuts or rewires; after it the masks stay fixed.",
    "end": "The penalty applies until then; after that the network is cut and trained without it.",
    "every": "Optimiser steps from one change of the masks to the next.",
    "drop": "The fraction of a layer's weights that is rewired at first; it falls along a cosine.",
    "strength": "How much the penalty counts relative to the loss.",
    "silent": "Cuts only units of whose activations at least this percentage is ≤ 0, and never "
    "more of a layer than the plan says. 0: cuts the least active units, as many as "
    "the plan says.",
    "memory": "How much the running statistics keep at each step.",
    "remove": "Units that are cut are removed at once: later epochs are cheaper.",
}
