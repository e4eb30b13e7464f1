"""How does text become tokens, and what should a language model answer to them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pruneviz.data import Data
from pruneviz.language import Language
from pruneviz.sources.data.samples import DataRequest, RawData
from pruneviz.sources.data.selection import choose
from pruneviz.sources.data.tensors import as_tensor

IGNORED = -100  # torch's own ignore_index, and Transformers'
LENGTH = 128  # tokens in a sample, where the network takes as many


def read_texts(path: Path, request: DataRequest) -> RawData:
    """Tokens of a `.txt`, of a folder of such, or of one whose sub-folders are classes.

    Texts without classes are joined and cut into samples of equal length; a text with a class is
    one sample, cut or padded. ValueError: no tokenizer, no text, a file that is not UTF-8.
    """
    if path.is_file():
        return join([_text(path)], request)
    below = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    by_class = {each.name: sorted(each.rglob("*.txt")) for each in below}
    if not any(by_class.values()):
        return join([_text(file) for file in sorted(path.glob("*.txt"))], request)
    names = request.spec.classes if set(by_class) <= set(request.spec.classes) else tuple(by_class)
    files = [(file, names.index(name)) for name, raw in by_class.items() for file in raw]
    which, cut = choose(len(files), 0, request)
    sample = [files[i] for i in which.tolist()]
    labels = torch.tensor([label for _, label in sample])
    raw = one_each([_text(file) for file, _ in sample], labels, request)
    return replace(raw, classes=names, notes=(*cut, *raw.notes))


def join(texts: Sequence[str], request: DataRequest) -> RawData:
    """Texts as one stream of tokens, cut into samples of equal length."""
    tokenizer = _tokenizer(request)
    length = _length(request)
    stream = [token for text in texts for token in _tokens(tokenizer, text)]
    rows = len(stream) // length
    if rows < 2:
        raise ValueError(
            f"the text has {len(stream):,} tokens, too few for two samples of {length}; give more"
        )
    which, cut = choose(rows, 0, request)
    ids = torch.tensor(stream[: rows * length]).reshape(rows, length)[which]
    note = (
        f"the text was cut into {rows:,} samples of {length} tokens, one behind the other (stride "
        f"{length}), by the tokenizer of {Path(request.tokenizer or '').name}"
    )
    inputs = _select({"input_ids": ids, "attention_mask": torch.ones_like(ids)}, request)
    return RawData(Data(inputs), notes=(note, *cut))


def one_each(texts: Sequence[str], targets: Tensor | None, request: DataRequest) -> RawData:
    """Each text as one sample, cut or padded to one length."""
    tokenizer, length = _tokenizer(request), _length(request)
    rows = [_tokens(tokenizer, text, special=True) for text in texts]
    longer = sum(len(row) > length for row in rows)
    filler = tokenizer.pad_token_id or 0
    inputs = pad({"input_ids": [row[:length] for row in rows]}, filler)
    note = f"{longer:,} texts were cut to {length} tokens"
    return RawData(Data(_select(inputs, request), targets), notes=(note,) if longer else ())


def pad(columns: Mapping[str, Sequence[Any]], filler: int = 0) -> dict[str, Tensor]:
    """Columns of token rows as int64 [n, longest] each, padded at the end; with attention_mask.

    Ids are padded with `filler`, labels with -100, all else with 0.
    """
    tensors = {name: [as_tensor(row, repr(name)) for row in rows] for name, rows in columns.items()}
    whole: dict[str, Tensor] = {}
    for name, rows in tensors.items():
        if rows and rows[0].ndim != 1:
            whole[name] = torch.stack(rows)
            continue
        fill = filler if name.endswith("ids") and name != "token_type_ids" else 0
        fill = IGNORED if name == "labels" else fill
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=fill)
        whole[name] = padded if padded.is_floating_point() else padded.long()
    ids = tensors.get("input_ids")
    if ids is not None and "attention_mask" not in whole and len({len(row) for row in ids}) > 1:
        lengths = torch.tensor([len(row) for row in ids])
        places = torch.arange(whole["input_ids"].shape[1])
        whole["attention_mask"] = (places < lengths[:, None]).long()
    return whole


def next_tokens(data: Data) -> Data:
    """The same inputs, with the token after each position as its target; -100 where none follows.

    inputs: int64 [n, length], or a mapping with `input_ids` and perhaps `attention_mask`. Targets
    that lie beside the ids, as Transformers has its labels, are moved by one; those of a network
    that takes `decoder_input_ids` stay as they are. ValueError: no token ids.
    """
    tensors = data.tensors()
    if "decoder_input_ids" in tensors and data.targets is not None:
        return data
    ids = tensors.get("input_ids", tensors.get(""))
    if ids is None or ids.ndim != 2 or ids.is_floating_point():
        raise ValueError(
            "a language model needs token ids, integers [samples, length], as its inputs or under "
            f"'input_ids'; got {', '.join(f'{k!r}' for k in tensors) or 'nothing'}"
        )
    beside = data.targets is not None and data.targets.shape == ids.shape
    answers = data.targets if beside and data.targets is not None else ids
    targets = torch.full_like(ids, IGNORED)
    targets[:, :-1] = answers[:, 1:]
    attention = tensors.get("attention_mask")
    if attention is not None and attention.shape == ids.shape:
        both = (attention[:, 1:] != 0) & (attention[:, :-1] != 0)
        targets[:, :-1][~both] = IGNORED
    return Data(data.inputs, targets)


def language_of(request: DataRequest) -> Language | None:
    """How a causal language model's text becomes tokens and back; None without its tokenizer."""
    if not request.language or request.tokenizer is None:
        return None
    try:
        tokenizer = _tokenizer(request)
    except ValueError:  # whoever brings tokens of their own needs none
        return None
    end = {tokenizer.eos_token_id, tokenizer.pad_token_id}

    def pieces(tokens: Sequence[int]) -> list[str]:
        # Of a whole text each time: where a token is half a letter, only the next one shows it.
        texts = [tokenizer.decode(tokens[:stop]) for stop in range(len(tokens) + 1)]
        return [text[len(before) :] for before, text in pairwise(texts)]

    return Language(
        partial(_tokens, tokenizer),
        pieces,
        request.spec.length or LENGTH,
        start=() if tokenizer.bos_token_id is None else (tokenizer.bos_token_id,),
        end=frozenset(token for token in end if token is not None),
    )


def _select(tensors: dict[str, Tensor], request: DataRequest) -> Tensor | dict[str, Tensor]:
    """Only what the network takes by name; the ids alone where it takes one tensor."""
    if not request.spec.keys:
        return tensors["input_ids"] if request.spec.kind == "tokens" else tensors
    return {name: tensor for name, tensor in tensors.items() if name in request.spec.keys}


def _tokenizer(request: DataRequest) -> Any:
    if request.tokenizer is None:
        raise ValueError(
            "texts need the network's tokenizer: pass tokenizer= with the folder of a Transformers "
            "tokenizer, or give tokens (input_ids) instead"
        )
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise ValueError(
            "texts need a tokenizer, and transformers is not installed: pip install transformers"
        ) from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(request.tokenizer), local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # each tokenizer has its own way to fail
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"no tokenizer can be read from {request.tokenizer}: {reason}") from None
    # A configuration alone makes a tokenizer that knows no words.
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise ValueError(
            f"{request.tokenizer} holds no tokenizer; pass the folder of one (tokenizer=, "
            "--tokenizer), or give tokens (input_ids) instead"
        )
    return tokenizer


def _tokens(tokenizer: Any, text: str, special: bool = False) -> list[int]:
    ids = tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"]
    return [int(each) for each in ids]


def _length(request: DataRequest) -> int:
    return min(LENGTH, request.spec.length or LENGTH)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is no text in UTF-8; save it so") from None
