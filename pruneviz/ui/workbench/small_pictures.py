"""Which layers are sent to the board in small?"""

from __future__ import annotations

from time import perf_counter

from pruneviz.ui.board import Request, thumbnails
from pruneviz.ui.session import Session, cached

_MOMENT = 0.12  # seconds


def small_pictures(session: Session, request: Request | None, scene_id: str) -> dict[str, object]:
    """The layers that the browser lacks in small, as many as can be made in a moment.

    What is left out it asks for again.
    """
    bench, plan = session.bench, session.live
    activity, pins = bench.has_evidence("activity"), thumbnails.pin_marks(plan)
    pictures: dict[str, object] = {}
    end = perf_counter() + _MOMENT
    for name in () if request is None else request.thumbnails:
        if name in bench.layer_of and (not pictures or perf_counter() < end):
            mark = pins.get(name, pins.get("", ""))
            picture_id = thumbnails.thumbnail_id(scene_id, name, activity, mark)
            pictures[picture_id] = cached.thumbnail_data(picture_id, bench, plan, name)
    return {"activity": activity, "pins": pins, "pictures": pictures}
