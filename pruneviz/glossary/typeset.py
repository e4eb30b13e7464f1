"""How does a formula of the glossary look where formulas can be typeset?"""

from __future__ import annotations

import re

# A part of a formula as the glossary has it, and as board and terminal show it -> the same in
# Markdown with LaTeX.
_TYPESET = {
    # Words and numbers
    "p ± z·√(p(1−p)/n + z²/4n²), centred by Wilson": r"$\left(p + \frac{z^2}{2n} \pm "
    r"z\sqrt{\frac{p(1-p)}{n} + \frac{z^2}{4n^2}}\right) \Big/ \left(1 + \frac{z^2}{n}\right)$",
    "(gained − lost) / n": r"$(\text{gained} - \text{lost}) / n$",
    "flash: parameters left · bytes a weight": r"$\text{flash} = \text{parameters left} \cdot "
    r"\text{bytes a weight}$",
    "mean, Σ or max over the members' scores of the unit": r"$\frac1m\sum_j s_j$, $\sum_j s_j$ or "
    r"$\max_j s_j$;  $s_j$: the score of the unit in member $j$ of $m$",
    "softmax(Q·Kᵀ / √d)·V": r"$\operatorname{softmax}(Q K^\top / \sqrt{d})\,V$",
    "linear layer: inputs · outputs": r"linear layer: $\text{inputs} \cdot \text{outputs}$",
    "convolution: weights · positions of its output": r"convolution: $\text{weights} \cdot "
    r"\text{positions of its output}$",
    "Σ over layers  MACs of the layer · share of its weights kept": r"$\sum_\ell M_\ell\,r_\ell$;  "
    r"$M_\ell$: MACs of layer $\ell$, $r_\ell$: the share of its weights that is kept",
    "weight in use = weight · mask": r"$\text{weight in use} = \text{weight} \cdot \text{mask}$",
    "kept = all − cut": r"$\text{kept} = \text{all} - \text{cut}$",
    "cut the k lowest scores of all, k = round(sparsity · all items)": r"cut the $k$ lowest scores "
    r"of all, $k = \operatorname{round}(\text{sparsity} \cdot \text{all items})$",
    "cut the k lowest scores of the layer, k = round(sparsity · items)": r"cut the $k$ lowest "
    r"scores of the layer, $k = \operatorname{round}(\text{sparsity} \cdot \text{items})$",
    "cut the k lowest scores of each pool, k = round(sparsity · its items)": r"cut the $k$ lowest "
    r"scores of each pool, $k = \operatorname{round}(\text{sparsity} \cdot \text{its items})$",
    "s / √(Σ s² over the layer)": r"$s \,/ \sqrt{\sum s^2}$, the sum over the layer",
    "Σ kept · bytes per value + weights of pruned layers / 8": r"$\sum \text{kept} \cdot "
    r"\text{bytes a value} + \text{weights of pruned layers} / 8$",
    "k = round(sparsity · items)": r"$k = \operatorname{round}(\text{sparsity} \cdot "
    r"\text{items})$",
    "next step = max over sliders of bytes saved / points lost": r"$\max_i b_i / a_i$;  $b_i$: "
    r"bytes saved by the next step of slider $i$, $a_i$: points of accuracy lost by it",
    "Δ(s) = accuracy with this layer alone at s − accuracy of the dense network, same samples": r"$"
    r"\Delta(s) = A(s) - A(0)$;  $A(s)$: accuracy with this layer alone at sparsity $s$, on the "
    r"same samples; $A(0)$: that of the dense network",
    "v ← m · v + g, w ← w − r · v": r"$v \leftarrow m\,v + g$, $w \leftarrow w - r\,v$",
    # Criteria
    "mean (a − mean a)²": r"$\operatorname{mean}\,(a - \operatorname{mean} a)^2$",
    "1 − (share of activations ≤ 0)": r"$1 - \text{share of activations} \le 0$",
    "|γ|": r"$|\gamma|$",
    "½ · mean g² · w²": r"$\frac12 \operatorname{mean}(g^2)\,w^2$",
    "of a whole unit: ½ · mean (Σ g · w)²": r"of a whole unit: $\frac12 \operatorname{mean}\left("
    r"\sum g\,w\right)^2$",
    "Σⱼ ‖fᵢ − fⱼ‖₂": r"$\sum_j \lVert f_i - f_j \rVert_2$",
    "√(Σ w²)": r"$\sqrt{\sum w^2}$",
    "√(Σ w² + Σ γ² + Σ v²)": r"$\sqrt{\sum w^2 + \sum \gamma^2 + \sum v^2}$",
    "w² / Σ v²   over all v in the layer with |v| ≥ |w|": r"$w^2 \,/ \sum v^2$ over all $v$ in the "
    r"layer with $|v| \ge |w|$",
    "|w|   (a unit: Σ |w| over its weights, the L1 norm)": r"$|w|$ (a unit: $\sum |w|$ over its "
    r"weights, the L1 norm)",
    "mean |a|": r"$\operatorname{mean} |a|$",
    "√(Σ v²)": r"$\sqrt{\sum v^2}$",
    "w² / [H⁻¹]ⱼⱼ,   H = mean x·xᵀ + λI": r"$w^2 / [H^{-1}]_{jj}$, $H = \operatorname{mean} x "
    r"x^\top + \lambda I$",
    "1 − i / n": r"$1 - i / n$",
    "u ~ U(0, 1)": r"$u \sim U(0, 1)$",
    "(|w| / Σ column |v| + |w| / Σ row |v|) · ‖x‖₂^½": r"$\left(|w| \big/ \sum_{\text{column}} |v| "
    r"+ |w| \big/ \sum_{\text{row}} |v|\right) \lVert x \rVert_2^{1/2}$",
    "|mean g · w|": r"$|\operatorname{mean}(g)\,w|$",
    "(∂R/∂|w|) · |w|": r"$\frac{\partial R}{\partial |w|}\,|w|$",
    "mean |g · w|": r"$\operatorname{mean} |g\,w|$",
    "of a whole unit: mean |Σ g · w|   (means over samples)": r"of a whole unit: $\operatorname"
    r"{mean} \left|\sum g\,w\right|$ (means over samples)",
    "1 − mean cos(x, x + f(x))": r"$1 - \operatorname{mean} \cos(x,\, x + f(x))$",
    "|w| · ‖x‖₂": r"$|w|\,\lVert x \rVert_2$",
    # Granularities
    "k = round(sparsity · number of heads), lowest scores first": r"$k = \operatorname{round}("
    r"\text{sparsity} \cdot \text{number of heads})$, lowest scores first",
    "of each M inputs keep N": r"of each $M$ inputs keep $N$",
    "of each M inputs keep N; sparsity = 1 − N/M": r"of each $M$ inputs keep $N$; $\text{sparsity} "
    r"= 1 - N/M$",
    "k = round(sparsity · number of units), lowest scores first": r"$k = \operatorname{round}("
    r"\text{sparsity} \cdot \text{number of units})$, lowest scores first",
    "k = round(sparsity · number of weights), lowest scores first": r"$k = \operatorname{round}("
    r"\text{sparsity} \cdot \text{number of weights})$, lowest scores first",
    "a pool: k = round(Σ sparsities), lowest scores first": r"a pool: $k = \operatorname{round}("
    r"\sum \text{sparsities})$, lowest scores first",
    # Repairs
    "b ← b + Σ W[:, i] · mean(aᵢ) over removed units i": r"$b \leftarrow b + \sum_i W_{:,i} "
    r"\operatorname{mean}(a_i)$ over removed units $i$",
    "μ = mean(x), σ² = Σ (x − μ)² / (N − 1)": r"$\mu = \operatorname{mean}(x)$, $\sigma^2 = \sum "
    r"(x - \mu)^2 / (N - 1)$",
    "min over W, b of Σ (y − W·x − b)² + λ·‖W − W₀‖²": r"$\min_{W, b} \sum (y - W x - b)^2 + "
    r"\lambda \lVert W - W_0 \rVert^2$",
    "min over ŵ, zero where cut, of (w − ŵ)·H·(w − ŵ)ᵀ, H = mean x·xᵀ + λI": r"$\min_{\hat w} "
    r"(w - \hat w) H (w - \hat w)^\top$ over $\hat w$ that are zero where cut, "
    r"$H = \operatorname{mean} x x^\top + \lambda I$",
    "In order: w ← w − (wⱼ / [H⁻¹]ⱼⱼ)·[H⁻¹]ⱼ, blocks of 128 columns": r"In order: $w \leftarrow w "
    r"- (w_j / [H^{-1}]_{jj})\,[H^{-1}]_j$, blocks of 128 columns",
}
_SIGNS = {
    "γ": r"\gamma",
    "λ": r"\lambda",
    "μ": r"\mu",
    "Σ": r"\sum",
    "ŵ": r"\hat w",
    "ᵢ": "_i",
    "ⱼ": "_j",
}
_SIGNS |= {"₀": "_0", "²": "^2"}
_SYMBOL = r"[A-Za-zŵγλμΣ][ᵢⱼ₀]?"
# What stands before a colon or a sign of equality, as in "Q, K, V: query, key and value".
_NAMED = re.compile(rf"(?<!\S)((?:{_SYMBOL}, )*{_SYMBOL})(?=:| =)")
_ALONE = re.compile(
    r"(?<=\bunit )i\b|\bj(?= runs)|(?<=\bwhat )i(?= puts)|(?<=\binput )j\b"
    r"|\bmean g²|(?<=\bthrough )w\b|(?<=\bshare of )R\b"
)
_PART = re.compile(r"(;  |\.  )")


def typeset(formula: str) -> str:
    r"""A formula with its symbols in Markdown with LaTeX; one that is not ours as code.

    >>> typeset("√(Σ w²);  w: the weights of one unit")
    '$\\sqrt{\\sum w^2}$;  $w$: the weights of one unit'
    """
    parts = _PART.split(formula)
    if not any(part in _TYPESET for part in parts):
        return f"`{formula}`" if re.search("[=·√Σ|]", formula) else formula
    return "".join(_TYPESET.get(part) or _symbols(part) for part in parts)


def _symbols(text: str) -> str:
    """A list of symbols, each of them typeset."""
    text = _NAMED.sub(lambda match: f"${_latex(match[1])}$", text)
    return _ALONE.sub(lambda match: f"${_latex(match[0])}$", text)


def _latex(text: str) -> str:
    for sign, latex in _SIGNS.items():
        text = text.replace(sign, latex)
    return text.replace("mean ", r"\operatorname{mean} ")
