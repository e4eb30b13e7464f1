"""Does the board refuse what makes no sense, and do its modules hold together?"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.ui import board as board_module
from pruneviz.ui.board import ALL, KINDS, MEASURES, Pin, Request, pack, parse
from pruneviz.ui.board.modules import one_module
from tests.node import FOLDER as BOARD_TESTS
from tests.node import run_board_tests

FOLDER = Path(board_module.__file__).parent
WHOLE: dict[str, object] = {
    "seq": 3,
    "kind": "drag",
    "sparsity": {"conv1": 0.5, "fc1": 1},
    "locked": ["fc1"],
    "focus": "conv1",
    "have": {"scene": "s", "picture": ""},
}
PIN = {"layer": "conv1", "places": {"5": False, "2:4,0:9": True, "7": None}}


def test_a_whole_request_is_read() -> None:
    expected = Request(3, "drag", {"conv1": 0.5, "fc1": 1.0}, ("fc1",), "conv1", "s", "")
    assert parse(WHOLE) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_request_is_known(kind: str) -> None:
    request = parse(WHOLE | {"kind": kind, "pin": PIN, "point": "a"})
    assert request is not None
    assert request.kind == kind
    assert (request.pin is not None) == (kind == "pin")


def test_a_stroke_of_a_hand_is_read() -> None:
    request = parse(WHOLE | {"kind": "pin", "pin": PIN})
    assert request is not None
    assert request.pin == Pin("conv1", {"5": False, "2:4,0:9": True, "7": None})
    request = parse(WHOLE | {"kind": "pin", "pin": {"layer": "a", "places": {"all": None}}})
    assert request is not None
    assert request.pin == Pin("a", {ALL: None})


@pytest.mark.parametrize(
    "pin",
    [
        *(None, 3, [], "5", {}, {"layer": "a"}, {"places": {"5": True}}),
        *({"layer": x, "places": {"5": True}} for x in (None, 3, ["a"])),
        *({"layer": "a", "places": x} for x in (None, [], "5", {}, ["5"])),
        *({"layer": "a", "places": {x: True}} for x in (5, None, "", "x", "-1", "1.5", " 5")),
        *({"layer": "a", "places": {x: True}} for x in ("1:2", "1:2,3", "5\n", "all", "9" * 99)),
        *({"layer": "a", "places": {"5": x}} for x in (0, 1, "cut", [], 0.5)),
        {"layer": "a", "places": {str(i): True for i in range(5000)}},
    ],
)
def test_a_damaged_stroke_is_none(pin: object) -> None:
    assert parse(WHOLE | {"kind": "pin", "pin": pin}) is None


@pytest.mark.parametrize(
    ("given", "read"), [("model", "model"), ("layer", "layer"), (None, "layer"), (3, "layer")]
)
def test_colours_are_compared_over_the_layer_unless_the_model_is_asked_for(
    given: object, read: str
) -> None:
    request = parse(WHOLE | {"scale": given})
    assert request is not None
    assert request.scale == read


def test_a_request_says_by_what_to_share_out_and_which_curves_it_holds() -> None:
    request = parse(WHOLE)
    assert request is not None
    assert (request.allocation, request.sensitivity, request.tables) == ("uniform", "", "")
    have = {"scene": "s", "picture": "", "sensitivity": "c", "allocation": "t"}
    for method in ALLOCATIONS:
        request = parse(WHOLE | {"allocation": method, "have": have})
        assert request is not None
        assert (request.allocation, request.sensitivity, request.tables) == (method, "c", "t")


def test_a_request_names_the_layers_it_has_no_picture_of() -> None:
    request = parse(WHOLE | {"thumbnails": ["conv1", "fc1"]})
    assert request is not None
    assert request.thumbnails == ("conv1", "fc1")


def test_a_request_says_what_the_chart_shows_and_to_which_point_to_return() -> None:
    request = parse(WHOLE)
    assert request is not None
    assert (request.measure, request.lose, request.chart, request.point) == (
        "accuracy",
        0.01,
        "",
        "",
    )
    have = {"scene": "s", "picture": "", "chart": "c"}
    for measure in MEASURES:
        more = {"kind": "return", "point": "p", "measure": measure, "lose": 5, "have": have}
        request = parse(WHOLE | more)
        assert request is not None
        assert (request.measure, request.lose) == (measure, 5.0)
        assert (request.chart, request.point) == ("c", "p")


@pytest.mark.parametrize(("given", "read"), [(-1, 0), (0.02, 0.02), (10**400, 1e9)])
def test_the_loss_allowed_is_an_amount(given: float, read: float) -> None:
    request = parse(WHOLE | {"lose": given})
    assert request is not None
    assert request.lose == read


@pytest.mark.parametrize("value", [None, 1, "x", [], [WHOLE], {}, {"seq": 1}, True])
def test_what_is_no_request_is_none(value: object) -> None:
    assert parse(value) is None


@pytest.mark.parametrize("name", WHOLE)
def test_a_request_with_a_part_missing_is_none(name: str) -> None:
    assert parse({key: value for key, value in WHOLE.items() if key != name}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seq", x) for x in (1.5, True, -1, None, "1", 2**53, float("nan"))),
        *(("kind", x) for x in ("boom", "", None, [], 3)),
        *(("sparsity", {"a": x}) for x in (float("nan"), float("inf"), "1", True, None, [])),
        *(("sparsity", x) for x in (None, [], "a", 0.5, {1: 0.5})),
        *(("locked", x) for x in ("ab", [1], None, {"a": 1}, 3)),
        *(("focus", x) for x in (None, 3, [])),
        *(("thumbnails", x) for x in (None, 3, "ab", [1], {"a": 1}, ["a"] * 33)),
        *(("have", x) for x in (None, [], {"scene": 1, "picture": ""}, {"scene": ""})),
        *(("have", {"scene": "", "picture": "", x: 1}) for x in ("sensitivity", "allocation")),
        *(("allocation", x) for x in ("", "LAMP", "boom", None, 3, ["lamp"])),
        *(("measure", x) for x in ("", "Loss", None, 3, ["loss"])),
        *(("lose", x) for x in ("1", None, True, float("nan"), float("inf"), [])),
        ("have", {"scene": "", "picture": "", "chart": 1}),
        *(("point", x) for x in (None, 3, ["a"])),
        ("kind", "return"),
    ],
)
def test_a_damaged_request_is_none(name: str, value: object) -> None:
    assert parse(WHOLE | {name: value}) is None


def test_levels_end_at_the_ends_of_the_range() -> None:
    request = parse(WHOLE | {"sparsity": {"a": 5, "b": -3.0, "c": 10**400, "d": 0.25}})
    assert request is not None
    assert request.sparsity == {"a": 1.0, "b": 0.0, "c": 1.0, "d": 0.25}


@pytest.mark.parametrize(
    ("values", "width"),
    [
        (np.array([1.5, -2.0, 3.25]), "<f4"),
        (np.array([[0.1, np.inf]], dtype=np.float32), "<f4"),
        (np.array([1, -2, 2**31 - 1]), "<i4"),
        (np.array([True, False]), "<i4"),
        (np.array([3], dtype=np.uint8), "<i4"),
        (np.zeros(0), "<f4"),
        (np.zeros(0, dtype=int), "<i4"),
    ],
)
def test_packed_numbers_come_back(values: np.ndarray, width: str) -> None:
    back = np.frombuffer(base64.b64decode(pack(values)), dtype=width)
    assert back.tolist() == values.astype(width).ravel().tolist()


def test_what_is_too_big_or_no_number_is_not_packed() -> None:
    with pytest.raises(ValueError, match="32 bits"):
        pack(np.array([2**31]))
    with pytest.raises(TypeError, match="numbers"):
        pack(np.array(["a"]))


# -- modules -----------------------------------------------------------------------------------


def test_the_boards_code_passes_its_own_tests(tmp_path: Path) -> None:
    whole = tmp_path / "board.mjs"
    whole.write_text(one_module(FOLDER, "board"), "utf-8")
    names = {path.name.removesuffix(".test.js") for path in BOARD_TESTS.glob("*.test.js")}
    run_board_tests(*sorted(names - {"counts"}), JOINED=whole.as_uri())


def test_every_file_of_the_folder_is_reached() -> None:
    scripts = [one_module(FOLDER, entry) for entry in ("board", "deliver", "map")]
    for file in FOLDER.glob("*.js"):
        reaches = [script for script in scripts if f"const ${file.stem} = " in script]
        assert reaches, f"{file.name} is imported by no other"
    for script in scripts:
        assert len(re.findall(r"^export ", script, re.MULTILINE)) == 1
        assert not re.search(r"^import ", script, re.MULTILINE)


def modules(folder: Path, **files: str) -> str:
    """The one module of these files, of which `main` is the entry."""
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text, "utf-8")
    return one_module(folder, "main")


MAIN = 'import { b } from "./side.js";\nexport default function main() { return b; }\n'


def test_modules_are_joined_after_what_they_import(tmp_path: Path) -> None:
    script = modules(
        tmp_path,
        main='import {\n  b,\n  c,\n} from "./side.js";\n' + MAIN.replace("{ b }", "{ d }"),
        side='import { d } from "./low.js";\nconst own = d;\nexport const b = own;\n'
        "export class c {}\nexport async function d() {}\n",
        low="export function d() {}\n",
    )
    assert [script.index(f"const ${name} =") for name in ("low", "side", "main")] == sorted(
        script.index(f"const ${name} =") for name in ("low", "side", "main")
    )
    assert "return { b, c, d };" in script, "what is not exported stays inside"
    assert script.endswith("export default $main.main;\n")


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ('import { main } from "./main.js";\nexport const b = 1;\n', "main.js → side.js"),
        ("export const a = 1;\n", "main.js imports 'b', which side.js lacks"),
        ("const b = 1;\nexport { b };\n", "cannot be joined: export { b }"),
        ("export let b = 1;\n", "cannot be joined|lacks"),
        ('export const b = 1;\nimport x from "y";\n', "cannot be joined: import x"),
        ('export const b = 1;\nimport * as x from "./low.js";\n', "cannot be joined: import"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, side: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        modules(tmp_path, main=MAIN, side=side)


def test_an_entry_needs_a_default_and_a_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="export default"):
        modules(tmp_path, main="export const a = 1;\n")
    with pytest.raises(FileNotFoundError, match=r"side\.js"):
        modules(tmp_path, main=MAIN)


def test_nothing_is_fetched_from_elsewhere() -> None:
    for file in (*FOLDER.glob("*.js"), *FOLDER.glob("*.css")):
        assert not re.search(r"https?://|@import [^{]|url\(", file.read_text("utf-8")), file.name


def test_one_number_is_told_alike_by_the_board_and_by_python(tmp_path: Path) -> None:
    """Of 2,000 samples one accuracy in twenty lies half way between two figures."""
    values = [100 * right / n for n in (64, 1_400, 2_000) for right in range(n + 1)]
    values += [sign * value / 16 for value in range(200) for sign in (1, -1)]
    cases = [
        {"value": value, "digits": digits, "text": f"{value:.{digits}f}"}
        for value in values
        for digits in range(4)
        if value >= 0 or round(value, digits)  # what rounds to zero has no sign
    ]
    table = tmp_path / "cases.json"
    table.write_text(json.dumps(cases), "utf-8")
    run_board_tests("rounding", CASES=str(table))
