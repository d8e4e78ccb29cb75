"""Makes `imagenet_words.json`: what WordNet says stands above each of ImageNet's 1,000 classes.

    apt-get install wordnet-base
    python assets/make_imagenet_words.py /usr/share/wordnet

ImageNet's ids are positions in the file `data.noun` of WordNet 3.0, so that no other version will do. The licence of
WordNet, which the table is taken from, is in `imagenet_words.LICENSE`.
"""

import argparse
import json
import re
from pathlib import Path

from interpret.data.class_names import imagenet
from interpret.files import assets

TABLE = "imagenet_words.json"


def nouns(text: str) -> dict[str, tuple[str, list[str]]]:
    """Each noun synset by its id: its first word, and the ids of its hypernyms, those of instances too.

    Args:
        text: of the file `data.noun`; its form is described in the manual page wndb(5WN).
    """
    found = {}
    for line in text.splitlines():
        if line.startswith("  "):  # the licence
            continue
        fields = line.partition(" | ")[0].split()
        words = int(fields[3], 16)
        word = re.sub(r"\(\w+\)$", "", fields[4]).replace("_", " ")
        at = 4 + 2 * words
        pointers = [fields[at + 1 + 4 * place : at + 5 + 4 * place] for place in range(int(fields[at]))]
        above = ["n" + target for symbol, target, kind, _ in pointers if symbol in ("@", "@i") and kind == "n"]
        found["n" + fields[0]] = (word, above)
    return found


def table(synsets: dict[str, tuple[str, list[str]]]) -> dict[str, object]:
    """The classes with their ids, and of everything above them the words and the ids above."""
    names, wnids = imagenet()
    above: dict[str, list[str]] = {}
    waiting = list(wnids)
    while waiting:
        wnid = waiting.pop()
        if wnid not in above:
            above[wnid] = synsets[wnid][1]
            waiting += above[wnid]
    return {
        "source": "WordNet 3.0, Copyright 2006 by Princeton University; its licence is in imagenet_words.LICENSE",
        "classes": [list(pair) for pair in zip(wnids, names, strict=True)],
        "words": {wnid: synsets[wnid][0] for wnid in sorted(above.keys() - set(wnids))},
        "above": dict(sorted(above.items())),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wordnet", type=Path, help="the folder of WordNet 3.0's files")
    made = table(nouns((parser.parse_args().wordnet / "data.noun").read_text(encoding="utf-8")))
    lines = ",\n".join(
        f" {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in made.items()
    )
    (assets() / TABLE).write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
