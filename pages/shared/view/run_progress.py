"""Background runs on a page: progress bar, rate, remaining time, Cancel, and errors in one sentence."""

import html
import time

import streamlit as st

from interpret.errors import InputError
from interpret.progress import LAST, remaining
from pages.shared import wording
from pages.shared.backend import first_study, jobs, messages, obstacles, owners, preparation, studies
from pages.shared.controls import current_study

DONE = {"run": "created", "evaluate": "evaluated", "dissect": "dissected"}
"""What a finished run of each kind has done to its study."""

STOPPED = {"evaluate": "evaluation of the study", "dissect": "dissection of the study"}
"""What of a study a run of each other kind makes."""

POLL = 0.7
"""Seconds between two updates."""

POLL_WAITING, POLL_ALMOST = 1.0, 0.25
"""The same of a page that has nothing to show until the run has ended, and once its last stages have begun.

To draw a page again takes a browser on the same machine a tenth of a core's time at every third of a second.
"""


def first_start(question: str) -> None:
    """Create the default study if there is no study, and stop the page until it is there.

    Args:
        question: what the page answers, its title until then.
    """
    if studies.names():
        return
    try:
        first_study.begin_default(studies.names())
    except InputError as error:
        st.error(wording.markdown(messages.of(error)))
        st.stop()
    under_way = any(job.under_way for job in _shown("run"))
    wording.header(
        question,
        "The first study is being created; this page opens by itself in a moment."
        if under_way
        else "There is no study here yet. A study is a model, a set of photos, and what was mined from them.",
    )
    _watch(wait=True)
    if not under_way:
        preparation.wait_for_pages()
        from pages.shared.controls import new_study  # it imports the models, which other pages do without

        new_study.form()
    st.stop()


def running(kind: str = "run") -> None:
    """Show the runs of one kind that concern this page, if there are any."""
    if _shown(kind):
        _watch(kind)


def _shown(kind: str) -> list[jobs.Job]:
    return [job for job in jobs.jobs() if job.kind == kind and owners.may_see(job.owner)]


def _watch(kind: str = "run", wait: bool = False) -> None:
    """Show the runs; while one is under way, updated again and again without a rerun of the page.

    Args:
        kind: of the runs.
        wait: whether the page waits for any study: it is drawn again as soon as there is one.
    """
    shown = _shown(kind)
    under_way, almost = any(job.under_way for job in shown), _almost(shown)
    every = (POLL_ALMOST if almost else POLL_WAITING) if wait else POLL
    st.fragment(_cards, run_every=every if under_way else None)(kind, wait, under_way, almost)


def _almost(shown: list[jobs.Job]) -> bool:
    return any(job.under_way and job.progress.get("stage") in LAST for job in shown)


def _cards(kind: str, wait: bool, updated: bool, almost: bool) -> None:
    """The runs at this moment.

    Args:
        kind: of the runs.
        wait: as for :func:`_watch`.
        updated: whether the browser asks for them again and again.
        almost: whether it does so as often as in their last stages.
    """
    shown = _shown(kind)
    listed = {job.id for job in shown}
    gone = st.session_state.get(f"runs_listed_{kind}", set()) - listed
    st.session_state[f"runs_listed_{kind}"] = listed
    seen: set[str] = st.session_state.setdefault("runs_seen_running", set())
    ready = wait and studies.names() and not any(job.under_way for job in shown)
    if gone or ready:
        seen -= gone  # dismissed elsewhere, as by another tab that saw it end first: this page may wait for its study
        st.rerun(scope="app")
    for job in shown:
        if job.under_way:
            seen.add(job.id)
        elif job.state == "done" and job.id in seen and _ended_here(job):
            st.session_state[f"runs_listed_{kind}"] = listed - {job.id}
            st.rerun(scope="app")
        _card(job)
    if updated and (not any(job.under_way for job in shown) or (wait and not almost and _almost(shown))):
        st.rerun(scope="app")  # only a page that is drawn again stops asking, or asks more often


def _ended_here(job: jobs.Job) -> bool:
    """Take note that a run ended that this page saw running; says whether the page is drawn again.

    The session that began it is led to its study. A page that shows that study anyway shows what is new. All others,
    other tabs of the same person among them, stay where they are.
    """
    followed = current_study.is_followed(job.id)
    if not followed and job.study != st.session_state.get(current_study.STUDY):
        return False
    st.session_state["runs_seen_running"].discard(job.id)
    jobs.dismiss(job)
    if followed:
        current_study.switch_to(job.study)
    return True


def _card(job: jobs.Job) -> None:
    mine = owners.is_mine(job.owner)
    with st.container(border=True):
        name = wording.markdown(job.study)
        refused = f"refused_{job.id}"
        if job.under_way:
            if job.state == "running":
                _bar(job)
            else:
                others = wording.count(job.ahead, "other run")
                st.progress(0.0, text=f"**{name}** · waiting for {others} …")
            if mine and st.button("Cancel", key=f"cancel_{job.id}", icon=":material/stop:"):
                jobs.cancel(job)
                st.rerun(scope="fragment")
            return
        if job.state == "done":
            st.success(f"The study “{name}” is {DONE.get(job.kind, 'finished')}.")
        elif job.state == "stopped":
            st.warning(f"The {STOPPED.get(job.kind, 'study')} “{name}” was stopped; what was done so far is kept.")
        else:
            st.error(f"The study “{name}” could not be {DONE.get(job.kind, 'finished')}. {wording.markdown(job.error)}")
        hindered = obstacles.of(job) if job.state in ("stopped", "failed") else ""
        if hindered:
            wording.paragraph(html.escape(hindered))
        with st.container(horizontal=True):
            if job.state == "done" and st.button("Open it", key=f"open_run_{job.id}", type="primary"):
                jobs.dismiss(job)
                current_study.switch_to(job.study)
                st.rerun(scope="app")
            resumable = job.state in ("stopped", "failed") and not hindered
            if resumable and st.button("Resume", key=f"resume_{job.id}", icon=":material/play_arrow:"):
                try:
                    current_study.follow(jobs.resume(job).id)
                except InputError as error:
                    st.session_state[refused] = messages.of(error)  # for the next update, which draws everything again
                else:
                    st.session_state.pop(refused, None)
                    st.rerun(scope="app")
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
