"""What the server imports before it answers: PyTorch takes seconds, and is imported while the first browser starts."""

import subprocess
import sys


def test_the_server_answers_before_pytorch_is_imported():
    code = "import sys; from pages.shared.backend import gate, preparation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
