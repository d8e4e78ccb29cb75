"""What is imported before the first page is drawn: PyTorch takes seconds, which the first drawings need."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["pages.shared.backend.preparation", "pages.shared.router"])
def test_neither_the_server_nor_a_page_without_a_study_waits_for_pytorch(module):
    code = f"import sys, {module}; from pages.shared.backend import gate; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
