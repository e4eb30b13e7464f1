"""What does the user ask for?"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

SCOPES = ("layer", "global", "alike")
WIDTHS = ("neuron", "head")  # what makes layers narrower
UNITS = (*WIDTHS, "block")
AGGREGATES = ("mean", "sum", "max")
REPAIRS = ("fold", "reconstruct", "update", "recalibrate")
_OF_WIDTHS, _OF_WEIGHTS = ("fold", "reconstruct"), ("update",)
_PIN = re.compile(r"\d+|\d+:\d+,\d+:\d+")
_PATTERN = re.compile(r"([1-9]\d*):([1-9]\d*)")
_LINK_LIMIT = 200_000


class Levels(Mapping[str, float]):
    """Sparsity by layer name: a mapping that cannot change, so that a plan can be a cache key."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, float] | None = None) -> None:
        self._items = {name: _level(name, value) for name, value in (items or {}).items()}

    def __getitem__(self, name: str) -> float:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


class Pins(Mapping[str, Mapping[str, bool]]):
    """What was cut or kept by hand, by layer name: a mapping that cannot change.

    Layer -> place -> True = kept, False = cut. A place is a unit ("5"), or of a weight matrix
    [units, inputs] the block of rows 2, 3 and columns 0..8 ("2:4,0:9"); later ones win.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Mapping[str, bool]] | None = None) -> None:
        self._items = {name: _pins(name, places) for name, places in (items or {}).items()}
        self._items = {name: places for name, places in self._items.items() if places}

    def __getitem__(self, name: str) -> Mapping[str, bool]:
        return dict(self._items[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pins) and self._items == other._items

    def __repr__(self) -> str:
        return repr({name: dict(places) for name, places in self._items.items()})


@dataclass(frozen=True)
class Plan:
    """A request to prune; frozen and hashable. `Plan()` is the dense network.

    criterion: a name in CRITERIA. granularity: "weight", "neuron", "head" (of attention alone),
    "block" (a residual branch, named by any of its layers: 1 leaves it out) or "N:M" (keep N of
    each M).
    scope: where scores compete, "layer", "global" or "alike" (among layers of one kind and shape).
    sparsity: layer name -> fraction pruned, 0..1; with scope "global" every layer named competes in
    one ranking, with "alike" in that of its like, and the counts asked there are added up.
    relative: scores are divided by their layer's L2 norm first (Molchanov et al. 2017). seed: of
    the random criterion. pinned: what was cut or kept by hand, see `Pins`. aggregate: how the
    scores of layers that are cut together make one: "mean", "sum" or "max". repair: what is done
    about the damage without training, of REPAIRS.

    Raises ValueError naming the field or layer when a value is out of range.

    >>> pv.Plan("l2", "neuron", sparsity={"fc1": 0.5}).is_dense
    False
    """

    criterion: str = "magnitude"
    granularity: str = "weight"
    scope: str = "layer"
    sparsity: Mapping[str, float] = field(default_factory=Levels)
    relative: bool = False
    seed: int = 0
    pinned: Mapping[str, Mapping[str, bool]] = field(default_factory=Pins)
    aggregate: str = "mean"
    repair: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.sparsity, Mapping):
            raise ValueError(
                f"sparsity must map layer names to fractions, got {self.sparsity!r}; "
                'write sparsity={"conv1": 0.5}'
            )
        object.__setattr__(self, "sparsity", Levels(self.sparsity))
        if not isinstance(self.criterion, str):
            raise ValueError(f"criterion must be a name, got {self.criterion!r}")
        if self.scope not in SCOPES:
            raise ValueError(f"scope must be 'layer', 'global' or 'alike', got {self.scope!r}")
        if not isinstance(self.relative, bool):
            raise ValueError(f"relative must be True or False, got {self.relative!r}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed must be a whole number of 0 or more, got {self.seed!r}")
        if not isinstance(self.pinned, Mapping):
            raise ValueError(
                f"pinned must map layer names to places, got {self.pinned!r}; "
                'write pinned={"conv1": {"5": False}}'
            )
        object.__setattr__(self, "pinned", Pins(self.pinned))
        if self.aggregate not in AGGREGATES:
            raise ValueError(f"aggregate must be one of {AGGREGATES}, got {self.aggregate!r}")
        object.__setattr__(self, "repair", _repairs(self.repair))
        self._check_granularity()

    def _check_granularity(self) -> None:
        by_unit = self.granularity in UNITS
        for name, places in self.pinned.items():
            block = next((place for place in places if ":" in place), None)
            if pattern(self.granularity) or (by_unit and block):
                raise ValueError(
                    f"granularity {self.granularity!r} cannot pin {block or 'units'!r} of {name!r}"
                )
        beyond = [name for name in self.repair if name not in repairs_for(self.granularity)]
        if beyond and self.granularity not in WIDTHS and beyond[0] in _OF_WIDTHS:
            raise ValueError(
                f"repair {beyond[0]!r} mends what removed units leave behind; "
                "use granularity 'neuron' or 'head'"
            )
        if beyond:
            raise ValueError(
                f"repair {beyond[0]!r} makes up for single weights that are cut; use granularity "
                "'weight' or 'N:M', or repair 'reconstruct' for whole units"
            )
        if pattern(self.granularity) and self.scope != "layer":
            raise ValueError(
                f"granularity {self.granularity!r} lets weights compete inside each group only; "
                "use scope='layer'"
            )

    @property
    def is_dense(self) -> bool:
        """Whether nothing is asked to be pruned; there is nothing to repair then either."""
        by_hand = any(not kept for places in self.pinned.values() for kept in places.values())
        return not by_hand and not any(self.sparsity.values())

    def as_dict(self) -> dict[str, object]:
        """Plain values, as JSON and YAML can hold them."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {"sparsity": dict(self.sparsity), "repair": list(self.repair)}
        return values | plain | {"pinned": {name: dict(p) for name, p in self.pinned.items()}}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Plan:
        """The plan these plain values describe; ValueError names what does not belong."""
        names = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - names, key=str)
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r} in a plan; known are {sorted(names)}")
        return cls(**values)  # type: ignore[arg-type]


def settings_of(plan: Plan) -> Plan:
    """The choices of a plan alone, each layer by itself: nothing cut, nothing pinned."""
    return replace(plan, sparsity={}, pinned={}, scope="layer", relative=False)


def pattern(granularity: str) -> tuple[int, int] | None:
    """(N, M) of an "N:M" granularity, None for the others; ValueError if it is none of them."""
    if granularity in ("weight", *UNITS):
        return None
    match = _PATTERN.fullmatch(granularity) if isinstance(granularity, str) else None
    if match is None:
        raise ValueError(
            f"granularity must be 'weight', 'neuron', 'head', 'block' or 'N:M' such as '2:4', "
            f"got {granularity!r}"
        )
    n, m = int(match[1]), int(match[2])
    if n >= m:
        raise ValueError(f"granularity {granularity!r} prunes nothing: N must be smaller than M")
    return n, m


def repairs_for(granularity: str) -> tuple[str, ...]:
    """Those of REPAIRS that mend what this granularity cuts.

    >>> pv.plan.repairs_for("weight")
    ('update', 'recalibrate')
    """
    others: tuple[str, ...] = () if granularity in WIDTHS else _OF_WIDTHS
    others += _OF_WEIGHTS if granularity in UNITS else ()
    return tuple(name for name in REPAIRS if name not in others)


def to_link(plan: Plan, fingerprint: str) -> str:
    """The plan as text for a URL; fingerprint says which weights it was made for."""
    values = plan.as_dict()
    if plan.scope == "layer":  # a layer left whole need not be named
        values["sparsity"] = {name: level for name, level in plan.sparsity.items() if level}
    for name in ("pinned", "aggregate", "repair"):
        if getattr(plan, name) == getattr(Plan(), name):
            del values[name]
    text = json.dumps({"for": fingerprint, "plan": values}, separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def from_link(text: str, fingerprint: str) -> Plan:
    """The plan in a link; ValueError says whether it is damaged or made for other weights."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(data, _LINK_LIMIT)
        if not unpacker.eof:
            raise ValueError("it ends too early or is too long")
        content = json.loads(raw)
        made_for, values = content["for"], content["plan"]
        plan = Plan.from_dict(values)
    except (ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
        raise ValueError(f"the plan in this link is damaged ({error}); ask for a new one") from None
    if made_for != fingerprint:
        raise ValueError(
            f"this link was made for other weights ({made_for}, here {fingerprint}); "
            "open it with the version it was made with"
        )
    return plan


def _level(name: object, value: object) -> float:
    if not isinstance(name, str):
        raise ValueError(f"sparsity needs layer names, got {name!r}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"sparsity of {name!r} must be a number in [0, 1], got {value!r}")
    if not 0 <= value <= 1:  # NaN is refused here too
        raise ValueError(f"sparsity of {name!r} must be in [0, 1], got {value!r}")
    return float(value)


def _pins(name: object, places: object) -> tuple[tuple[str, bool], ...]:
    if not isinstance(name, str) or not isinstance(places, Mapping):
        raise ValueError(f"pinned needs places by layer name, got {name!r}: {places!r}")
    for place, kept in places.items():
        if not isinstance(place, str) or not _PIN.fullmatch(place) or not isinstance(kept, bool):
            raise ValueError(
                f"pinned of {name!r} must map a unit such as '5' or a block such as '2:4,0:9' "
                f"to True (kept) or False (cut), got {place!r}: {kept!r}"
            )
    return tuple(places.items())


def _repairs(value: object) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (tuple, list)) or any(name not in REPAIRS for name in names):
        raise ValueError(f"repair must be some of {REPAIRS}, got {value!r}")
    return tuple(name for name in REPAIRS if name in names)
