"""How is a session written down so that others can do it again?"""

from pruneviz.recipes.reader import from_yaml, recipe_dropped
from pruneviz.recipes.recipe import Recipe, RecipeResult, recipe_of
from pruneviz.recipes.replay import ReplayResult, opening_of, replay, retrain
from pruneviz.recipes.script import script_of
from pruneviz.recipes.writer import to_yaml

__all__ = [
    "Recipe",
    "RecipeResult",
    "ReplayResult",
    "from_yaml",
    "opening_of",
    "recipe_dropped",
    "recipe_of",
    "replay",
    "retrain",
    "script_of",
    "to_yaml",
]
