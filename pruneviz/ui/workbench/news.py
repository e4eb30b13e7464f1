"""When does the board look again whether something was measured?"""

from __future__ import annotations

from pruneviz.turns import turns
from pruneviz.ui.session import Session, jobs

_SOON, _LATEST = 0.4, 4.0
_CALM = 4  # visitors at work, with whom the board looks as often as with one


def next_look(session: Session) -> float | None:
    """Seconds to wait until there may be news; None where none will come by itself.

    To look costs most of what a drag costs, so that with many visitors each looks less often.
    """
    if not _expects_news(session):
        return None
    return min(_LATEST, _SOON * max(1.0, turns().visitors() / _CALM))


def _expects_news(session: Session) -> bool:
    """Whether something is at work, has ended and was not taken note of, or will be at work when
    the page stands.
    """
    if session.job is not None:
        return True
    # A page opened again has everything still to measure, as far as its session knows.
    return session.unmeasured and not jobs.is_measured(session.bench, session.settled)
