"""Which words of forms and filters have an explanation of their own?"""

from __future__ import annotations

from pruneviz.glossary.term import Term

SETTINGS = {
    "interval": Term(
        "Interval",
        "The ends between which the true value lies with 95 % confidence: other samples would "
        "have given a somewhat different number. Where the interval of a change holds zero, it "
        "cannot be told from chance. More samples make it narrower.",
        source="Wilson 1927, doi:10.1080/01621459.1927.10502953",
    ),
    "network": Term(
        "Network",
        "A trained network with the data that measures it. The samples come with pruneviz; your "
        "own is opened with Upload on the workbench, or named when the app is started.",
    ),
    "one_layer": Term(
        "Layer",
        "One step of the network with weights of its own, called by its path in the network, such "
        "as `fc1` or `blocks.3.conv1`.",
    ),
    "samples": Term(
        "Samples",
        "How many of the validation samples measure each plan, the first ones. More take longer "
        "and make the intervals narrower.",
    ),
    "seed": Term(
        "Seed",
        "The number from which all chance is drawn. The same seed gives the same result again; "
        "another one shows how much of a result is luck.",
    ),
    "epoch": Term(
        "Epoch",
        "One pass over all training samples: each is seen once.",
    ),
    "batch": Term(
        "Batch",
        "How many training samples are answered together before the weights move once. A larger "
        "one gives steadier steps, and fewer of them in an epoch.",
    ),
    "optimizer": Term(
        "Optimiser",
        "The rule that turns gradients into a change of the weights. `sgd` follows the gradient, "
        "with momentum; `adam` and `adamw` scale each weight's step by how large its gradients "
        "have been.",
        source="Kingma & Ba 2015 (Adam), arXiv:1412.6980; Loshchilov & Hutter 2019 (AdamW), "
        "arXiv:1711.05101",
    ),
    "momentum": Term(
        "Momentum",
        "How much of the last step is taken along into the next one. Near 1 the weights keep "
        "rolling, with 0 each step stands alone.",
        "v ← m · v + g, w ← w − r · v;  w: the weights, g: their gradient, v: the step, m: the "
        "momentum, r: the learning rate",
        "Polyak 1964, doi:10.1016/0041-5553(64)90137-5",
    ),
    "weight_decay": Term(
        "Weight decay",
        "Pulls every weight of a layer a little towards zero at each step, so that none grows "
        "without need. Biases and normalisations are left alone.",
        source="Krogh & Hertz 1991, NeurIPS 4, pages 950–957; Loshchilov & Hutter 2019, "
        "arXiv:1711.05101",
    ),
    "precision": Term(
        "Precision",
        "With how many bits it is computed while it trains: `32-true` is the usual; mixed ones "
        "use 16 bits where that is safe, which is faster on GPUs made for it.",
        source="Micikevicius et al. 2018, arXiv:1710.03740",
    ),
    "augmentation": Term(
        "Augmentation",
        "Changes each training sample a little each time it is seen, in a way that leaves its "
        "answer the same, so that the network cannot learn it by heart.",
        source="Simard et al. 2003, doi:10.1109/ICDAR.2003.1227801",
    ),
    "branch": Term(
        "Branch",
        "A line of plans that begins where you went back and tried something else. A name makes "
        "it easy to find again.",
    ),
    "session": Term(
        "Session",
        "What you did in one browser tab from opening the app on. *all* also shows what you did "
        "before, and in other tabs.",
    ),
}
