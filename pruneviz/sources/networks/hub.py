"""Which files does the Hugging Face hub hold for a model?"""

from __future__ import annotations

from pathlib import Path

from pruneviz.sources.networks.libraries import library, reach, said
from pruneviz.sources.networks.shards import has_weights

_SMALL = ("*.json", "*.txt", "*.model")
_SAFE, _PICKLES = "*.safetensors", "pytorch_model*.bin"


def hub_folder(name: str, needed_by: str) -> Path:
    """The folder with the model's configuration and weights: from the cache, else downloaded.

    Only data is fetched: configurations, tokenizers, weights; never code. Raises ValueError when
    the hub cannot be reached or has no such model.
    """
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
        safe = any(file.endswith(".safetensors") for file in hub.list_repo_files(name))
        wanted = [*_SMALL, _SAFE if safe else _PICKLES]
        return Path(hub.snapshot_download(name, allow_patterns=wanted))
    except Exception as error:
        raise ValueError(
            f"{name!r} cannot be had from huggingface.co ({said(error)}); check the name"
        ) from error
