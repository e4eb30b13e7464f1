"""What came of a training, and how does it become a version of the network?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.score import change
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.scale import SHARE, Scale
from pruneviz.storage.faults import public
from pruneviz.tasks import Task
from pruneviz.training.checkpoints import StoredTraining
from pruneviz.ui.boundary import part
from pruneviz.ui.pages import WORKBENCH
from pruneviz.ui.session import Session, arrive, networks, versions
from pruneviz.ui.session.versions import change_words
from pruneviz.ui.text import plain
from pruneviz.ui.train.training_work import Result, TrainingWork
from pruneviz.ui.wording import duration
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import last_seq, reach


def result(work: TrainingWork) -> None:
    """The numbers before and after, and a button that makes a version of it."""
    outcome = work.result
    if outcome is None:
        return
    session = work.session
    left, right = st.columns([6, 1.6], vertical_alignment="center")
    task = session.bench.task
    left.markdown(
        f"**{plain(work.name)}**: {plain(' '.join(result_sentences(outcome, task.scale)))}"
    )
    if right.button(
        "Use as a new version",
        key="train-use",
        type="primary",
        width="stretch",
        help="It becomes a network of its own in the list above the board, with its masks; the one "
        "it was made from stays as it is.",
    ):
        try:
            session = use(work, outcome)
        except (ValueError, OSError) as error:
            st.error(plain(f"{public(error)}."))
            return
        st.switch_page(WORKBENCH, query_params=address.query(session))
    st.dataframe(
        summary(outcome, task),
        hide_index=True,
        height="content",
        key="train-summary",
        row_height=30,
        column_config={"": st.column_config.TextColumn(width="medium")},
    )


def summary(outcome: Result, task: Task) -> pd.DataFrame:
    """Before, cut but not trained, and after: of the network that was really trained.

    Changes are paired: from dense, and where it began as something else also from there.
    """
    trained, before = outcome.trained, outcome.before
    rows = {"before": before}
    if not trained.asked.is_dense and trained.training.method != "dense":
        mended = trained.asked.repair and trained.training.start != "new"
        rows["cut and repaired, not trained" if mended else "cut, not trained"] = outcome.cut
    rows["after training"] = outcome.bench.evaluate(trained.plan)
    table = [
        {
            "": name,
            task.word: task.score_text(each.accuracy),
            "95 %": task.interval_text(each.low, each.high),
            "change from dense (95 %)": _from_dense(each, task),
            "change from before (95 %)": _from(each, before, task),
        }
        for name, each in rows.items()
    ]
    frame = pd.DataFrame(table)
    return frame if before.start else frame.drop(columns="change from before (95 %)")


def _from_dense(each: Evaluation, task: Task) -> str:
    if each.start is None and each.delta == each.delta_low == each.delta_high == 0:
        return "–"
    return change_words(task, each.delta, each.delta_low, each.delta_high)


def _from(each: Evaluation, before: Evaluation, task: Task) -> str:
    if each is before:
        return "–"
    return change_words(task, *change(each.scores, before.scores, each.weight, task))


def result_sentences(outcome: Result, scale: Scale = SHARE) -> list[str]:
    """What one wants to know of a training, in sentences."""
    trained = outcome.trained
    table = trained.table[~trained.table["aside"].astype(bool)]
    epochs, last = table[table["epoch"] > 0], table.iloc[-1]
    sentences = [f"{100 * last['sparsity']:.1f} % cut, {int(last['params']):,} parameters left."]
    if trained.training.start == "new":
        sentences.append(
            f"Began with new weights at {scale.score_text(outcome.before.accuracy)}; at the end "
            f"{_change_text(last, scale)} from the network on the workbench."
        )
    elif trained.training.method != "dense":
        sentences.append(_recovery(trained.recovered, last, scale))
    if pd.notna(last["gap"]):
        sentences.append(f"Gap between training and validation {scale.change_text(last['gap'])}.")
    begin, end = float(epochs["seconds"].iloc[0]), float(epochs["seconds"].iloc[-1])
    sentences.append(
        f"{end:.2g} s an epoch at the end, {begin:.2g} s in the first; "
        f"{duration(trained.seconds)} of training in all."
    )
    return sentences


def _change_text(last: pd.Series, scale: Scale) -> str:
    low, high = float(last["delta_low"]), float(last["delta_high"])
    return f"{scale.change_text(float(last['delta']))} (95 %: {scale.span_text(low, high)})"


def _recovery(back: int | None, last: pd.Series, scale: Scale) -> str:
    end = f"at the end {_change_text(last, scale)} from the network before it was cut"
    if back is None:
        return f"Not recovered: {end}."
    epochs = f"{back} epoch{'' if back == 1 else 's'} of “{last['leg']}”"
    if float(last["delta_high"]) < 0:
        return f"Recovered after {epochs}, and lost again: {end}."
    return f"Recovered after {epochs}: {end}."


def use(work: TrainingWork, outcome: Result) -> Session:
    """Open the result as a network of its own, at the plan that reproduces its masks."""
    before, trained = work.session, outcome.trained
    if versions.version_of(before.name) is None:
        versions.add(versions.first_of(before.name, before.bench))
    name, key, complaint = work.name, "", None
    try:
        name, key = versions.store(outcome.folder, work.name, before.name)
    except OSError as error:
        complaint = f"This version could not be kept, and ends with this tab: {public(error)}."
    if key and versions.is_open(key):
        name = versions.open_version(key)
    else:
        name = networks.keep(name, outcome.bench)
        versions.add(versions.trained_version(before.name, name, outcome.bench, trained, key))
    session = _begin_at(name, trained.plan, before.settled)
    session.message = complaint or session.message
    return session


def take_finished(before: Session, stored: StoredTraining) -> Session:
    """Open a training that has ended on disk as a version; nothing is trained again.

    ValueError, OSError: it cannot be read, or not be kept.
    """
    wish = versions.next_name(before.name)
    _, key = versions.store(stored.folder, wish, before.name)
    name = versions.open_version(key)
    version = versions.version_of(name)
    return _begin_at(name, Plan() if version is None else version.plan, before.settled)


def _begin_at(name: str, plan: Plan, before: Plan) -> Session:
    """A fresh session at a version, and at the plan that reproduces its masks, which says what in
    it differs from the plan `before`.
    """

    def go(session: Session) -> None:
        arrive(session, plan)
        session.message = _difference_text(before, plan)

    session = networks.begin(name)
    session.seq = last_seq()  # what the board asked of the network before is not for this one
    if not plan.is_dense:
        reach(session, plan, lambda: plan, go)
    st.session_state["session"] = session
    return session


def _difference_text(before: Plan, plan: Plan) -> str | None:
    sentences = []
    if plan.criterion != before.criterion:
        now, then = CRITERIA[plan.criterion].label, CRITERIA[before.criterion].label
        sentences.append(f"{now} instead of {then}: it finds what was cut in the trained weights.")
    if before.repair and not plan.repair:
        sentences.append("What was repaired before the training is in the weights.")
    return " ".join(sentences) or None


@part
def lineage(session: Session) -> None:
    """The versions of this network, as far as this session has made any."""
    family = versions.family(session.name)
    if len(family) < 2:
        return
    st.markdown("**Versions in this session**: choose one on the workbench, in the list of models")
    st.dataframe(
        versions.table(family), hide_index=True, height="content", key="train-versions",
        row_height=30,
    )  # fmt: skip
