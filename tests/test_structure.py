"""The library's packages: imports point down one list, without circles, and the screen's packages stay at the top."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "interpret"

FLOORS = (
    ("__main__",),
    ("cli",),
    ("report",),
    ("figures",),
    ("pipeline",),
    ("comparison",),
    ("evaluation",),
    ("confusion",),
    ("dissection",),
    ("concepts",),
    ("findings",),
    ("mining",),
    ("explanation",),
    ("study",),
    ("models",),
    ("data",),
    ("demo",),
    ("config", "progress", "stats"),
    ("files", "frames", "glossary", "imports", "options", "own_processes", "threads", "words"),
    ("errors",),
)
"""From the top down: a package imports from its own floor's packages and from floors below, never from above."""

FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}

MODULES = sorted(path.relative_to(ROOT) for path in LIBRARY.rglob("*.py"))


def name_of(path: Path) -> str:
    """`interpret/models/head.py` is `interpret.models.head`; a package's `__init__.py` is the package."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def imported(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever in the file it stands; relative ones are spelled out."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            base = str(node.module)
            whole = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else base for name in whole}
    return found


def own(path: Path) -> set[str]:
    return {name for name in imported(path) if name.split(".")[0] == "interpret"} - {name_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_down(path):
    if path.name == "__init__.py" and path.parent.name == "interpret":
        return  # the front door, which names what is below it
    here = FLOOR_OF[path.with_suffix("").parts[1]]
    for name in own(path):
        assert name != "interpret", f"{path} imports from the front door; name the module"
        there = name.split(".")[1]
        assert there in FLOOR_OF, f"{path} imports {name}, which stands on no floor"
        same_package = there == path.with_suffix("").parts[1]
        assert same_package or FLOOR_OF[there] > here, f"{path} imports {name} from above or beside it"


def assert_no_circle(graph: dict[str, set[str]]) -> None:
    """Fail with the way round if modules import each other, however many stand between."""
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for below in sorted(graph[name]):
                visit(below, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_no_two_modules_import_each_other_however_many_stand_between():
    """Circles among files; a package's front door counts as importing what it names."""
    assert_no_circle({name_of(path): own(path) & NAMES for path in MODULES})


@pytest.mark.parametrize(
    "path", [path for path in MODULES if FLOOR_OF.get(path.with_suffix("").parts[1], 99) > FLOOR_OF["figures"]], ids=str
)
def test_only_figures_know_plotly_and_nothing_knows_streamlit(path):
    top = {name.split(".")[0] for name in imported(path)}
    assert not top & {"streamlit", "plotly", "matplotlib"}


def test_importing_the_package_takes_neither_torch_nor_pandas():
    code = "import sys, interpret; print(sorted({'torch', 'pandas', 'numpy', 'streamlit'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout.strip() == "[]"


# The dashboard's files

PAGES = sorted(path.relative_to(ROOT) for path in (ROOT / "pages").rglob("*.py"))

PAGE_FLOORS = (
    "pages",
    "pages.shared.router",
    "pages.shared.view",
    "pages.shared.controls",
    "pages.shared.backend",
    "pages.shared.wording",
    "pages.shared.page_list",
)
"""From the top down: a page, what leads to it, what draws, what is chosen, what works behind it, words, the list."""


def page_floor(module: str) -> int:
    """The floor of a module of the dashboard: the longest name in :data:`PAGE_FLOORS` that it begins with."""
    return max(
        (len(name), floor) for floor, name in enumerate(PAGE_FLOORS) if module == name or module.startswith(name + ".")
    )[1]


PAGE_NAMES = {name_of(path) for path in PAGES}


def modules_of(path: Path) -> set[str]:
    """The dashboard's modules that one of its files imports."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    spelled = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {name if name in PAGE_NAMES else name.rpartition(".")[0] for name in spelled if name.startswith("pages.")}


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_imports_of_the_dashboard_point_down(path):
    here = name_of(path)
    for name in modules_of(path):
        assert name.startswith("pages.shared."), f"{path} imports another page, {name}"
        package = here.rpartition(".")[0]
        beside = package != "pages" and name.rpartition(".")[0] == package != "pages.shared"
        assert beside or page_floor(name) > page_floor(here), f"{path} imports {name} from above or beside it"


def test_no_two_files_of_the_dashboard_import_each_other_however_many_stand_between():
    assert_no_circle({name_of(path): modules_of(path) & PAGE_NAMES for path in PAGES})


@pytest.mark.parametrize("path", [path for path in PAGES if "backend" not in path.parts], ids=str)
def test_only_the_backend_caches_and_no_page_shows_data_as_markup(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    given = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    assert not named & {"cache_data", "cache_resource"}
    assert "unsafe_allow_html" not in given


def test_every_table_of_the_dashboard_is_shown_in_one_way():
    """Or the next one has rows' numbers, and `None` where there is no value."""
    calling = {path.name for path in PAGES if "st.dataframe(" in (ROOT / path).read_text(encoding="utf-8")}
    assert calling == {"data_table.py"}


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=str)
def test_no_file_is_longer_than_three_hundred_lines(path):
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= 300
