"""The benchmark of mining on a GPU: it runs, compares results, and says so where there is no GPU."""

import pytest
import torch

from benchmarks import mine_gpu
from tests.gpu_stand_in import stand_in


@pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here to measure"
)
def test_without_a_gpu_it_says_so_in_one_line(capsys):
    mine_gpu.main([])
    assert capsys.readouterr().out == "There is no GPU that this PyTorch can use, so nothing was measured.\n"


def test_every_way_of_mining_is_timed_and_compared(capsys):
    with stand_in():
        mine_gpu.main(["--rows", "300", "--entries", "500", "--draws", "3", "--repeats", "1"])
    printed = capsys.readouterr().out
    assert printed.count(" itemsets ") == 5
    assert printed.count("auto took cpu") == 5
    assert printed.count("The GPU is faster") == 3


def test_a_gpu_is_worth_it_from_the_estimate_above_all_that_it_lost():
    def cell(estimate: float, gpu: float) -> mine_gpu.Result:
        return mine_gpu.Result("", 1, estimate, {"gpu": gpu, "cpu": 1.0}, "cpu", 0.0)

    cells = [cell(0.1, 2.0), cell(0.2, 0.5), cell(0.3, 1.5), cell(0.7, 0.4), cell(0.5, 0.9)]
    assert mine_gpu.from_where(cells, "cpu") == "from an estimate of 0.5 s on"
    assert mine_gpu.from_where(cells[1:2], "cpu") == "in every cell"
    assert mine_gpu.from_where(cells[:1], "cpu") == "not even in the largest cell"
