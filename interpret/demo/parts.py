"""The named parts of the demo's classes: which class is made of which."""

CLASS_PARTS: dict[str, tuple[str, ...]] = {
    "Bird": ("beak", "eye", "foot", "head", "plumage", "tail feathers", "wing"),
    "Dog": ("eye", "floppy ear", "head", "leg", "muzzle", "tail", "torso"),
    "Cat": ("eye", "head", "leg", "pointed ear", "tail", "torso", "whiskers"),
    "Fish": ("eye", "fin", "scales", "tail fin"),
    "Car": ("bodywork", "headlight", "wheel", "window"),
    "Truck": ("bodywork", "cargo box", "headlight", "wheel", "window"),
    "Bicycle": ("frame", "handlebar", "saddle", "wheel"),
    "Plane": ("engine", "fuselage", "stabiliser", "window", "wing"),
    "House": ("chimney", "door", "roof", "wall", "window"),
    "Flower": ("flower heart", "leaf", "petal", "stem"),
}
CLASS_NAMES: tuple[str, ...] = tuple(CLASS_PARTS)
PARTS: tuple[str, ...] = tuple(sorted({part for parts in CLASS_PARTS.values() for part in parts}))
_NUMBERS = {part: place for place, part in enumerate(PARTS, start=1)}


def number(part: str) -> int:
    """The part's number on the canvas, from 1."""
    return _NUMBERS[part]
