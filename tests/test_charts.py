"""Figures: what they show, what a click on them says, and that names cannot become markup."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from interpret.figures import (
    ablation_charts,
    class_unit_charts,
    evaluation_charts,
    influence_charts,
    itemset_charts,
    plotly_style,
    unit_charts,
    unit_map_chart,
)

SUPPORT = np.array([[0.9, 0.0, 0.25], [0.5, 0.3, 0.0]])
UNITS = [34, 193, 512]


def test_map_cells_answer_clicks_with_row_and_unit():
    figure = class_unit_charts.class_unit_map(SUPPORT, ["Bird", "Dog"], UNITS, counts=np.array([[9, 0, 2], [5, 3, 0]]))
    heat, squares = figure.data
    assert np.array_equal(np.asarray(heat.z), SUPPORT)
    cells = {(x, int(y)): tuple(about) for x, y, about in zip(squares.x, squares.y, squares.customdata, strict=True)}
    assert len(cells) == 6
    assert cells["512", 0] == (0, 512)
    assert cells["34", 1] == (1, 34)
    assert "unit 34 in Bird: 90 % of patches (9)" in squares.text
    assert heat.zmin == 0
    assert heat.zmax == 0.9


def test_graph_joins_a_unit_to_the_classes_it_serves_only():
    weights = np.where(SUPPORT >= 0.2, SUPPORT, 0)
    figure = class_unit_charts.class_unit_graph(weights, ["Bird", "Dog"], ["#111111", "#222222"], UNITS)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [sum(value is None for value in trace.x) for trace in lines] == [2, 2]
    assert [trace.line.color for trace in lines] == ["#111111", "#222222"]
    nodes = {tuple(about) for trace in figure.data if trace.mode != "lines" for about in trace.customdata}
    assert nodes == {(-1, 34), (-1, 193), (-1, 512), (0, -1), (1, -1)}
    hover = next(trace.hovertext for trace in figure.data if trace.hovertext is not None)
    assert "unit 34: Bird, Dog" in hover


def test_histogram_shows_shares_of_photos_not_counts():
    values = np.array([0.0, 0.0, 0.0, 1.0])
    figure = unit_charts.activation_histogram(values, {"Bird": ("#0072B2", np.array([1.0, 1.0]))}, bins=4)
    everything, bird = figure.data
    assert list(everything.y) == [0.75, 0, 0, 0.25]
    assert list(bird.y) == [0, 0, 0, 1.0]
    assert bird.marker.color == "#0072B2"


def test_histogram_of_a_silent_unit():
    figure = unit_charts.activation_histogram(np.zeros(5), {})
    assert sum(figure.data[0].y) == pytest.approx(1.0)


def test_prediction_bars_hold_before_and_after():
    figure = ablation_charts.shift_bars(["Bird", "Dog"], [0.9, 0.1], [0.3, 0.7], ["#000000", "#111111"])
    before, after = figure.data
    assert list(before.x) == [0.9, 0.1]
    assert list(after.x) == [0.3, 0.7]
    assert list(after.text) == ["30 %", "70 %"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda name: class_unit_charts.class_unit_graph(SUPPORT, [name, "Dog"], ["#000000", "#111111"], UNITS),
        lambda name: class_unit_charts.class_unit_map(SUPPORT, [name, "Dog"], UNITS),
        lambda name: ablation_charts.shift_bars([name], [1.0], [1.0], ["#000000"]),
        lambda name: unit_charts.activation_histogram(np.ones(3), {name: ("#000000", np.ones(3))}),
    ],
)
def test_a_class_name_is_text_even_if_it_looks_like_markup(draw):
    figure: go.Figure = draw("<img src=x onerror=alert(1)>")
    shown = [str(trace.text) + str(trace.hovertemplate) for trace in figure.data] + [str(figure.layout.yaxis.ticktext)]
    assert not any("<img" in text for text in shown)


def test_figures_call_nothing_from_outside():
    options = plotly_style.config("name")
    assert options["displaylogo"] is False
    assert options["toImageButtonOptions"]["format"] == "svg"


def test_a_share_of_all_photos_is_not_shown_as_certain():
    from scipy.stats import binomtest

    from interpret.evaluation.effect import ClassEffect

    effect = ClassEffect(3, (7, 9), 20, 1.0, 0.4, np.array([0.9, 1.0]), pd.DataFrame())
    bars = ablation_charts.class_effect(effect, "#0072B2").data[0]
    for row, right in enumerate((20, 8)):
        own = binomtest(right, 20).proportion_ci(method="wilson")
        assert bars.x[row] - bars.error_x.arrayminus[row] == pytest.approx(own.low, abs=1e-4)
        assert bars.x[row] + bars.error_x.array[row] == pytest.approx(own.high, abs=1e-4)
    assert bars.error_x.arrayminus[0] > 0.1


def test_dark_colours_are_lightened_on_dark_ground_and_others_left_alone():
    from interpret.figures.colours import OKABE_ITO, SECOND_RING, on_dark

    shown = [on_dark(colour) for colour in (*OKABE_ITO, *SECOND_RING)]
    assert shown[: len(OKABE_ITO)] == list(OKABE_ITO)
    assert on_dark("#332288") != "#332288"
    assert len(set(shown)) == len(shown), "still one colour a class"
    table = pd.DataFrame({"method": ["Top evidence"], "budget": [5], "units": [5.0], "accuracy": [0.4], "photos": [90]})
    table = table.assign(low=np.nan, high=np.nan, error=0.05)
    light, dark = (
        evaluation_charts.accuracy_curves(table, 0.9, paper=paper).data[1].line.color
        for paper in (plotly_style.LIGHT, plotly_style.Paper("#ecebe7", "#121316"))
    )
    assert dark == on_dark(light) != light
    assert on_dark("#000000", ground="#000000", contrast=21.0) == "#ffffff"
    assert on_dark("#777777", ground="#000000", contrast=4.5) == "#777777"  # 4.69 to 1, as WCAG's own examples say


def test_class_names_are_text_in_the_matrix():
    names = ["<b>a</b>", "b & c"]
    figure = influence_charts.influence_matrix(pd.DataFrame([[0.5, 0.1], [0.0, 0.4]]), names)
    drawn = figure.to_json()
    assert "<b>" not in drawn.replace("\\u003c", "<")
    assert figure.layout.xaxis.ticktext == figure.layout.yaxis.ticktext == ("&lt;b&gt;a&lt;/b&gt;", "b &amp; c")


def test_the_map_of_many_classes_holds_each_pair_at_its_place_in_the_order_given():
    falls = pd.DataFrame([[0.5, 0.104, -0.2], [0.0, 0.4, 0.0], [0.3, np.nan, 1.0]], index=[7, 8, 9], columns=[7, 8, 9])
    names = ["<b>a</b>", "twin", "twin"]
    figure = influence_charts.influence_map(falls, names, np.array([2, 0, 1]))
    (heat,) = figure.data  # no marker for each pair
    assert heat.z.tolist() == [[100, 30, 0], [-20, 50, 10], [0, 0, 40]]
    assert heat.z.dtype == np.int8
    assert (heat.zmin, heat.zmax) == (0, 30)  # that of another class
    assert list(heat.x) == list(heat.y) == ["twin", "&lt;b&gt;a&lt;/b&gt;", "twin (2)"]
    classes = [f"class {c}" for c in range(1000)]
    many = influence_charts.influence_map(pd.DataFrame(np.eye(1000)), classes, np.arange(1000))
    assert many.layout.height == figure.layout.height == 560
    assert len(many.to_json()) < 2_000_000


def test_the_classes_affected_by_one_class_lead_to_their_pages():
    figure = influence_charts.affected_bars(
        np.array([0.5, 0.125]), [4, 2], ["d", "a class with a name that is long"], 2
    )
    (bars,) = figure.data
    assert [row[0] for row in bars.customdata] == [4, 2]
    assert list(bars.text) == ["50.0", "12.5"]
    assert bars.marker.color[0] != bars.marker.color[1]
    assert figure.layout.yaxis.ticktext[1].endswith("…")


def test_intervals_stand_in_their_category_and_those_without_an_end_have_none():
    one = itemset_charts.Series("itemsets", "#0072B2", [0.5, np.nan], [0.4, np.nan], [0.7, np.nan], ["9 photos", ""])
    other = itemset_charts.Series(
        "random", "#888888", [0.2, 0.3], [np.nan, 0.1], [np.nan, 0.4], ["4 photos", "9 photos"]
    )
    figure = itemset_charts.intervals(["a<b\nsecond", "c"], [one, other], "share", reference=0.5)
    first, second = figure.data
    assert list(first.error_x.array) == [pytest.approx(0.2), 0]
    assert list(first.error_x.arrayminus) == [pytest.approx(0.1), 0]
    assert list(second.error_x.array) == [0, pytest.approx(0.1)]
    assert [round(float(place)) for place in second.y] == [0, 1]
    assert first.y[0] < second.y[0]
    assert first.customdata[0].tolist() == [" (40.0% to 70.0%)", "9 photos"]
    assert second.customdata[0].tolist() == ["", "4 photos"]
    assert figure.layout.yaxis.ticktext[0] == "a&lt;b<br>second"
    assert figure.layout.shapes[0].x0 == 0.5
    low, high = figure.layout.xaxis.range
    assert low <= 0
    assert high > 0.7


def test_a_figure_for_a_large_screen_has_all_that_is_pixels_times_a_factor_and_nothing_else():
    figure = go.Figure(
        [
            go.Scatter(x=[1, 2], y=[3, 4], marker={"size": [6, 8], "line": {"width": 2}}, line={"width": 1.5}),
            go.Bar(x=[5], y=[6], width=0.5, error_y={"array": [7], "thickness": 1.4, "width": 4}),
            go.Heatmap(z=[[8]], xgap=1, colorbar={"thickness": 12, "y": 1.01}),
        ]
    )
    figure.update_layout(height=260, margin={"t": 36, "l": 0}, bargap=0.06, legend={"y": 1.02, "font": {"size": 13}})
    figure.update_xaxes(range=[0, 9], tickfont={"size": 11})
    figure.add_hline(y=5, line={"width": 1.2})
    twice = plotly_style.scaled(figure, 2)
    line, bar, heat = twice.data
    assert (line.marker.size, line.marker.line.width, line.line.width) == ((12, 16), 4, 3)
    assert (line.x, line.y, bar.x, bar.width, bar.error_y.array) == ((1, 2), (3, 4), (5,), 0.5, (7,))
    assert (bar.error_y.thickness, bar.error_y.width) == (2.8, 8)
    assert heat.z[0][0] == 8
    assert (heat.xgap, heat.colorbar.thickness, heat.colorbar.y) == (2, 24, 1.01)
    layout = twice.layout
    assert (layout.height, layout.margin.t, layout.margin.l, layout.bargap) == (520, 72, 0, 0.06)
    assert (layout.legend.y, layout.legend.font.size) == (1.02, 26)
    assert (layout.xaxis.range, layout.xaxis.tickfont.size) == ((0, 9), 22)
    assert (layout.shapes[0].line.width, layout.shapes[0].y0) == (2.4, 5)
    assert figure.layout.height == 260, "the figure itself is saved at its own size"
    assert plotly_style.scaled(figure, 1) is figure


def test_on_a_phone_names_of_classes_are_above_and_below_them_and_a_matrix_has_its_whole_width():
    figure = class_unit_charts.class_unit_graph(
        np.eye(3), ["English springer", "Dog", "Cat"], ["#111111"] * 3, [4, 5, 6], narrow=True
    )
    named = figure.data[-1]
    assert set(named.textposition) <= {"top center", "bottom center"}
    assert named.text[0] == "<b>English<br>springer</b>"
    falls = pd.DataFrame([[0.5, 0.1], [0.0, 0.4]])
    matrix = influence_charts.influence_matrix(falls, ["a", "b"], narrow=True)
    assert (matrix.data[0].colorbar.orientation, matrix.layout.xaxis.tickangle) == ("h", -90)


def marks(count: int) -> unit_map_chart.UnitMarks:
    kinds = [("specific", "shared", "none")[place % 3] for place in range(count)]
    places = np.stack([np.linspace(-1, 1, count), np.linspace(-0.5, 0.5, count)], axis=1)
    weights = np.linspace(0, 1, count)
    return unit_map_chart.UnitMarks(
        10 + np.arange(count), places, kinds, ["#0072B2"] * count, weights, ["text"] * count, np.arange(count) > 0
    )


def test_the_map_of_units_has_a_mark_for_each_that_a_click_returns():
    figure = unit_map_chart.unit_map(marks(9), {4: "data:image/jpeg;base64,AA"}, chosen=2)
    units = {
        about[0]: (x, y)
        for t in figure.data
        if t.customdata
        for about, x, y in zip(t.customdata, t.x, t.y, strict=True)
    }
    assert sorted(units) == list(range(10, 19))
    assert units[18] == (1.0, 0.5)
    by_kind = {trace.name: trace for trace in figure.data if trace.customdata}
    assert {name: trace.marker.symbol for name, trace in by_kind.items()} == unit_map_chart.SYMBOLS
    assert list(by_kind["specific"].marker.opacity) == [unit_map_chart.FAINT, 0.9, 0.9]
    assert list(by_kind["specific"].marker.size) == sorted(by_kind["specific"].marker.size)
    (image,) = figure.layout.images
    assert (image.x, image.y) == (0.0, 0.0)
    assert figure.data[-1].text == ("<b>12</b>",)
    larger = plotly_style.scaled(figure, 2)
    assert larger.data[0].marker.size == tuple(2 * size for size in figure.data[0].marker.size)
    assert larger.layout.images[0].sizex == image.sizex


def test_many_units_are_drawn_with_webgl():
    few, many = (unit_map_chart.unit_map(marks(count), {}) for count in (500, 501))
    assert {trace.type for trace in few.data} == {"scatter"}
    assert {trace.type for trace in many.data} == {"scattergl"}


def test_squares_that_would_overlap_are_left_out():
    places = np.array([[0, 0], [0.05, 0], [0.1, 0], [0, 0.3], [0.9, 0.9]])
    assert unit_map_chart.without_overlap(places, [0, 1, 2, 3, 4], 0.1, 9) == [0, 2, 3, 4]
    assert unit_map_chart.without_overlap(places, [1, 0, 2, 3, 4], 0.1, 2) == [1, 3]
    assert unit_map_chart.without_overlap(places, [], 0.1, 2) == []


def test_tooltips_call_a_unit_by_its_name_as_text():
    called = ["unit 34", "unit 193 (<b>wheel</b>)", "unit 512"]
    graph = class_unit_charts.class_unit_graph(SUPPORT, ["Bird", "Dog"], ["#111111", "#222222"], UNITS, called=called)
    told = next(trace.hovertext for trace in graph.data if trace.hovertext)
    assert told[1].startswith("unit 193 (&lt;b&gt;wheel&lt;/b&gt;): ")
    squares = class_unit_charts.class_unit_map(SUPPORT, ["Bird", "Dog"], UNITS, called=called).data[1]
    assert squares.text[1].startswith("unit 193 (&lt;b&gt;wheel&lt;/b&gt;) in Bird: ")
