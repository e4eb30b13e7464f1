"""How does foreign text stand on a page as it is?"""

from __future__ import annotations

import re

# Word joiner: no width, no break. Streamlit makes links, icons and arrows of text after Markdown's
# own backslashes are gone, so these patterns are broken by a sign that nobody sees.
_JOINER = "\u2060"
_BROKEN = (
    (re.compile(r"(https?:)(?=//)|(www)(?=\.)", re.IGNORECASE), r"\g<0>"),
    (re.compile(r"(?<=[\w.+-])@(?=[\w-]+\.[\w-])"), "@"),
    (re.compile(r":(?=material_\w+:|streamlit:)"), ":"),
    (re.compile(r"(?<!\S)(?:<-|-|<|>|~)(?=(?:[->=])(?!\S))"), r"\g<0>"),
)
# What has a meaning within a line: code, emphasis, links, HTML, mathematics, strikethrough,
# attributes of directives; then entities, emoji and icons, and marks that begin a block.
_INLINE = re.compile(r"[\\`*\[\]<$~{}|]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|(?<=:material)/")
_SHORTCODE = re.compile(r":[\w+/-]+:")
_BLOCK = re.compile(r"^( ?)([#>+=:-]|\d{1,9}(?=[.)]))")


def plain(text: object) -> str:
    r"""Foreign text (a name, a note, an error) in Markdown that shows it letter by letter.

    In one line, wherever it stands: at its beginning, within a sentence, as a label.

    >>> plain("![x](http:a.png) is 10 % of conv_1")
    '!\\[x\\](http:a.png) is 10 % of conv_1'
    """
    line = re.sub(r"\s+", " ", str(text))
    for pattern, replacement in _BROKEN:
        line = pattern.sub(replacement + _JOINER, line)
    short = _SHORTCODE.search(line)
    line = _INLINE.sub(r"\\\g<0>", line)
    line = line.replace(":", r"\:") if short else line
    return _BLOCK.sub(_begin, line)


def as_sentence(text: object) -> str:
    """Foreign words as `plain` has them, with a capital first and one full stop at the end.

    >>> as_sentence("x.npz has no 'y'")
    "X.npz has no 'y'."
    """
    words = str(text).strip().rstrip(".")
    return plain(f"{words[:1].upper()}{words[1:]}.")


def code(text: object) -> str:
    """A foreign name in type of one width, whatever backticks it has.

    >>> code("conv1"), code("a`b")
    ('`conv1`', '`` a`b ``')
    """
    line = re.sub(r"\s+", " ", str(text)).replace(":material/", f":{_JOINER}material/")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    if not line.strip():
        return plain(line)
    # One space at each end is not shown; without it a backtick there would join the fence.
    room = " " if longest or line[0] == line[-1] == " " else ""
    fence = "`" * (longest + 1)
    return f"{fence}{room}{line}{room}{fence}"


def _begin(match: re.Match[str]) -> str:
    room, mark = match.groups()
    return f"{room}{mark}\\" if mark.isdigit() else f"{room}\\{mark}"
