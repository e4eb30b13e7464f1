"""Is foreign text shown as it is, and does no place forget to say that it is foreign?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pruneviz.ui.text import code, plain

UI = Path(__file__).parents[1] / "pruneviz" / "ui"

# Calls whose words Streamlit reads as Markdown -> the place of those words among the arguments.
BODIES = dict.fromkeys(
    ("info", "error", "warning", "success", "markdown", "caption", "toast"), (0,)
)
LABELS = dict.fromkeys(
    (
        *("expander", "popover", "tabs", "button", "download_button", "form_submit_button"),
        *("checkbox", "toggle", "selectbox", "multiselect", "radio", "pills", "slider"),
        *("segmented_control", "text_input", "text_area", "number_input", "file_uploader"),
        *("select_slider", "header", "subheader", "spinner", "status"),
    ),
    (0,),
)
PLACES = BODIES | LABELS | {"progress": (1,), "metric": (0, 1, 2), "image": (1,), "page_link": ()}
KEYWORDS = {"help", "label", "caption", "text", "body"}
# What makes foreign words harmless, and what gives numbers or words of this house.
SAFE = {
    *("plain", "code", "as_sentence", "as_markdown", "len", "int", "size", "duration", "_about"),
    *("change_in_words", "_source", "_cost", "app_text", "_help", "readable", "_comparison"),
    *("_steps_done", "step_number", "_ahead", "_sentence"),
    *("help_on", "_attempts_text", "_target", "_link_text", "_omission_text", "_verdict_text"),
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("conv1 is 10 % of blocks.3_b (kept)", "conv1 is 10 % of blocks.3_b (kept)"),
        ("![x](http:a)", r"!\[x\](http:a)"),
        ("<img src=x>", r"\<img src=x>"),
        ("$x$ ~~y~~ `z` *a* _b_", r"\$x\$ \~\~y\~\~ \`z\` \*a\* \_b\_"),
        (":red[x] :smile:", r"\:red\[x\] \:smile\:"),
        (":material/home:", r"\:material\/home\:"),
        ("# a\n\n- b", r"\# a - b"),
        ("1. a", r"1\. a"),
        ("    code", " code"),
        ("a | b &lt; \\", r"a \| b \&lt; \\"),
        ("https://a.b www.c.de f@g.hi", "https:\u2060//a.b www\u2060.c.de f@\u2060g.hi"),
        ("a -- b -> c", "a -\u2060- b -\u2060> c"),
        ("", ""),
        (3, "3"),
    ],
)
def test_what_markdown_would_read_is_escaped(text: object, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("conv1", "`conv1`"),
        ("a`b", "`` a`b ``"),
        ("``", "``` `` ```"),
        ("a\n\nb", "`a b`"),
        (" ", " "),
        ("", ""),
    ],
)
def test_a_name_in_code_closes_no_fence(text: str, shown: str) -> None:
    assert code(text) == shown


def test_every_foreign_word_on_a_page_passes_through_plain_or_code() -> None:
    """Words from elsewhere reach Markdown through `plain` or `code` alone: see PLACES and SAFE."""
    said = [complaint for path in sorted(UI.rglob("*.py")) for complaint in breaches(path)]
    assert not said, "\n".join(said)


def test_the_rule_sees_what_breaks_it(tmp_path: Path) -> None:
    file = tmp_path / "page.py"
    file.write_text(
        "def draw(name: str, count: int) -> None:\n"
        "    words = f'{name}!'\n"
        "    st.info(name)\n"
        "    left.caption(words)\n"
        "    bar.progress(0.5, f'{name} {count}')\n"
        "    st.button(HELP['a'].label, help=f'{name}')\n"
        "    st.page_link(name, label=f'{name}')\n"
        "    st.info(f'{plain(name)} {count} {1.5:.1f}')\n"
    )
    assert [complaint.split(":")[1] for complaint in breaches(file)] == ["3", "4", "5", "6", "7"]


def breaches(path: Path) -> Iterator[str]:
    """Every place of a file where words that may be foreign are read as Markdown."""
    tree = ast.parse(path.read_text("utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        known = _safe_names(function)
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                for words in _words(call, call.func.attr):
                    if not _safe(words, known):
                        yield f"{path.name}:{call.lineno}: {ast.unparse(words)}"


def _words(call: ast.Call, name: str) -> Iterator[ast.expr]:
    if name not in PLACES:
        return
    for place in PLACES[name]:
        if place < len(call.args):
            yield call.args[place]
    yield from (word.value for word in call.keywords if word.arg in KEYWORDS)


def _safe_names(function: ast.FunctionDef) -> set[str]:
    """Variables of a function that hold numbers or words of this house alone."""
    given = [*function.args.args, *function.args.kwonlyargs]
    safe = {a.arg for a in given if a.annotation and ast.unparse(a.annotation) in ("int", "float")}
    values: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign) and node.value is not None:
            values.setdefault(ast.unparse(node.target), []).append(node.value)
        elif isinstance(node, ast.For | ast.comprehension) and _root(node.iter).isupper():
            safe |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    for _ in values:  # one may be made of another
        safe |= {name for name, each in values.items() if all(_safe(v, safe) for v in each)}
    return safe


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id.strip("_") if isinstance(node, ast.Name) else ""


def _safe(node: ast.expr | None, known: set[str]) -> bool:
    match node:
        case None | ast.Constant():
            return True
        case ast.JoinedStr(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            return all(_safe(part, known) for part in parts)
        case ast.BoolOp(values=parts):
            return all(_safe(part, known) for part in parts)
        case ast.FormattedValue(value=value, format_spec=spec):
            return _safe(value, known) or (spec is not None and not _only_aligned(spec))
        case ast.Starred(value=value):
            return _safe(value, known)
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            return _safe(one, known) and _safe(other, known)
        case ast.ListComp(elt=each) | ast.GeneratorExp(elt=each):
            return _safe(each, known)
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[each]):
            return _safe(each, known)
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name in SAFE
        case ast.Name(id=name) if name in known:
            return True
    root = _root(node) if node is not None else ""
    return root.isupper() or root in known


def _only_aligned(spec: ast.expr) -> bool:
    return ast.unparse(spec).strip("f'\"").strip("<>^0123456789") == ""
