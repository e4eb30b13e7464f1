"""What must be said beside the headline of how a network is measured?"""

from __future__ import annotations

from pruneviz.plan import Plan
from pruneviz.ui.session.jobs import waits
from pruneviz.workbench import Workbench


def task_facts(bench: Workbench) -> dict[str, object]:
    """The score's names, whether it is a share, and what to take care of."""
    task = bench.task
    # Skills are never guessed, so nobody needs to be told how they were.
    usual = task.name in ("classes", "skills") or not task.note
    notes = (_caution(bench), "" if usual else task.note)
    note = " · ".join(filter(None, notes))
    return {"label": task.label, "word": task.word, "note": note, "share": task.share}


def why_late(bench: Workbench, plan: Plan) -> str | None:
    """Why nothing is measured while a thumb moves, or None where it is."""
    if plan.repair and not bench.slow:
        return "repaired, then measured, when you let go"
    if not waits(bench, plan):
        return None
    pace = 1 / bench.seconds_per_sample
    count = f"{pace:.0f}" if pace >= 10 else f"{pace:.1g}" if pace < 1 else f"{pace:.1f}"
    return f"this network answers {count} samples a second here"


def _caution(bench: Workbench) -> str:
    """What must be said beside the headline: made-up data, several outputs, little in reach."""
    notes = []
    if any("synthetic" in note for note in bench.notes):
        notes.append(f"synthetic inputs: {bench.task.word}, not accuracy")
    if bench.task.overall:
        notes.append(f"the mean over {len(bench.task.others)} outputs")
    elif bench.task.others:
        notes.append(f"of output {bench.task.output}")
    notes += [note.partition(";")[0] for note in bench.notes if note.startswith("sliders reach")]
    return "; ".join(notes)
