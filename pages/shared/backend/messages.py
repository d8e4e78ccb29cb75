"""What pages say of errors: uploads are called by their names, not by where the server keeps them."""

import re

from pages.shared.backend.places import UPLOADS, studies_root


def of(error: Exception) -> str:
    """The sentence of an error, as a page shows it."""
    return without_upload_paths(str(error))


def without_upload_paths(text: str) -> str:
    """A text in which a file that was uploaded has its name only, and a folder of uploads is `the upload`."""
    root = studies_root()
    homes = "|".join(re.escape(str(home / UPLOADS)) for home in {root, root.resolve()})
    return re.sub(rf"(?:{homes})/[0-9a-f]{{16}}(/?)", lambda found: "" if found[1] else "the upload", text)
