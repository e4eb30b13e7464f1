"""Which formats can a network leave in?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pruneviz.export import (
    pretrained,
    programs,
    quantised,
    ratios,
    recipes,
    smaller,
    sparse,
    weights,
)
from pruneviz.export.proof import Proof
from pruneviz.export.subject import Subject


@dataclass(frozen=True)
class Format:
    """files: what it writes into a folder, the main one first. label, meaning: for people.
    beside: what comes with them where a network is large.

    write(subject, folder) makes the files; prove(subject, folder) loads them back and compares.
    Both raise ValueError where it cannot be done, in a sentence.
    """

    label: str
    meaning: str
    files: tuple[str, ...]
    write: Callable[[Subject, Path], None]
    prove: Callable[[Subject, Path], Proof]
    beside: tuple[str, ...] = ()

    def files_in(self, folder: Path) -> tuple[str, ...]:
        """Those that it has written there."""
        return (*self.files, *(name for name in self.beside if (folder / name).exists()))


FORMATS: dict[str, Format] = {
    "safetensors": Format(
        "Weights (safetensors)",
        "Under your network's own keys, masks baked in; loads strictly into your own class.",
        ("model.safetensors",),
        weights.write_safetensors,
        weights.prove_safetensors,
    ),
    "state_dict": Format(
        "Weights (torch)",
        "The same as torch.save writes it; torch.load(weights_only=True) reads it.",
        ("state_dict.pt",),
        weights.write_state_dict,
        weights.prove_state_dict,
    ),
    "shrunk": Format(
        "Shrunk network",
        "Without the units that were cut: weights, the new widths, and the lines of Python that "
        "rebuild it from your own class, without pruneviz.",
        ("shrunk.safetensors", "widths.json", "rebuild.py"),
        smaller.write_shrunk,
        smaller.prove_shrunk,
    ),
    "transformers": Format(
        "Transformers folder",
        "config.json and weights for from_pretrained. Where all of a layer is left out, the "
        "configuration counts one less; what else is cut stands as zeros.",
        (pretrained.WEIGHTS, pretrained.CONFIG),
        pretrained.write_folder,
        pretrained.prove_folder,
    ),
    "sparse": Format(
        "Sparse weights",
        "A bit for each entry and the values that are not zero: smaller on disk, the same "
        "weights when read. With its reader, which needs no pruneviz.",
        (sparse.NAME, "sparse_reader.py"),
        sparse.write_sparse,
        sparse.prove_sparse,
    ),
    "onnx": Format(
        "ONNX",
        "For ONNX Runtime and others, any batch size; the shrunk network where units were cut. "
        "Weights of more than 256 MiB lie in a file beside it.",
        (programs.ONNX,),
        programs.write_graph,
        programs.prove_graph,
        (programs.ONNX_WEIGHTS,),
    ),
    "onnx-int8": Format(
        "ONNX, 8 bits",
        "Quantised by ONNX Runtime: a quarter of the bytes and other answers, whose accuracy is "
        "measured.",
        (quantised.INT8,),
        quantised.write_int8,
        quantised.prove_int8,
    ),
    "pt2": Format(
        "torch.export",
        "The program as torch traces it, any batch size; needs torch and no class. Loading such a "
        "file runs what is in it: open only those of people you trust.",
        (programs.PT2,),
        programs.write_pt2,
        programs.prove_pt2,
    ),
    "masks": Format(
        "Masks alone",
        "True for each entry that is kept, under the names of your parameters.",
        ("masks.safetensors",),
        weights.write_masks,
        weights.prove_masks,
    ),
    "torch-prune": Format(
        "torch.nn.utils.prune",
        "NAME_orig and NAME_mask, as torch's own pruning keeps them, with what loads it.",
        ("torch_prune.pt", "torch_prune.py"),
        weights.write_torch_prune,
        weights.prove_torch_prune,
    ),
    "torch-pruning": Format(
        "Ratios for Torch-Pruning",
        "The share that is cut of each layer, for its pruning_ratio_dict.",
        (ratios.NAME,),
        ratios.write_ratios,
        ratios.prove_ratios,
    ),
    "recipe": Format(
        "Recipe",
        "A short text from which anybody can repeat it, and the same as a Python program.",
        (recipes.NAME, recipes.SCRIPT),
        recipes.write_recipe,
        recipes.prove_recipe,
    ),
}
DEFAULT = ("safetensors", "recipe")


def check_formats(names: Iterable[str]) -> tuple[str, ...]:
    """The formats named, each once; ValueError names one that is not there, or that none is."""
    formats = tuple(dict.fromkeys(names))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ValueError(f"no format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    if not formats:
        raise ValueError(f"name a format at least; there are {', '.join(FORMATS)}")
    return formats
