"""The pages, in the order of the navigation. A page without its file is skipped."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Entry:
    """One page.

    Attributes:
        path: the last part of its address, which is its file's name; empty for the first page.
        title: what the navigation calls it.
        file: relative to the project's folder.
        question: what it answers.
    """

    path: str
    title: str
    file: str
    question: str


ENTRIES = tuple(
    entry
    for entry in (
        Entry("", "Study", "pages/study.py", "Which units carry which classes?"),
        Entry("explain", "Explain", "pages/explain.py", "Why this class for this photo?"),
        Entry("class_specific", "Class-specific", "pages/class_specific.py", "Which units carry this class?"),
        Entry("class_shared", "Class-shared", "pages/class_shared.py", "Which units do classes have in common?"),
        Entry("unit", "Unit", "pages/unit.py", "What does this unit respond to?"),
        Entry("evaluation", "Evaluation", "pages/evaluation.py", "Do these units matter?"),
        Entry("errors", "Errors", "pages/errors.py", "Why is one class taken for another?"),
        Entry("compare", "Compare", "pages/compare.py", "What differs between two studies?"),
        Entry("method", "Method", "pages/method.py", "How does it work?"),
    )
    if (ROOT / entry.file).is_file()
)


def question_of(path: str) -> str:
    """The question that the page with this address answers."""
    return next(entry.question for entry in ENTRIES if entry.path == path)


def file_of(path: str) -> str:
    """The file of the page with this address."""
    return next(entry.file for entry in ENTRIES if entry.path == path)
