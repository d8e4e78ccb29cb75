"""What a report shows: findings in each of their classes, with pictures and effects."""

from dataclasses import dataclass, field

from interpret.findings.rows import Units


@dataclass(frozen=True)
class Tile:
    """A picture of a patch.

    Attributes:
        source: the picture, as a data URI.
        alt: what it shows.
        confidence: with which the model predicts the photo's class (fraction).
        labelled: the photo's label where it is another than the predicted class; else empty.
    """

    source: str
    alt: str
    confidence: float
    labelled: str = ""


@dataclass(frozen=True)
class Effect:
    """What ablating a finding's units does to the accuracy of one of its classes.

    Attributes:
        fall: accuracy with no unit ablated less accuracy with the units ablated (fraction).
        random: the same for as many random units, mean over the draws.
        photos: of the class (count).
    """

    fall: float
    random: float
    photos: int


@dataclass(frozen=True)
class InClass:
    """A finding in one of its classes.

    Attributes:
        class_id: the class.
        name: its short name.
        support: share of the class's patches that hold the units (fraction).
        count: those patches (count).
        patches: all patches of the class (count).
        contrast_support: the share among its contrast patches; NaN where there is no contrast.
        effect: of ablating the units; None where it was not measured.
        tiles: patches, those first whose units score highest.
    """

    class_id: int
    name: str
    support: float
    count: int
    patches: int
    contrast_support: float
    effect: Effect | None = None
    tiles: tuple[Tile, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A set of units and the classes in which it is frequent.

    Attributes:
        units: ascending.
        classes: by falling support.
        supported: whether the contrast supports it in every class; None where nothing was tested.
        lift: the smallest contrast lift of its classes.
        q_value: the largest q-value of its classes.
        other: the largest fall of a class that does not share it (fraction; 0 if none falls), and that class's name.
        named: what people call it; empty where nobody named it.
    """

    units: Units
    classes: tuple[InClass, ...]
    supported: bool | None
    lift: float
    q_value: float
    other: tuple[float, str] | None = None
    named: str = ""

    @property
    def anchor(self) -> str:
        """The name of its place in the file."""
        return (
            "units-" + "-".join(map(str, self.units)) + "-in-" + "-".join(str(each.class_id) for each in self.classes)
        )

    @property
    def pictured(self) -> bool:
        """Whether there is a picture of it."""
        return any(each.tiles for each in self.classes)


@dataclass(frozen=True)
class ClassSection:
    """The findings of one class alone.

    Attributes:
        class_id: the class.
        name: its short name.
        photos: predicted as it (count).
        found: its class-specific closed itemsets (count).
        supported: those of them that the contrast supports (count).
        listed: the findings in its table.
        cards: those with a gallery.
    """

    class_id: int
    name: str
    photos: int
    found: int
    supported: int
    listed: list[Finding] = field(default_factory=list)
    cards: list[Finding] = field(default_factory=list)
