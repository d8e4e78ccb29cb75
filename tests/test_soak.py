"""Several sessions at once: no page shows what is of another. The long part is `python -m tests.soak`."""

import pytest

from tests import soak


@pytest.mark.long
def test_three_sessions_at_once_see_their_own_study_only():
    seen, sizes, printed = soak.run(sessions=3, minutes=0.25)
    assert seen.failures == [], printed
    assert len(seen.seconds) >= 3
    assert min(sizes) > 50
