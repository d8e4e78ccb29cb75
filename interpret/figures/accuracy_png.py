"""The accuracy curves of an evaluation as an image file, drawn with Matplotlib for the command line."""

import io
from typing import Any

from interpret.figures.method_styles import style_of


def formats() -> set[str]:
    """The formats that an image file can have, as its extension says without a dot."""
    from matplotlib.backend_bases import FigureCanvasBase

    return set(FigureCanvasBase.get_supported_filetypes())


def draw(result: Any, kind: str) -> bytes:
    """Accuracy against units ablated and against units kept, side by side, as the content of an image file.

    Args:
        result: from :func:`interpret.evaluation.evaluate`.
        kind: one of :func:`formats`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # needs no display and no global state
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    about = result.about
    for axes, frame, label in (
        (figure.add_subplot(1, 2, 1), result.table, "units ablated per class"),
        (figure.add_subplot(1, 2, 2), result.keep, "units kept per class, all others ablated"),
    ):
        rows = frame[frame["budget"].fillna(0) > 0]
        for method, part in rows.groupby("method", sort=False):
            colour, dash, width = style_of(str(method))
            x, y = part["budget"].astype(int), 100 * part["accuracy"]
            axes.plot(x, y, color=colour, linestyle=dash, linewidth=width, marker="o", markersize=3.5, label=method)
            if part["low"].notna().all():
                axes.fill_between(x, 100 * part["low"], 100 * part["high"], color=colour, alpha=0.25, linewidth=0)
            else:
                axes.fill_between(
                    x, y - 100 * part["error"], y + 100 * part["error"], color=colour, alpha=0.12, linewidth=0
                )
        axes.axhline(100 * about["accuracy"], color="#8A8F98", linewidth=1, linestyle=":")
        axes.set_xscale("log")
        ticks = sorted(rows["budget"].unique())
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(0, 100)
        axes.set_xlabel(label)
        axes.set_ylabel("accuracy over all outputs, %")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.suptitle(
        f"{about['model']}, {about['layer']}: {about['photos']:,} photos of {len(about['classes'])} classes",
        fontsize=11,
    )
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=160)
    return content.getvalue()
