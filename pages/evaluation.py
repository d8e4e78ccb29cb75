"""Do these units matter? Table 1 for the open study, accuracy against units off, and whom else a class's units hurt."""

from pathlib import Path

import pandas as pd
import streamlit as st

from interpret.errors import InputError
from interpret.evaluation.evaluate import Evaluation
from interpret.figures import evaluation_charts
from interpret.study import Study
from pages.shared import router, wording
from pages.shared.backend import jobs, numbers, uploads
from pages.shared.controls import address, current_study
from pages.shared.view import figures, run_progress, style


def page() -> None:
    study = current_study.opened()
    wording.header("Do these units matter?", "Each class's units are switched off, and its photos classified again.")
    results = numbers.evaluations(study)
    run_progress.running("evaluate")
    if not results:
        if not any(job.kind == "evaluate" and job.state == "running" for job in jobs.jobs()):
            _nothing_yet(study)
        return
    chosen = 0
    if len(results) > 1:
        chosen = st.selectbox(
            "Measured on",
            range(len(results)),
            format_func=lambda at: _measured_on(results[at]),
            key="measured_on",
            width=420,
        )
    result = results[chosen]
    _finding(study, result)
    _curves(study, result)
    _table(study, result)
    _matrix(study, result)
    _beyond(study, result)
    with st.expander("Measure on other photos", icon=":material/add:"):
        _form(study)


def _finding(study: Study, result: Evaluation) -> None:
    """The table's message in two sentences."""
    about = result.about
    natural = result.table[result.table["budget"].isna()].set_index("method")
    own = (f"Ours-{study.mine_config.top_units}", "Ours-10")
    ours = next((name for name in own if name in natural.index), natural.index[0])
    row, photos = natural.loc[ours], int(about["photos"])
    random = natural.loc[f"Random, as {ours}"] if f"Random, as {ours}" in natural.index else None
    words = (
        f"With all units on, {wording.percent(about['accuracy'], 1)} of {photos:,} photos are classified right "
        f"({_interval(about['accuracy'], photos)}). "
        f"Without the {row['units']:.1f} units that mining finds for a class on average, "
        f"{wording.percent(row['accuracy'], 1)} are ({wording.interval(row['accuracy'], photos)})"
    )
    if random is not None:
        words += f"; without as many random ones, {wording.percent(random['accuracy'], 1)}"
        words += f" ({100 * random['low']:.1f} to {wording.percent(random['high'], 1)} of the draws)"
    wording.paragraph(words + ".")
    if about.get("same_photos"):
        st.caption(
            "Measured on the photos that were mined, which flatters every method; measure on other photos below to "
            "learn what the units are worth."
        )


def _curves(study: Study, result: Evaluation) -> None:
    off, kept = st.tabs(["Units switched off", "Only these units kept"])
    baseline = float(result.about["accuracy"])
    with off:
        figures.show(
            evaluation_charts.accuracy_curves(result.table, baseline, paper=style.paper()),
            name=f"{study.name}-accuracy",
            key="curves_off",
            alt="accuracy against the number of units switched off, one line for each way of choosing them",
        )
        st.caption(
            "Lower is better: the fewer photos survive, the more the class rested on those units. The band around "
            "random is the 5th to 95th percentile of its draws, the others' the 95 % interval over photos."
        )
    with kept:
        figures.show(
            evaluation_charts.accuracy_curves(result.keep, baseline, kept=True, paper=style.paper()),
            name=f"{study.name}-kept",
            key="curves_kept",
            alt="accuracy against the number of units kept, one line for each way of choosing them",
        )
        st.caption("Higher is better: all other units are off, and these alone have to do.")


def _table(study: Study, result: Evaluation) -> None:
    st.subheader("Table 1", anchor=False)
    rows = result.table.copy()
    natural = rows[rows["budget"].isna() | (rows["method"] == "No unit off")]
    shown = pd.DataFrame(
        {
            "method": natural["method"],
            "accuracy": [f"{100 * a:.2f} %" for a in natural["accuracy"]],
            "95 % interval": [
                _draws(row.low, row.high)
                if pd.notna(row.low)
                else wording.interval(float(row.accuracy), int(row.photos), 2)
                for row in natural.itertuples()
            ],
            "units off": [f"{u:.2f}" for u in natural["units"]],
        }
    )
    equal = rows[rows["budget"].fillna(0) > 0]
    wide = equal.pivot_table(index="method", columns="budget", values="accuracy", sort=False)
    wide.columns = [f"{int(one)} off" for one in wide.columns]
    plain = {name: st.column_config.NumberColumn(format="%.1f") for name in wide.columns}
    wide = (100 * wide).round(1).reset_index()
    left, right = st.columns([4, 6], gap="large")
    with left:
        wording.paragraph("Each method's own number of units")
        st.dataframe(shown, hide_index=True, key="natural", alt="accuracy with each method's own units off")
        wording.paragraph(
            "The interval is Wilson’s, over photos; of random units, the 5th to 95th percentile of draws.", "small"
        )
    with right:
        wording.paragraph("As many units for every method: accuracy in percent")
        st.dataframe(
            wide, hide_index=True, key="equal", column_config=plain, alt="accuracy at equal numbers of units off"
        )
    st.download_button(
        "All of it as CSV",
        rows.to_csv(index=False),
        f"{study.name}-table1.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def _interval(share: float, photos: int) -> str:
    words = "the true share lies within, 95 times in 100 (Wilson’s interval)"
    return f'<abbr title="{words}">95\u00a0% interval</abbr> {wording.interval(share, photos)}'


def _draws(low: float, high: float) -> str:
    return f"{100 * low:.2f} to {wording.percent(high, 2)}"


def _matrix(study: Study, result: Evaluation) -> None:
    st.subheader("Switch off A's units, measure class B", anchor=False)
    ids = [int(one) for one in result.matrix.index]
    names = [wording.class_text(study, one) for one in ids]
    if result.dominance == result.dominance:
        wording.paragraph(
            f"{wording.percent(result.dominance)} of the fall stays with the class whose units are off "
            "(100 %: no other class loses anything; 0 %: all lose alike)."
        )
    state = figures.show(
        evaluation_charts.influence_matrix(result.matrix, names),
        name=f"{study.name}-matrix",
        key="matrix",
        on_select="rerun",
        selection_mode="points",
        alt="for each pair of classes, how far the accuracy of the second falls with the units of the first off",
    )
    points = state["selection"]["points"] if state else []
    if points:
        off, measured = (int(one) for one in points[0]["customdata"])
        address.go("class_specific", {**address.settings(), "class": str(off if off == measured else measured)})


def _beyond(study: Study, result: Evaluation) -> None:
    """Class-shared itemsets and synergy, folded away."""
    if len(result.shared):
        with st.expander("Do class-shared units hurt the classes that share them, and no others?"):
            shared = result.shared.copy()
            for column in shared.select_dtypes("float"):
                shared[column] = (100 * shared[column]).round(2)
            st.dataframe(shared, hide_index=True, key="shared_falls", alt="fall of accuracy inside and outside S")
    if len(result.synergy):
        with st.expander("Does a set of units do more than its units one by one?"):
            synergy = result.synergy.copy()
            for column in synergy.select_dtypes("float"):
                synergy[column] = (100 * synergy[column]).round(2)
            st.dataframe(synergy, hide_index=True, key="synergies", alt="fall with the set off, and the sum of parts")


def _nothing_yet(study: Study) -> None:
    wording.paragraph(
        "Nothing was measured for this study yet. Give photos that were not mined, in class folders: each is "
        "classified with its class's units off, beside random units and the units that other methods choose."
    )
    _form(study)


def _form(study: Study) -> None:
    sources = {"folder": "a folder of class folders"}
    if study.images["label"].notna().any():
        sources = {"own": "the study's own photos", **sources}
    if study.manifest["model"] == "demo":
        sources = {"demo-val": "the demo's held-out drawings", **sources}
    source = st.radio("Photos to measure on", list(sources), format_func=sources.get, key="measure_on", horizontal=True)
    folder = ""
    if source == "folder":
        folder = st.text_input(
            "Folder",
            key="measure_folder",
            placeholder=str(uploads.allowed_roots()[0] / "validation"),
            help="class folders named by class, ImageNet index or wnid; below "
            + " or ".join(str(root) for root in uploads.allowed_roots()),
        )
    if st.button("Measure", type="primary", key="measure_start", icon=":material/play_arrow:"):
        images = {"own": str(study.folder), "demo-val": "demo-val"}
        try:
            if source == "folder" and not folder.strip():  # it would stand for the whole allowed root
                raise InputError("Type the folder of the photos to measure on.")
            given = images.get(str(source)) or str(uploads.allowed(folder, folder=True))
            jobs.start(study.name, ["--images", given], kind="evaluate")
        except InputError as error:
            st.error(wording.markdown(str(error)))
            return
        st.rerun()


def _measured_on(result: Evaluation) -> str:
    """A few words on the photos of a result."""
    own = ", the photos that were mined" if result.about.get("same_photos") else ""
    return f"{Path(result.about.get('measured_on', 'photos')).name} ({result.about['photos']:,} photos{own})"


router.enter(page)
