"""What follows from a recipe that is dropped on the page?"""

from __future__ import annotations

import streamlit as st

from pruneviz.plan import to_link
from pruneviz.recipes import Recipe, recipe_dropped
from pruneviz.storage.faults import public
from pruneviz.ui.session import networks
from pruneviz.ui.text import plain

_ROUND, _TAKEN = "recipe_round", "recipe_taken"


def ask_recipe(here: str) -> None:
    """A place for a recipe; here: the network on the screen. `take_recipe` tells where it leads.

    What is refused is said in one sentence, and nothing of the session is lost.
    """
    # A new key for each recipe that was taken: else the file would be read at every run.
    turn = st.session_state.setdefault(_ROUND, 0)
    file = st.file_uploader(
        "Or drop a recipe",
        ["yaml", "yml"],
        key=f"upload_recipe-{turn}",
        max_upload_size=1,
        help="A recipe.yaml from an export, or one of your own with no more than a criterion and "
        "a few sparsities. It opens its plan on the network it names, else on this one. Only "
        "networks that are in the list are opened: a file is not let to run code.",
    )
    if file is None:
        return
    try:
        recipe = recipe_dropped(file.getvalue(), file.name)
        st.session_state[_TAKEN] = _place(recipe, here)
    except ValueError as error:
        st.error(plain(public(error)))
        return
    st.session_state[_ROUND] = turn + 1


def take_recipe() -> tuple[str, str] | None:
    """(network, link of the plan) of the recipe that was dropped last, once."""
    place: tuple[str, str] | None = st.session_state.pop(_TAKEN, None)
    return place


def _place(recipe: Recipe, here: str) -> tuple[str, str]:
    model = recipe.opening.model if recipe.opening is not None else ""
    name = model or here
    if name not in networks.names():
        raise ValueError(
            f"{recipe.file} is made for {name!r}, which is not in the list of networks; start the "
            "app with it (-- --model …), or run `pruneviz replay`"
        )
    if recipe.training:
        raise ValueError(
            f"{recipe.at('training')}: this recipe trains before it cuts; run `pruneviz replay` "
            "with it, or train on the page Train"
        )
    weights = networks.open_bench(name).fingerprint
    if recipe.weights not in (None, weights):
        raise ValueError(
            f"{recipe.at('weights')} is {recipe.weights}, but {name!r} has {weights} here: it was "
            "made for other weights"
        )
    return name, to_link(recipe.plan, weights)
