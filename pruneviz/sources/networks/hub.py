"""Which files does the Hugging Face hub hold for a model?"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from pruneviz import limits
from pruneviz.sources.networks.libraries import error_line, library, reach
from pruneviz.sources.networks.shards import has_weights

VARIABLE, OFF = "PRUNEVIZ_HUB", "off"  # an environment variable, and what it says to refuse all
# Only files of the model's own folder, by these names: no code, no other formats, no subfolders.
_SMALL = (
    "config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "vocab.json", "vocab.txt", "merges.txt", "spiece.model",
    "tokenizer.model", "sentencepiece.bpe.model",
)  # fmt: skip
_SAFE = ("model.safetensors", "model-*.safetensors", "model.safetensors.index.json")
_PICKLES = ("pytorch_model.bin", "pytorch_model-*.bin", "pytorch_model.bin.index.json")
_SMALL_BYTES = 100 * 2**20  # those of the largest vocabularies have 35 MB
# A name and no path: no place in a file system can be written so.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,95})?")


def is_hub_name(name: str) -> bool:
    """Whether it is the name of a model on the hub, `name` or `owner/name`, as the hub has them."""
    odd = ".." in name or "--" in name or name.endswith((".git", ".", "-"))
    return _NAME.fullmatch(name) is not None and not odd


def check_hub(name: str) -> None:
    """ValueError where nothing is to be had from a hub, not even what was fetched before."""
    if os.environ.get(VARIABLE, "").strip().lower() == OFF:
        raise ValueError(
            f"{name[:100]!r} would come from a hub, and {VARIABLE}={OFF} has this server ask none; "
            "give a weights file"
        )


def hub_folder(name: str, needed_by: str) -> Path:
    """The folder with the model's configuration and weights: from the cache, else downloaded.

    Only weights and configurations are fetched, up to a bound; never code. Raises ValueError when
    it is no name, when the hub cannot be reached, has no such model, or one that is too large.
    """
    if not is_hub_name(name):
        raise ValueError(f"{name[:100]!r} is no name of a model on the hub, such as owner/name")
    check_hub(name)
    hub = library("huggingface_hub")
    try:
        cached = Path(hub.snapshot_download(name, local_files_only=True))
        if has_weights(cached) and (cached / "config.json").is_file():
            return cached
    # Any failure means: not in the cache.
    except Exception:
        pass
    reach("huggingface.co", needed_by)
    try:
        about = hub.model_info(name, files_metadata=True)
        patterns = chosen_files({file.rfilename: file.size for file in about.siblings}, name)
        return Path(hub.snapshot_download(name, revision=about.sha, allow_patterns=patterns))
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(
            f"{name!r} cannot be had from huggingface.co ({error_line(error)}); check the name"
        ) from error


def chosen_files(sizes: Mapping[str, int | None], name: str) -> list[str]:
    """Of the files that the hub lists for a model, with their bytes, those that are fetched.

    ValueError where they are more than a download may have, or their size is not known.
    """
    safe = [file for file in sizes if any(fnmatchcase(file, one) for one in _SAFE)]
    patterns = _SAFE if any(file.endswith(".safetensors") for file in safe) else _PICKLES
    weights = [f for f in sizes if "/" not in f and any(fnmatchcase(f, one) for one in patterns)]
    small = [file for file in sizes if file in _SMALL]
    most = limits.limit("download_bytes")
    for files, bound in ((weights, most), (small, min(most, _SMALL_BYTES))):
        known_sizes = [sizes[file] for file in files]
        total = sum(size or 0 for size in known_sizes)
        if total > bound or any(size is None or size < 0 for size in known_sizes):
            raise ValueError(
                f"{name!r} on huggingface.co has {total:,} bytes to download, more than {bound:,}; "
                "download what you need yourself and name its folder"
            )
    return [*small, *weights]
