"""Background runs on a page: progress bar, rate, remaining time, Cancel, and errors in one sentence."""

import time

import streamlit as st

from interpret.errors import InputError
from interpret.progress import remaining
from pages.shared import wording
from pages.shared.backend import first_study, jobs, places
from pages.shared.controls import current_study

DONE = {"run": "created", "evaluate": "evaluated", "dissect": "dissected"}
"""What a finished run of each kind has done to its study."""

POLL = 0.7
"""Seconds between two updates."""


def first_start() -> None:
    """Create the default study if there is no study, and stop the page until it is there."""
    if places.study_names():
        return
    try:
        first_study.begin_default()
    except InputError as error:
        st.error(wording.markdown(str(error)))
        st.stop()
    wording.header(
        "Which units carry which classes?", "The first study is being created; it opens by itself in a moment."
    )
    _watch()
    st.stop()


def running(kind: str = "run") -> None:
    """Show the runs of one kind, if there are any."""
    if any(job.kind == kind for job in jobs.jobs()):
        _watch(kind)


@st.fragment(run_every=POLL)
def _watch(kind: str = "run") -> None:
    """Show the runs, updated every :data:`POLL` seconds without a rerun of the page."""
    shown = [job for job in jobs.jobs() if job.kind == kind]
    listed = {job.id for job in shown}
    gone = st.session_state.get(f"runs_listed_{kind}", set()) - listed
    st.session_state[f"runs_listed_{kind}"] = listed
    seen: set[str] = st.session_state.setdefault("runs_seen_running", set())
    if gone:  # dismissed elsewhere, as by another tab that saw it end first: this page may wait for its study
        seen -= gone
        st.rerun(scope="app")
    for job in shown:
        if job.state == "running":
            seen.add(job.id)
        elif job.state == "done" and job.id in seen:
            seen.discard(job.id)
            jobs.dismiss(job)
            current_study.switch_to(job.study)
            st.rerun(scope="app")
        _card(job)


def _card(job: jobs.Job) -> None:
    with st.container(border=True):
        name = wording.markdown(job.study)
        refused = f"refused_{job.id}"
        if job.state == "running":
            _bar(job)
            if st.button("Cancel", key=f"cancel_{job.id}", icon=":material/stop:"):
                jobs.cancel(job)
                st.rerun(scope="fragment")
            return
        if job.state == "done":
            st.success(f"The study “{name}” is {DONE.get(job.kind, 'finished')}.")
        elif job.state == "stopped":
            st.warning(f"The study “{name}” was stopped; what was done so far is kept.")
        else:
            st.error(f"The study “{name}” could not be {DONE.get(job.kind, 'finished')}. {wording.markdown(job.error)}")
        with st.container(horizontal=True):
            if job.state == "done" and st.button("Open it", key=f"open_run_{job.id}", type="primary"):
                jobs.dismiss(job)
                current_study.switch_to(job.study)
                st.rerun(scope="app")
            if job.state in ("stopped", "failed") and st.button(
                "Resume", key=f"resume_{job.id}", icon=":material/play_arrow:"
            ):
                try:
                    jobs.resume(job)
                except InputError as error:
                    st.session_state[refused] = str(error)  # kept for the next update, which draws everything again
                else:
                    st.session_state.pop(refused, None)
                    st.rerun(scope="fragment")
            if st.button("Dismiss", key=f"dismiss_{job.id}", icon=":material/close:"):
                jobs.dismiss(job)
                st.rerun(scope="app")
        if refused in st.session_state and job.state in ("stopped", "failed"):
            st.error(wording.markdown(st.session_state[refused]))


def _bar(job: jobs.Job) -> None:
    about = job.progress
    stage = wording.markdown(str(about.get("stage") or "Starting"))
    done, total = int(about.get("done") or 0), int(about.get("total") or 0)
    words = f"**{wording.markdown(job.study)}** · {stage}"
    if total > 1:
        words += f" · {done:,} of {total:,}"
        if about.get("rate"):
            words += f", {float(about['rate']):.1f} a second"
        if about.get("remaining") is not None and done < total:
            words += f", {remaining(float(about['remaining']))} left"
    if about.get("skipped"):
        words += f" · {int(about['skipped']):,} skipped"
    if about.get("updated") and time.time() - float(about["updated"]) > 30 and total > 1:
        words += " · waiting"
    st.progress(min(1.0, done / total) if total else 0.0, text=words + (" …" if total <= 1 else ""))
