"""Public functions set back what they set, in the process and in the caller's network, also where they fail."""

import pytest
import sklearn.linear_model  # noqa: F401 - this import and those of timm and torchvision change the process themselves
import timm  # noqa: F401
import torch
import torchvision  # noqa: F401

from interpret import models, pipeline
from interpret.config import EvaluateConfig, ExtractConfig, ModelConfig
from interpret.data.photos import open_photo
from interpret.errors import InputError
from interpret.evaluation.evaluate import evaluate
from interpret.evaluation.heads import load_head
from interpret.explanation.photo import make_explainer
from interpret.findings import Findings
from interpret.mining import mine_study
from interpret.progress import Progress
from interpret.study import open_study
from tests.conftest import TinyNet, draw_photos
from tests.process_state import nothing_left_behind
from tests.test_pipeline import SMALL, config, tiny_classifier


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "set", each=6)


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad])
def test_by_the_whole_way_from_photos_to_an_evaluation(photos, tmp_path, mode):
    classifier = tiny_classifier()
    classifier.network.train()
    with mode(), nothing_left_behind(classifier.network):
        study = pipeline.run(config(photos), tmp_path / "study", classifier=classifier)
        mined = mine_study(open_study(study.folder), study.mine_config)
        findings = Findings(study, study.mine_config, mined)
        assert len(findings.table) > 0
        assert findings.chance_p_values().notna().any()
        found = make_explainer(classifier, ExtractConfig()).explain_photo(open_photo(next(photos.rglob("*.png"))))
        assert found.units.size > 0
        head = load_head(study, device="cpu", classifier=classifier)
        result = evaluate(
            study, study, head, study.mine_config, EvaluateConfig(draws=2, budgets=(1, 2), top_units=(2, 3))
        )
        assert result.about["photos"] == 18


@pytest.mark.parametrize("stage", ["Explaining photos", "Mining itemsets"])
def test_by_a_run_that_is_interrupted(photos, tmp_path, stage):
    classifier = tiny_classifier()

    def interrupt(report: Progress) -> None:
        if report.stage == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), nothing_left_behind(classifier.network):
        pipeline.run(config(photos), tmp_path / "study", interrupt, classifier=classifier)


def test_by_loading_a_network():
    with nothing_left_behind():
        models.load(ModelConfig("demo"))
    with nothing_left_behind():
        models.load(ModelConfig("mobilenet_v3_small", weights="random"))


@pytest.mark.parametrize("change", [{"layer": "nothing"}, {"mean": "a"}, {"input_size": 8}, {"weights": "none.pt"}])
def test_by_a_network_that_cannot_be_loaded(change):
    with pytest.raises(InputError), nothing_left_behind():
        models.load(ModelConfig(**{"model": "squeezenet1_1", "weights": "random", **change}))


class Failing(TinyNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x[:, :2])


def test_by_a_network_that_fails():
    network = Failing()
    with pytest.raises(InputError), nothing_left_behind(network):
        models.wrap(network, name="failing", class_names="abc", preprocessing=SMALL)
