"""Which words and numbers on the screen have an explanation of their own?"""

from __future__ import annotations

from pruneviz.glossary.term import Term

TERMS = {
    "pruning": Term(
        "Pruning",
        "Cutting away what a trained network needs least: single connections, or whole neurons and "
        "filters. How much can go before accuracy falls is what this tool measures.",
        source="LeCun, Denker & Solla 1990 (Optimal Brain Damage)",
    ),
    "sparsity": Term(
        "Sparsity",
        "The share of a layer's weights or units that is cut: at 0 % all are kept, at 90 % one in "
        "ten. What a slider asks for and what is cut can differ: counts are whole numbers (halves "
        "go to the even one), a global ranking shares out its cuts by itself, and an N:M pattern "
        "knows only one sparsity.",
        "k = round(sparsity · items);  k: how many are cut",
    ),
    "dense": Term(
        "Dense",
        "The network as it was first opened, with nothing cut. Every change is told from it, on "
        "the same samples.",
    ),
    "mask": Term(
        "Mask",
        "For each weight whether it is kept or cut. A cut weight counts as zero, and its value is "
        "remembered, so that moving the slider back restores the network exactly. Masks alone make "
        "nothing smaller or faster; removing whole units does.",
        "weight in use = weight · mask;  mask: 1 kept, 0 cut",
    ),
    "parameter": Term(
        "Parameter",
        "A number that training has set: a weight, a bias, or a scale or shift of a normalisation. "
        "All of them together are the size of a network. Only weights are pruned.",
    ),
    "mac": Term(
        "MAC (multiply-accumulate)",
        "One multiplication and the addition of its result to a sum: the step that a network "
        "consists of, and the unit in which its work is counted. How long it takes depends on the "
        "machine, so fewer MACs are not always less time.",
        "linear layer: inputs · outputs;  convolution: weights · positions of its output",
    ),
    "granularity": Term(
        "Granularity",
        "What is cut as one piece: single weights, whole neurons and filters, attention heads, "
        "whole blocks, or weights in a fixed N:M pattern. The finer the pieces, the more accuracy "
        "is left at a given sparsity; only whole units can be removed, so that the network gets "
        "smaller and faster.",
        source="Mao et al. 2017, arXiv:1705.08922",
    ),
    "criterion": Term(
        "Criterion",
        "How the importance of a weight or unit is judged: what scores lowest is cut first.",
    ),
    "accuracy": Term(
        "Accuracy",
        "The share of validation samples that the pruned network gets right, with the interval in "
        "which the true share lies with 95 % confidence. While you drag it is measured on a probe "
        "(the first n samples); after you let go, on all of them.",
        "p ± z·√(p(1−p)/n + z²/4n²), centred by Wilson;  p: share right, n: samples, z = 1.96",
        "Wilson 1927, doi:10.1080/01621459.1927.10502953",
    ),
    "delta": Term(
        "Change from dense",
        "Accuracy minus that of the dense network (as it was first opened, with nothing cut) on "
        "the very same samples; a trained version tells the change from its own start beside it. "
        "Only samples whose answer changed count, so the interval is much narrower than that of "
        "either accuracy. If it covers zero, no change is measurable. Where an answer scores "
        "between right and wrong, as a text does over its positions, few samples leave the "
        "interval wide even if nothing changed.",
        "(gained − lost) / n;  gained: now right, before wrong; lost: the other way round",
        "Bonett & Price 2012, doi:10.3102/1076998611411915; of other scores Gaffke 2005, see "
        "Learned-Miller & Thomas 2019, arXiv:1905.06208",
    ),
    "kept": Term(
        "Parameters kept",
        "A parameter is a number that training has set, such as a weight. Kept are those that are "
        "not cut, of all parameters of the network, those that can never be pruned included. A "
        "mask alone does not make the network smaller: the zeros are still stored and multiplied.",
        "kept = all − cut",
    ),
    "macs": Term(
        "MACs, ideal engine",
        "A MAC is one multiplication and the addition of its result (multiply-accumulate). So many "
        "are needed for one sample if every cut weight were skipped. Only an ideal engine does "
        "that; ordinary hardware still multiplies the zeros.",
        "Σ over layers  MACs of the layer · share of its weights kept",
        "dense MACs counted by torch.utils.flop_counter",
    ),
    "size": Term(
        "Size, estimated",
        "An estimate of the weights' bytes when pruned layers are stored as one bit for each "
        "weight (kept or not) plus the values kept. The dense file stays as large as it was.",
        "Σ kept · bytes per value + weights of pruned layers / 8",
    ),
    "histogram": Term(
        "Score histogram",
        "How many items of the layer have which score. The line is the threshold: what lies left "
        "of it is cut.",
    ),
    "heatmap": Term(
        "Weights",
        "One cell is one weight: a row for each output unit, a column for each input. Colours are "
        "symmetric about zero and fixed by the dense weights, so they do not move with the slider. "
        "Pruned cells are blank; blank is not zero.",
    ),
    "importance": Term(
        "Importance",
        "The score of each weight or unit by the chosen criterion, coloured by rank: the darkest "
        "goes last.",
    ),
    "activation": Term(
        "Activations",
        "How strongly each unit answers to each class: its mean activation on calibration samples "
        "of that class, dense network, behind its own batch norm and activation function.",
    ),
    "thumbnails": Term(
        "Small pictures",
        "Each layer as a whole, with its mask: weights, importance or activations, chosen for all "
        "rows at once. Where a layer has more numbers than fit, a cell stands for a block of them: "
        "it has the colour of the largest (of importance: of the one in the middle), and as much "
        "of it is blank as is cut, at least a ninth as soon as one is. What is cut altogether is "
        "hatched. The button wall shows all layers side by side, with the histograms of their "
        "scores.",
    ),
    "master": Term(
        "Bulk slider",
        "Moves all unlocked layers of the chosen target at once and shows which share of them is "
        "cut; what a search hides stays as it is. The method beside it says how much each layer "
        "loses: with “uniform” all get the same sparsity, any other method gives each its own. "
        "What you lock stays where you put it, and the others make up for it. In the global scope "
        "it moves the one threshold that all layers share.",
    ),
    "curve": Term(
        "The curve in a track",
        "The measured loss when this layer alone is cut. The curve hangs from the track: below "
        "each position of the thumb you see what that sparsity costs, and at the track itself "
        "nothing is lost. All rows share one scale (by the square root, so that one point shows); "
        "its lower end, the largest loss of all, is written beside this question mark. The band "
        "is the 95 % interval, paired with the dense network. The ring marks the knee, where the "
        "curve bends most; from the dashed line on, a loss of more than one point is certain. "
        "“Robust to 70 %” means that up to there it loses no more than a point, with 95 % "
        "confidence; “at least” means that these samples cannot tell beyond. Layers are ordered by "
        "where their loss becomes certain, then by the area under the curve. These words allow for "
        "a scan's looking several times: each is wrong in at most 2.5 % of scans, so they are a "
        "little stricter than the band. Layers that are cut together share one curve.",
        "Δ(s) = accuracy with this layer alone at s − accuracy of the dense network, same samples",
        "Li et al. 2017, arXiv:1608.08710, sec. 3.2; knee: Satopaa et al. 2011, "
        "doi:10.1109/ICDCSW.2011.20",
    ),
    "lock": Term(
        "Lock",
        "A locked layer keeps its sparsity: its slider and bulk moves leave it alone. In the "
        "global scope it is out of the ranking and stays whole.",
    ),
    "layer": Term(
        "Scope: per layer",
        "Scores compete inside each layer; every slider decides for its own layer alone.",
        "cut the k lowest scores of the layer, k = round(sparsity · items)",
        "Han et al. 2015, arXiv:1506.02626",
    ),
    "global": Term(
        "Scope: global",
        "One ranking over all unlocked layers, one threshold: layers with many low scores lose "
        "more. Sliders show what each layer gets and move together.",
        "cut the k lowest scores of all, k = round(sparsity · all items)",
        "Blalock et al. 2020, arXiv:2003.03033",
    ),
    "alike": Term(
        "Scope: alike",
        "One ranking and one threshold for the layers (or groups) of each kind and shape.",
        "cut the k lowest scores of each pool, k = round(sparsity · its items)",
        "Fang et al. 2024 (isomorphic pruning), arXiv:2407.04616, there by kind alone",
    ),
    "raw": Term(
        "Scores: raw (minor importance)",
        "Scores compete as they are: what is small in absolute terms goes first, wherever it is.",
    ),
    "relative": Term(
        "Scores: relative importance",
        "Scores are divided by the L2 norm of all scores in their layer first, so that a layer "
        "with small weights is not emptied just because of its scale. It matters in the "
        "scopes global and alike; inside one layer the order stays the same.",
        "s / √(Σ s² over the layer);  s: score",
        "Molchanov et al. 2017, arXiv:1611.06440, sec. 2.3",
    ),
    "group": Term(
        "Group",
        "Layers whose units can only be removed together, because their outputs are added, joined "
        "or normalised as one: a residual sum, say. They share one slider, marked with a chain; a "
        "unit that goes takes its row in every member, its bias and batch norm, and its column in "
        "every layer behind them.",
        "found in the network's graph, and proved by a trial cut of each group",
        "the idea: Fang et al. 2023 (DepGraph), arXiv:2301.12900",
    ),
    "head": Term(
        "Head",
        "One of the parallel parts of an attention layer: some rows each of query, key and value, "
        "and the columns of the projection that take it in. Removed as one unit.",
        "softmax(Q·Kᵀ / √d)·V;  Q, K, V: query, key and value of the head, d: its width",
        "Vaswani et al. 2017, arXiv:1706.03762",
    ),
    "aggregate": Term(
        "Group score",
        "How the scores of layers that are cut together make one score for each unit: their mean, "
        "their sum (groups with many members gain weight in a global ranking), or the largest (a "
        "unit stays that any member needs).",
        "mean, Σ or max over the members' scores of the unit",
        "Fang et al. 2023, arXiv:2301.12900, sec. 3.3",
    ),
    "pin": Term(
        "By hand",
        "What you cut or kept by hand on the pictures stays so while the slider moves, and counts "
        "in what the slider asks for. Undo takes it back; it is drawn apart from what the "
        "criterion chose.",
    ),
    "ledger": Term(
        "Ledger",
        "Everything a plan costs and saves, side by side: what was asked, zeros, parameters left "
        "after removal, operations, bytes by encoding, memory, and measured time. Beside each "
        "stands what it does not buy: zeros make neither the file nor the network smaller or "
        "faster by themselves.",
    ),
    "fits": Term(
        "Fits on a device",
        "Bytes that the network takes, held against what the device has. A microcontroller reads "
        "its weights in flash and needs RAM for activations alone; a computer or a phone loads "
        "the weights into RAM too. The program itself, its stack and the system come on top.",
        "flash: parameters left · bytes a weight;  RAM: activations alive at once at their peak, "
        "one sample (+ weights on computers and phones)",
    ),
    "suggestion": Term(
        "Suggestion",
        "Which sliders would make it fit: of all next steps the one that saves most bytes for "
        "each predicted point of accuracy, again and again. Bytes are counted. Points are "
        "predicted: each slider is tried alone on the probe and the losses are added up, which is "
        "no promise; the plan is measured once it is applied.",
        "next step = max over sliders of bytes saved / points lost",
        "the greedy idea: Yang et al. 2018 (NetAdapt), arXiv:1804.03230",
    ),
    "tradeoff": Term(
        "Accuracy against parameters",
        "What is cut grows to the right; accuracy goes from chance to all right. The present plan "
        "moves under your thumb, with its 95 % interval and the way it came; hollow where it is "
        "estimated. Every plan you visited is a point, the thin line is their order, the stair is "
        "the Pareto front: plans that no other beats in both. The crosses are the random control "
        "at the same sparsity. Click a point to return to it (or reach the points by Tab, choose "
        "by arrow keys, return by Enter); drag to zoom. “Play” goes from the whole network to the "
        "present plan in twenty steps of the same size; each is measured on the probe before the "
        "next, and none of them is kept.",
    ),
    "classes": Term(
        "Per-class change",
        "Accuracy of each class, pruned minus dense, with its paired 95 % interval; of a language "
        "model whose words are tagged, of each skill, counted by text: words of one text are not "
        "independent. One number for all hides who pays.",
    ),
    "continuation": Term(
        "Continuation",
        "What a language model writes behind a text, a token at a time: each is the likeliest, or "
        "drawn by softmax of its answer. Marked is each that is not the dense network's at that "
        "place; after the first, the two go on from different texts.",
    ),
    "surprise": Term(
        "Loss of a word",
        "-ln p of the word that stands there, given those before it: 0 where it was certain, 0.7 "
        "where it was one of two, 7 where it was one of a thousand. Perplexity is exp of the mean.",
    ),
    "flipped": Term(
        "Flipped examples",
        "Validation samples whose answer changed: first those that were right and are wrong now.",
    ),
}
