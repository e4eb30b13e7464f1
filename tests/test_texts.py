"""Does text become tokens, and are a language model's targets the tokens that follow?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.measuring.continuation import passage
from pruneviz.sources.data.reader import read_data
from pruneviz.sources.data.texts import next_tokens, pad
from pruneviz.sources.spec import InputSpec
from tests.optional import transformers

TOKENS = InputSpec("tokens", vocab=40, length=8, keys=("input_ids", "attention_mask"))
WORDS = ["[PAD]", "[UNK]", *"abcdefghijklmnopqrstuvwxyz"]


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """The folder of a tokenizer whose tokens are single letters between spaces."""
    transformers()
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    vocab = {word: i for i, word in enumerate(WORDS)}
    made = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": None, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None,
        "decoder": None, "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"},
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(made), encoding="utf-8")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]",
              "unk_token": "[UNK]"}  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


# -- next tokens ---------------------------------------------------------------------------


def test_targets_are_the_next_tokens() -> None:
    ids = torch.tensor([[5, 6, 7], [8, 9, 0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    plain = next_tokens(Data(ids)).targets
    assert plain is not None
    assert plain.tolist() == [[6, 7, -100], [9, 0, -100]]
    masked = next_tokens(Data({"input_ids": ids, "attention_mask": mask})).targets
    assert masked is not None
    assert masked.tolist() == [[6, 7, -100], [9, -100, -100]]
    assert ids.tolist() == [[5, 6, 7], [8, 9, 0]]


def test_padding_at_the_front_is_left_out_too() -> None:
    ids, mask = torch.tensor([[0, 0, 5, 6]]), torch.tensor([[0, 0, 1, 1]])
    targets = next_tokens(Data({"input_ids": ids, "attention_mask": mask})).targets
    assert targets is not None
    assert targets.tolist() == [[-100, -100, 6, -100]]


def test_labels_beside_the_ids_are_moved_and_those_of_a_decoder_are_not() -> None:
    ids, labels = torch.tensor([[5, 6, 7]]), torch.tensor([[-100, 6, 7]])
    beside = next_tokens(Data({"input_ids": ids}, labels)).targets
    assert beside is not None
    assert beside.tolist() == [[6, 7, -100]]
    decoder = Data({"input_ids": ids, "decoder_input_ids": ids}, labels)
    assert next_tokens(decoder) is decoder


@pytest.mark.parametrize("inputs", [torch.rand(2, 3), torch.ones(2, 3, 4).long()])
def test_what_holds_no_tokens_is_refused(inputs: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="a language model needs token ids"):
        next_tokens(Data(inputs))
    with pytest.raises(ValueError, match=r"got 'input_values'"):
        next_tokens(Data({"input_values": inputs}))


# -- padding -------------------------------------------------------------------------------


def test_rows_of_unequal_length_are_padded_at_the_end() -> None:
    whole = pad(
        {"input_ids": [[3, 4], [5]], "labels": [[3, 4], [5]], "bias": [[1.5], [2.5, 3.5]]}, 9
    )
    assert whole["input_ids"].tolist() == [[3, 4], [5, 9]]
    assert whole["labels"].tolist() == [[3, 4], [5, -100]]
    assert whole["bias"].tolist() == [[1.5, 0], [2.5, 3.5]]
    assert whole["attention_mask"].tolist() == [[1, 1], [1, 0]]


def test_rows_of_equal_length_need_no_mask() -> None:
    assert set(pad({"input_ids": [[3, 4], [5, 6]]})) == {"input_ids"}
    given = pad({"input_ids": [[3, 4], [5]], "attention_mask": [[0, 1], [1]]})
    assert given["attention_mask"].tolist() == [[0, 1], [1, 0]]


# -- texts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("in_folder", [False, True])
def test_a_text_is_cut_into_samples(tmp_path: Path, tokenizer: Path, in_folder: bool) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("a b c d e f g h i j", encoding="utf-8")
    (folder / "b.txt").write_text("k l m n o p q r s t u v w x", encoding="utf-8")
    given = folder if in_folder else folder / "b.txt"
    if not in_folder:
        (folder / "b.txt").write_text("a b c d e f g h " * 3, encoding="utf-8")
    samples = read_data(given, spec=TOKENS, language=True, tokenizer=tokenizer)
    assert set(samples.validation.tensors()) == {"input_ids", "attention_mask"}
    sides = (samples.calibration, samples.validation)
    ids = torch.cat([side.tensors()["input_ids"] for side in sides])
    assert ids.shape == (3, 8)
    assert ids.unique().tolist() == list(range(2, 26 if in_folder else 10))
    assert samples.validation.targets is not None
    assert torch.equal(
        samples.validation.targets[:, :-1], samples.validation.tensors()["input_ids"][:, 1:]
    )
    assert any("cut into 3 samples of 8 tokens" in note for note in samples.notes)


def test_folders_of_texts_are_classes(tmp_path: Path, tokenizer: Path) -> None:
    for name, text in (("good", "a b"), ("bad", "c d e f g h i j k l m n")):
        (tmp_path / "reviews" / name).mkdir(parents=True)
        for i in range(5):
            (tmp_path / "reviews" / name / f"{i}.txt").write_text(text, encoding="utf-8")
    samples = read_data(tmp_path / "reviews", spec=TOKENS, tokenizer=tokenizer)
    assert samples.classes == ("bad", "good")
    ids, mask = (samples.validation.tensors()[key] for key in ("input_ids", "attention_mask"))
    assert samples.validation.targets is not None
    good = ids[samples.validation.targets == 1]
    assert good[0].tolist() == [2, 3, 0, 0, 0, 0, 0, 0]
    assert mask[samples.validation.targets == 1][0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert "5 texts were cut to 8 tokens" in samples.notes


def test_a_table_of_texts_is_read(tmp_path: Path, tokenizer: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"text": ["a b c", "d e"] * 5, "label": ["x", "y"] * 5})
    parquet.write_table(table, tmp_path / "t.parquet")
    samples = read_data(tmp_path / "t.parquet", spec=TOKENS, tokenizer=tokenizer)
    assert samples.classes == ("x", "y")
    assert samples.validation.tensors()["input_ids"].shape == (7, 3)
    parquet.write_table(table.select(["text"]), tmp_path / "t.parquet")
    samples = read_data(tmp_path / "t.parquet", spec=TOKENS, tokenizer=tokenizer, language=True)
    assert samples.validation.tensors()["input_ids"].shape[1] == 8


def test_what_a_text_needs_is_said(tmp_path: Path, tokenizer: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("a b c", encoding="utf-8")
    with pytest.raises(ValueError, match="texts need the network's tokenizer: pass tokenizer="):
        read_data(text)
    with pytest.raises(ValueError, match="the text has 3 tokens, too few for two samples of 8"):
        read_data(text, spec=TOKENS, tokenizer=tokenizer)
    with pytest.raises(ValueError, match=r"no tokenizer can be read from .*nowhere"):
        read_data(text, tokenizer=tmp_path / "nowhere")
    text.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"a.txt is no text in UTF-8"):
        read_data(text, spec=TOKENS, tokenizer=tokenizer)


def test_a_tokenizer_for_another_network_is_refused(tmp_path: Path, tokenizer: Path) -> None:
    (tmp_path / "a.txt").write_text("a z " * 20, encoding="utf-8")
    small = InputSpec("tokens", vocab=10, length=4)
    with pytest.raises(ValueError, match=r"must be in 0..9, the network's vocabulary; got 27"):
        read_data(tmp_path / "a.txt", spec=small, tokenizer=tokenizer)


def test_a_folder_without_a_tokenizer_is_said(tmp_path: Path) -> None:
    config = transformers().BertConfig(hidden_size=8, num_attention_heads=2, num_hidden_layers=1)
    config.save_pretrained(tmp_path / "bare")
    (tmp_path / "text.txt").write_text("many words " * 200, encoding="utf-8")
    with pytest.raises(ValueError, match="tokenizer"):
        read_data(tmp_path / "text.txt", tokenizer=tmp_path / "bare")


# -- writing -------------------------------------------------------------------------------


def test_a_causal_folder_goes_on_from_a_text_in_its_own_dtype(
    tokenizer: Path, tmp_path: Path
) -> None:
    t = transformers()
    config = t.LlamaConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        vocab_size=len(WORDS), max_position_embeddings=8, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    t.LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(tokenizer)
    text = tmp_path / "text.txt"
    text.write_text("a b c d e f g h " * 8, encoding="utf-8")
    bench = pv.open(f"hf:{tokenizer}", text)
    assert {p.dtype for p in bench.source.model.parameters()} == {torch.bfloat16}
    assert any("samples of 8 tokens, one behind the other (stride 8)" in n for n in bench.notes)
    plan = pv.Plan(sparsity={"model.layers.0.mlp.down_proj": 0.9})
    written = bench.continuation(plan, "a b", 4)
    assert written.prompt.split() == ["a", "b"]
    assert len(written.dense) == len(written.pruned) == 4
    assert written == bench.continuation(plan, "a b", 4)
    found = bench.surprise(plan, passage(bench, 0))
    assert len(found.pieces) == len(found.dense) == 7
    assert bench.evaluate(pv.Plan()).intervals.keys() == {"perplexity"}
