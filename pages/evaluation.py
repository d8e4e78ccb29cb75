"""Do these units matter? Table 1 of the study, accuracy against units ablated, effects on other classes."""

from pathlib import Path

import pandas as pd
import streamlit as st

from interpret import frames
from interpret.config import EvaluateConfig, RunConfig, digest
from interpret.errors import InputError
from interpret.evaluation import heldout
from interpret.evaluation.evaluate import Evaluation
from interpret.evaluation.table1 import BASELINE, MethodRow
from interpret.figures import evaluation_charts
from interpret.study import Study
from pages.shared import router, wording
from pages.shared.backend import allowed_paths, cached_results, jobs, messages, owners
from pages.shared.controls import current_study, folder_input, menus, option_input
from pages.shared.view import (
    data_table,
    falls_of_sets,
    figures,
    influence,
    itemset_measures,
    run_progress,
    saved_tables,
    screen,
    style,
)


def page() -> None:
    study = current_study.opened()
    wording.header(
        "Do these units matter?", "Each class’s units are ablated (set to zero), and its photos classified again."
    )
    results, refused = cached_results.evaluations(study)
    for sentence in refused:
        st.warning(wording.markdown(sentence))
    run_progress.running("evaluate")
    if not results:
        if not any(job.kind == "evaluate" and job.study == study.name and job.under_way for job in jobs.jobs()):
            _nothing_yet(study)
        return
    chosen = 0
    if len(results) > 1:
        names = [str(result.about.get("measured_on", "photos")) for result in results]
        ids = {digest([name, names[:at].count(name)])[:8]: at for at, name in enumerate(names)}
        on = menus.choose(
            "Measured on",
            list(ids),
            "on",
            lambda name: _measured_on(results[ids[name]]),
            default=next(iter(ids)),
            width=screen.pixels(420),
        )
        chosen = ids[on]
        if menus.not_offered("on", on):
            st.warning("This study was not measured on the photos in the address; others are shown.")
    result = results[chosen]
    _finding(study, result)
    _curves(study, result)
    _table(study, result)
    influence.show(study, result)
    itemset_measures.show(study, result)
    falls_of_sets.show(study, result)
    with st.expander("Measure on other photos", icon=":material/add:"):
        _form(study)


def _finding(study: Study, result: Evaluation) -> None:
    """Show the result in two sentences."""
    about = result.about
    natural = {row.method: row for row in frames.rows(result.table[result.table["budget"].isna()], MethodRow)}
    candidates = (f"Ours-{study.mine_config.top_units}", "Ours-10")
    ours = next((name for name in candidates if name in natural), next(iter(natural)))
    row, photos = natural[ours], int(about["photos"])
    random = natural.get(f"Random, as {ours}")
    kind = wording.term("mined photos" if about.get("same_photos") else "held-out photos")
    words = (
        f"With all units active, {wording.percent(about['accuracy'], 1)} of {photos:,} {kind} are right "
        f"({_interval(about['accuracy'], photos)}). "
        f"Without the {row.units:.1f} units that mining finds for a class on average, "
        f"{wording.percent(row.accuracy, 1)} are ({wording.interval(row.accuracy, photos)})"
    )
    if random is not None:
        words += f"; without as many random ones, {wording.percent(random.accuracy, 1)}"
        words += f" ({100 * random.low:.1f} to {wording.percent(random.high, 1)} of the draws)"
    wording.paragraph(words + ".")
    if about.get("same_photos"):
        st.caption(
            "Measured on the photos that were mined, which flatters every method; measure on other photos below."
        )


def _curves(study: Study, result: Evaluation) -> None:
    off, kept = st.tabs(["Units ablated", "Only these units kept"])
    baseline = float(result.about["accuracy"])
    with off:
        figures.show(
            evaluation_charts.accuracy_curves(result.table, baseline, paper=style.paper()),
            name=f"{study.name}-accuracy",
            key="curves_off",
            alt="accuracy against the number of units ablated, one line for each ranking",
        )
        st.caption(
            "Lower is better: the lower the accuracy, the more the class relies on those units. The band around random "
            "is the 5th to 95th percentile of its draws; the other bands are 95 % intervals over photos."
        )
    with kept:
        figures.show(
            evaluation_charts.accuracy_curves(result.keep, baseline, kept=True, paper=style.paper()),
            name=f"{study.name}-kept",
            key="curves_kept",
            alt="accuracy against the number of units kept, one line for each ranking",
        )
        st.caption("Higher is better: only these units are on.")


def _table(study: Study, result: Evaluation) -> None:
    st.header("Table 1", anchor=False)
    rows = result.table.copy()
    natural = rows[rows["budget"].isna() | (rows["method"] == BASELINE)]
    shown = pd.DataFrame(
        {
            "method": natural["method"],
            "accuracy": [f"{100 * a:.2f} %" for a in natural["accuracy"]],
            "95 % interval": [
                _draws(row.low, row.high) if pd.notna(row.low) else wording.interval(row.accuracy, row.photos, 2)
                for row in frames.rows(natural, MethodRow)
            ],
            "units ablated": [f"{u:.2f}" for u in natural["units"]],
        }
    )
    equal = rows[rows["budget"].fillna(0) > 0]
    wide = equal.pivot_table(index="method", columns="budget", values="accuracy", sort=False)
    wide.columns = [f"{int(budget)} ablated" for budget in wide.columns]
    plain = {name: st.column_config.NumberColumn(format="%.1f") for name in wide.columns}
    wide = (100 * wide).round(1).reset_index()
    left, right = st.columns([4, 6], gap="large")
    with left:
        wording.paragraph("Each method’s own number of units")
        data_table.show(shown, key="natural", alt="accuracy with each method's own units ablated")
        wording.paragraph(
            "The interval is Wilson’s, over photos; for random units, the 5th to 95th percentile of draws.", "small"
        )
    with right:
        wording.paragraph("The same number of units for every method: accuracy in percent")
        data_table.show(
            wide,
            key="equal",
            column_config=plain,
            alt="accuracy at equal numbers of units ablated",
        )
    saved_tables.buttons("All of it", lambda: rows, wording.file_name(study.name, "table1", "csv"))


def _interval(share: float, photos: int) -> str:
    words = "Wilson’s interval, for the number of photos measured"
    return f'<abbr title="{words}">95\u00a0% interval</abbr> {wording.interval(share, photos)}'


def _draws(low: float, high: float) -> str:
    return f"{100 * low:.2f} to {wording.percent(high, 2)}"


def _nothing_yet(study: Study) -> None:
    wording.paragraph(
        "This study was not evaluated yet. Give photos that were not mined, in class folders: each is classified with "
        "its class’s units ablated, beside random units and the units of other rankings."
    )
    _form(study)


def _form(study: Study) -> None:
    sources = {"folder": "a folder of class folders"}
    if study.images["label"].notna().any():
        sources = {"own": "the study’s own photos", **sources}
    if study.model == "demo":
        sources = {"demo-val": "the demo’s held-out drawings", **sources}
    if apart := _folder_set_aside(study):
        sources = {"apart": "the photos that were set aside", **sources}
    source = st.radio("Photos to measure on", list(sources), format_func=sources.get, key="measure_on", horizontal=True)
    folder = ""
    if source == "folder":
        folder = folder_input.folder_input(
            "measure_folder",
            "validation",
            "class folders named by class, ImageNet index or wnid, WebDataset’s tar shards, or a data set of Hugging "
            "Face’s (hf:FOLDER:SPLIT)",
        )
    try:
        with st.popover("All options", icon=":material/tune:"):
            options = option_input.option_inputs(EvaluateConfig, key="measure")
            options += option_input.option_inputs(RunConfig, key="measure", only=("limit", "batch_size", "workers"))
    except InputError as error:
        st.error(wording.markdown(messages.of(error)))
        return
    if st.button("Measure", type="primary", key="measure_start", icon=":material/play_arrow:"):
        images = {"own": str(study.folder), "demo-val": "demo-val", "apart": apart}
        try:
            if source == "folder" and not folder.strip():  # it would stand for the whole allowed root
                raise InputError("Type the folder of the photos to measure on.")
            measure_on = images.get(str(source)) or allowed_paths.resolve_photos(folder)
            current_study.follow(
                jobs.start(study.name, ["--images", measure_on, *options], kind="evaluate", owner=owners.current()).id
            )
        except InputError as error:
            st.error(wording.markdown(messages.of(error)))
            return
        st.rerun()


def _folder_set_aside(study: Study) -> str:
    """The folder of the set of photos that were set aside of the study's own; empty if there is none."""
    held_out = cached_results.heldout_photos(study)
    return str(held_out.study.folder) if held_out and heldout.is_own(study, held_out.source) else ""


def _measured_on(result: Evaluation) -> str:
    """The photos of a result: name and number."""
    mined = ", the photos that were mined" if result.about.get("same_photos") else ""
    return f"{Path(result.about.get('measured_on', 'photos')).name} ({result.about['photos']:,} photos{mined})"


router.enter(page)
