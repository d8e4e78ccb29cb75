"""Codes in the files of SAELens and sparsify: read as these libraries compute them, anything else refused."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import save_file

from interpret.errors import InputError
from interpret.models.code_files import located, read_codes

K, M = 5, 12


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def saelens(folder, weights=None, **options):
    """As `SAE.save_model` of version 6 writes them."""
    folder.mkdir(exist_ok=True)
    held = {"W_enc": numbers(K, M), "b_enc": numbers(M) - 0.5, "W_dec": numbers(M, K, seed=1), "b_dec": numbers(K)}
    save_file({**held, **(weights or {})}, folder / "sae_weights.safetensors")
    given = {"d_in": K, "d_sae": M, "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": True}
    given |= {"normalize_activations": "none", "reshape_activations": "none", "architecture": "standard"}
    given |= {"metadata": {"sae_lens_version": "6.0.0"}}
    (folder / "cfg.json").write_text(json.dumps(given | options))
    return {**held, **(weights or {})}


def sparsify(folder, weights=None, **options):
    """As `SparseCoder.save_to_disk` writes them."""
    folder.mkdir(exist_ok=True)
    held = {"encoder.weight": numbers(M, K), "encoder.bias": numbers(M), "W_dec": numbers(M, K, seed=1)}
    held |= {"b_dec": numbers(K)}
    save_file({**held, **(weights or {})}, folder / "sae.safetensors")
    given = {"activation": "topk", "expansion_factor": 32, "num_latents": 0, "k": 3, "d_in": K, "transcode": False}
    (folder / "cfg.json").write_text(json.dumps(given | options))
    return {**held, **(weights or {})}


def topk(values: torch.Tensor, k: int) -> torch.Tensor:
    """(n, M) as SAELens' TopK: ReLU of the k largest."""
    found, places = values.topk(k, dim=-1)
    return torch.zeros_like(values).scatter_(-1, places, found.relu())


def both_ways(code, x):
    """z and x' of rows x (n, K), as a grid of one row."""
    z = code.encode(x.T[None, :, None])
    return z[0, :, 0].T, code.decode(z)[0, :, 0].T


@pytest.mark.parametrize(
    ("options", "more", "latents"),
    [
        ({}, {}, lambda p, _: p.relu()),
        ({"apply_b_dec_to_input": False}, {}, lambda p, _: p.relu()),
        ({"architecture": "topk", "k": 4}, {}, lambda p, _: topk(p, 4)),
        ({"architecture": "topk", "k": 2, "rescale_acts_by_decoder_norm": True}, {}, lambda p, n: topk(p * n, 2)),
        ({"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 4}}, {}, lambda p, _: topk(p, 4)),  # version 3
        ({"architecture": "jumprelu"}, {"threshold": numbers(M, seed=4)}, None),
    ],
)
def test_saelens_codes_compute_what_saelens_computes(tmp_path, options, more, latents):
    held = saelens(tmp_path / "sae", more, **options)
    code, x = read_codes(str(tmp_path / "sae")), numbers(9, K, seed=7)
    before = (x - held["b_dec"] * options.get("apply_b_dec_to_input", True)) @ held["W_enc"] + held["b_enc"]
    norms = held["W_dec"].norm(dim=-1)
    scale = norms if options.get("rescale_acts_by_decoder_norm") else torch.ones(M)
    expected = before.relu() * (before > held["threshold"].relu()) if latents is None else latents(before, norms)
    z, decoded = both_ways(code, x)
    assert torch.allclose(z, expected, atol=1e-5)
    assert (z > 0).any()
    assert torch.allclose(decoded, (z / scale) @ held["W_dec"] + held["b_dec"], atol=1e-5)
    assert (code.channels, code.latents) == (K, M)
    assert code.format.startswith("SAELens, ")


@pytest.mark.parametrize("function", ["topk", "groupmax"])
def test_sparsify_codes_compute_what_sparsify_computes(tmp_path, function):
    held = sparsify(tmp_path / "sae", activation=function)
    code, x = read_codes(str(tmp_path / "sae" / "sae.safetensors")), numbers(9, K, seed=7)
    before = ((x - held["b_dec"]) @ held["encoder.weight"].T + held["encoder.bias"]).relu()
    if function == "topk":
        values, places = before.topk(3, dim=-1)
    else:
        values, places = before.unflatten(-1, (3, -1)).max(dim=-1)
        places = places + torch.tensor([0, 4, 8])
    z, decoded = both_ways(code, x)
    assert torch.allclose(z, torch.zeros(9, M).scatter_(-1, places, values), atol=1e-5)
    rows = (values[:, :, None] * held["W_dec"][places]).sum(dim=1) + held["b_dec"]
    assert torch.allclose(decoded, rows, atol=1e-5)
    assert code.format == f"sparsify, {function}"


def test_the_digest_is_that_of_weights_and_options_and_paths_become_absolute(tmp_path, monkeypatch):
    saelens(tmp_path / "sae")
    whole = b"".join((tmp_path / "sae" / name).read_bytes() for name in ("sae_weights.safetensors", "cfg.json"))
    monkeypatch.chdir(tmp_path)
    code = read_codes("sae")
    assert code.sha256 == hashlib.sha256(whole).hexdigest()
    assert code.path == str(tmp_path / "sae") == located("sae")
    assert (located(None), located("demo")) == (None, "demo")
    half = {"W_enc": numbers(K, M).to(torch.bfloat16)}
    held = saelens(tmp_path / "sae", half)
    assert read_codes("sae").sha256 != code.sha256
    assert torch.equal(read_codes("sae").encoder, held["W_enc"].float().T)


NAN = torch.full((M,), float("nan"))

REFUSED = [
    (saelens, {}, {"architecture": "gated"}, "architecture 'gated'; only standard, topk and jumprelu"),
    (saelens, {}, {"activation_fn": "tanh-relu"}, "function 'tanh-relu'"),
    (saelens, {}, {"normalize_activations": "layer_norm"}, "normalize_activations 'layer_norm'"),
    (saelens, {}, {"reshape_activations": "hook_z"}, "reshape_activations 'hook_z'"),
    (saelens, {"scaling_factor": numbers(M)}, {}, "scaling factor"),
    (saelens, {}, {"architecture": "jumprelu"}, "no tensor 'threshold'"),
    (saelens, {}, {"architecture": "topk"}, "k = None; give a whole number from 1 to 12"),
    (saelens, {}, {"architecture": "topk", "k": 13}, "k = 13"),
    (saelens, {}, {"d_in": 6}, r"has 5 where its cfg.json says d_in 6"),
    (saelens, {"b_enc": NAN}, {}, "'b_enc' in .* not finite"),
    (saelens, {"W_dec": numbers(M, K + 1)}, {}, r"'W_dec' in .* is \(12, 6\), not \(12, 5\)"),
    (saelens, {"W_enc": numbers(K)}, {}, r"'W_enc' in .* is \(5,\)"),
    (saelens, {"b_dec": torch.zeros(K, dtype=torch.int64)}, {}, "'b_dec'"),
    (sparsify, {}, {"transcode": True}, "with transcode"),
    (sparsify, {}, {"skip_connection": True}, "with skip_connection"),
    (sparsify, {}, {"activation": "batchtopk"}, "function 'batchtopk'"),
    (sparsify, {}, {"activation": "groupmax", "k": 5}, "do not fall into 5 groups"),
    (sparsify, {}, {"num_latents": 64}, "num_latents 64"),
]


@pytest.mark.parametrize(("write", "weights", "options", "said"), REFUSED, ids=[one[3][:30] for one in REFUSED])
def test_codes_that_compute_something_else_are_refused_in_one_sentence(tmp_path, write, weights, options, said):
    write(tmp_path / "sae", weights, **options)
    with pytest.raises(InputError, match=said) as refused:
        read_codes(str(tmp_path / "sae"))
    text = str(refused.value)
    assert text.endswith(".")
    assert "\n" not in text


def test_files_that_are_absent_cut_off_or_something_else_are_refused(tmp_path):
    folder = tmp_path / "sae"
    with pytest.raises(InputError, match="no codes at"):
        read_codes(str(folder))
    saelens(folder)
    with pytest.raises(InputError, match=r"no \.safetensors file"):
        read_codes(str(folder / "cfg.json"))
    (folder / "cfg.json").write_text("[]")
    with pytest.raises(InputError, match="no options of codes"):
        read_codes(str(folder))
    (folder / "cfg.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        read_codes(str(folder))
    (folder / "cfg.json").unlink()
    with pytest.raises(InputError, match=r"There is no .*cfg\.json"):
        read_codes(str(folder))
    saelens(folder)
    file = folder / "sae_weights.safetensors"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(InputError, match="damaged"):
        read_codes(str(folder))
    save_file({"weight": numbers(K)}, file)
    with pytest.raises(InputError, match=r"neither codes of SAELens .* but 'weight'"):
        read_codes(str(folder))
    saelens(folder)
    sparsify(folder)
    with pytest.raises(InputError, match="both"):
        read_codes(str(folder))
    file.unlink()
    (folder / "sae.safetensors").unlink()
    with pytest.raises(InputError, match="neither"):
        read_codes(str(folder))


def test_codes_outside_of_the_folders_that_may_be_read_are_not_opened(tmp_path):
    saelens(tmp_path / "secret")
    (tmp_path / "open").mkdir()
    roots = [(tmp_path / "open").resolve()]
    with pytest.raises(InputError, match="outside of the folders"):
        read_codes(str(tmp_path / "secret"), roots)
    for name in ("sae_weights.safetensors", "cfg.json"):
        (tmp_path / "open" / name).symlink_to(tmp_path / "secret" / name)
    with pytest.raises(InputError, match="outside of the folders"):
        read_codes(str(tmp_path / "open"), roots)
    assert read_codes(str(tmp_path / "secret"), [tmp_path.resolve()]).latents == M
