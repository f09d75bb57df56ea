"""What users bring, through a session as over the wire: against plain PyTorch, and what does not fit."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils.data._utils import pin_memory

from py_backend import fetched
from py_backend.codec import MAX_HEADER_BYTES, Packet, decode, encode
from py_backend.errors import BackendError
from py_backend.fetched import workers_failed
from py_backend.messages import Chosen, Named, Weights
from py_backend.noise import step_keys
from py_backend.process_signals import LEFT_TO_CONTROLLER
from py_backend.references import dataset as dataset_reference
from py_backend.references import importing

OpenRun = Callable[..., Any]
HERE = Path(__file__).parent / "references"


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(HERE))
    importing.allow(["team_models", "team_losses", "team_data", "needs_another", "nowhere", "torch.nn"])
    yield
    importing.allow([])


def own(name: str, **options: Any) -> Chosen:
    return Chosen(origin="import", name=name, options=as_sent(options))


def as_sent(options: dict[str, Any]) -> dict[str, Any]:
    """Arguments travel as JSON."""
    return {key: json.dumps(value) if key in ("args", "test_args") else value for key, value in options.items()}


def model(name: str, **args: Any) -> Chosen:
    return own(f"team_models:{name}", args=args)


def refusal(act: Callable[[], Any]) -> BackendError:
    with pytest.raises(BackendError) as caught:
        act()
    assert "\n" not in caught.value.message.rstrip("\n") or caught.value.code == "bad_reference"
    return caught.value


# --- arguments


def test_arguments_arrive_as_they_are_written() -> None:
    text = '{"one": 1.0, "count": 1, "mask": 18446744073709551617, "limits": [Infinity, -Infinity, NaN], "aB": null}'
    given = importing.keywords("a:b", text)
    assert [type(given[name]) for name in ("one", "count", "mask")] == [float, int, int]
    assert given["mask"] == 2**64 + 1
    assert given["limits"][:2] == [math.inf, -math.inf] and math.isnan(given["limits"][2])
    assert given["aB"] is None


@pytest.mark.parametrize("text", ["", "[1]", "{", "{" * 100_000])
def test_arguments_that_are_no_map(text: str) -> None:
    assert refusal(lambda: importing.keywords("a:b", text)).code == "bad_option"


# --- the door


@pytest.mark.parametrize(
    ("reference", "code", "says"),
    [
        ("os:remove", "not_allowed", "--allow-import os"),
        ("team_models_too:Net", "not_allowed", "--allow-import team_models_too"),
        ("nowhere.deep:Net", "module_missing", "no module `nowhere`"),
        ("needs_another:Net", "bad_reference", "needs module `a_module_that_is_not_there`"),
        ("team_models:Nett", "bad_reference", "did you mean `Net`?"),
        ("team_models:NUMBER", "bad_reference", "is a int"),
        ("team_models", "bad_reference", "package.module:callable"),
        ("team_models:", "bad_reference", "package.module:callable"),
        ("../team_models:Net", "bad_reference", "package.module:callable"),
        ("team_models:not_a_model", "bad_reference", "returned a str, expected a torch.nn.Module"),
    ],
)
def test_what_cannot_be_imported_is_refused(open_run: OpenRun, reference: str, code: str, says: str) -> None:
    refused = refusal(lambda: open_run(model=own(reference)))
    assert (refused.code, says in refused.message) == (code, True), refused.message


def test_a_submodule_is_allowed_with_the_module_above_it(open_run: OpenRun) -> None:
    loss = Named(name="torch.nn.modules.loss:CrossEntropyLoss", options=as_sent({"args": {"reduction": "none"}}))
    version = open_run(loss=loss).opened.body.imports[0].version
    assert version == torch.__version__.partition("+")[0]


def test_arguments_that_the_callable_does_not_take(open_run: OpenRun) -> None:
    refused = refusal(lambda: open_run(model=model("Net", classes=3)))
    assert refused.code == "bad_reference"
    assert "(classes=3)" in refused.message
    assert "unexpected keyword argument 'classes'" in refused.message
    refused = refusal(lambda: open_run(model=own("team_models:Net", arguments={})))
    assert (refused.code, "arguments" in refused.message) == ("bad_option", True)


def test_what_is_recorded_of_an_import(open_run: OpenRun) -> None:
    (imported,) = open_run(model=model("Net")).opened.body.imports
    source = HERE / "team_models.py"
    assert (imported.reference, imported.file, imported.version) == ("team_models:Net", str(source), None)
    assert imported.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()


# --- models


def test_a_model_with_dropout_and_batch_norm_is_trained_as_plain_pytorch_trains_it(
    open_run: OpenRun, tiny: Any, batches: list[list[int]]
) -> None:
    run = open_run(model=model("Net", dropout=0.5), seed=5)
    assert run.opened.body.parameter_count == 40 + 8 + 15
    plain = copy.deepcopy(run.model).train()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.05, momentum=0.9)
    mean, std = np.array(tiny.grey.mean), np.array(tiny.grey.std)
    scale, shift = (1 / (255 * std)).astype(np.float32), (mean / std).astype(np.float32)
    images = torch.from_numpy(tiny.grey.train.images.astype(np.float32) * scale - shift).permute(0, 3, 1, 2)
    labels = torch.from_numpy(tiny.grey.train.labels.astype(np.int64))
    losses = []
    with torch.random.fork_rng(devices=[]):
        for rows, seed in zip(batches, step_keys(5, 0, len(batches), 1).modules, strict=True):
            torch.manual_seed(seed)
            optimizer.zero_grad()
            loss = F.cross_entropy(plain(images[rows]), labels[rows], reduction="none")
            loss.mean().backward()
            optimizer.step()
            losses.append(loss.detach())
    assert np.array_equal(run.losses(batches), torch.cat(losses).numpy())
    for name, tensor in plain.state_dict().items():
        assert torch.equal(run.state()[name], tensor), name
    assert any("default generators" in notice for notice in run.opened.body.notices)


@pytest.mark.parametrize(
    ("name", "args", "says"),
    [
        ("Net", {"num_classes": 4}, "team_models:Net: returned [2, 4]; expected logits [2, 3]"),
        ("TwoHeads", {}, "returned a dict; expected logits, a tensor [2, 3]"),
        ("Detached", {}, "no parameter would be trained"),
        ("Raises", {}, "ValueError: kernels of"),
        ("Lazy", {}, "team_models:Lazy: layers.1.weight, layers.1.bias have no size yet"),
        ("WithoutParameters", {}, "made a model without parameters"),
        ("scripted", {}, "team_models:scripted: the parameters of its copy cannot be trained"),
        ("made_in_inference_mode", {}, "weight was made in torch.inference_mode: make the model outside of it"),
        (
            "KeepsGraph",
            {},
            "team_models:KeepsGraph: a training pass after another one failed: RuntimeError: ",
        ),
        ("Squeezes", {}, "team_models:Squeezes: returned [3]; expected logits [1, 3]"),
        ("HoldsComputed", {}, "team_models:HoldsComputed: it cannot be copied, and so not be tried: RuntimeError"),
    ],
)
def test_a_model_that_does_not_fit(open_run: OpenRun, name: str, args: dict[str, Any], says: str) -> None:
    refused = refusal(lambda: open_run(model=model(name, **args)))
    assert (refused.code, says in refused.message) == ("bad_reference", True), refused.message


def test_another_number_of_logits_is_told_with_the_class_that_has_no_sample(open_run: OpenRun) -> None:
    refused = refusal(lambda: open_run(dataset=own("team_data:from_one"), model=model("Net")))
    says = "expected logits [2, 4]: the dataset has 4 classes, though none of its samples has class 0"
    assert says in refused.message


def test_an_optimizer_that_does_not_take_the_gradients(open_run: OpenRun) -> None:
    adam = Named(name="adam", options={})
    refused = refusal(lambda: open_run(model=model("Sparse"), optimizer=adam))
    assert "team_models:Sparse: the optimiser's step failed: RuntimeError: " in refused.message
    open_run(model=model("Sparse"))


@pytest.mark.parametrize("name", ["ViewNet", "VolumeNet"])
def test_a_model_that_does_not_bear_channels_last_is_trained_as_plain_pytorch_trains_it(
    open_run: OpenRun, name: str, batches: list[list[int]]
) -> None:
    run = open_run(model=model(name))
    assert run.opened.body.settings.memory_format == "contiguous"
    assert [notice for notice in run.opened.body.notices if "usual memory format" in notice] != []
    plain = copy.deepcopy(run.model).train()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.05, momentum=0.9)
    data = run.host._session._data.train
    losses = []
    for rows in batches:
        optimizer.zero_grad()
        images = data.batch(torch.tensor(rows)).clone(memory_format=torch.contiguous_format)
        loss = F.cross_entropy(plain(images), data.labels[rows], reduction="none")
        loss.mean().backward()
        optimizer.step()
        losses.append(loss.detach())
    assert np.array_equal(run.losses(batches), torch.cat(losses).numpy())
    assert np.isfinite(run.look("test", list(range(20)), ["loss"], batch_size=7).arrays["loss"]).all()


def test_channels_last_stays_where_a_model_bears_it(open_run: OpenRun) -> None:
    run = open_run(model=model("Net"))
    assert run.opened.body.settings.memory_format == "channels_last"
    assert run.model.conv.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", ["Net", "ViewNet"])
def test_with_channels_last_off_every_model_has_torchs_usual_format(
    open_run: OpenRun, name: str, batches: list[list[int]]
) -> None:
    run = open_run(model=model(name), channels_last="off")
    assert run.opened.body.settings.memory_format == "contiguous"
    assert [notice for notice in run.opened.body.notices if "memory format" in notice] == []
    assert run.model.conv.weight.is_contiguous()
    assert np.isfinite(run.losses(batches)).all()


def test_with_channels_last_off_a_model_that_fails_is_refused_as_ever(open_run: OpenRun) -> None:
    refused = refusal(lambda: open_run(model=model("Raises"), channels_last="off"))
    assert (refused.code, "ValueError: kernels of" in refused.message) == ("bad_reference", True)


@pytest.mark.parametrize("name", ["HalfPrecision", "Extra"])
def test_weights_of_any_kind_are_hashed_and_trained(open_run: OpenRun, name: str, batches: list[list[int]]) -> None:
    run = open_run(model=model(name))
    state = [tensor for tensor in run.model.state_dict().values() if isinstance(tensor, torch.Tensor)]
    kind = {torch.bfloat16: torch.int16}
    raw = b"".join(tensor.contiguous().view(kind.get(tensor.dtype, tensor.dtype)).numpy().tobytes() for tensor in state)
    assert run.opened.body.initial_weights_sha256 == hashlib.sha256(raw).hexdigest()
    assert np.isfinite(run.losses(batches)).all()
    values = run.ask(Packet(3, Weights(session=run.session))).arrays["values"]
    assert len(values) == sum(tensor.numel() for tensor in state if tensor.is_floating_point())


def test_what_a_model_keeps_from_a_scoring_pass_can_be_trained_with(open_run: OpenRun) -> None:
    run = open_run(model=model("Caching"))
    run.look("score", [1, 2, 3], ["loss"])
    assert np.isfinite(run.losses([[1, 2], [3, 4]])).all()


def test_what_a_model_or_a_loss_raises_later_is_told_as_theirs(open_run: OpenRun, batches: list[list[int]]) -> None:
    run = open_run(model=model("FailsLater"))
    says = "team_models:FailsLater: it failed on images [6, 1, 12, 12]: RuntimeError: six at a time"
    for act in (lambda: run.look("test", [1] * 6, ["loss"]), lambda: run.losses(batches)):
        refused = refusal(act)
        assert (refused.code, refused.message) == ("bad_reference", says)
    run = open_run(loss=Named(name="team_losses:fails_later", options={}))
    refused = refusal(lambda: run.losses(batches))
    assert refused.message == "team_losses:fails_later: it failed on 6 logits and labels: RuntimeError: six at a time"


def test_a_model_that_replaces_what_is_trained_fails_its_run(open_run: OpenRun, batches: list[list[int]]) -> None:
    run = open_run(model=model("SwapsWeight"))
    refused = refusal(lambda: run.losses(batches))
    assert "SwapsWeight: while it was trained it replaced or added the parameters fc.weight, which" in refused.message


def test_the_least_batch_of_a_model_of_ours_is_tried_too(open_run: OpenRun) -> None:
    resnet = Named(name="resnet18", options={})
    opened = open_run(dataset=own("team_data:small"), model=resnet).opened.body
    assert (opened.least_batch_size, opened.settings.batch_norm_layers) == (2, 20)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("UnusedHead", "no gradient comes to auxiliary.weight, auxiliary.bias"),
        ("FrozenStem", "conv.weight, conv.bias are frozen"),
        ("NotDeterministic", "gave other bits when an equal pass was made again, first in the output of counting"),
    ],
)
def test_what_is_told_of_a_model(open_run: OpenRun, name: str, says: str) -> None:
    opened = open_run(model=model(name)).opened.body
    assert any(says in notice for notice in opened.notices), opened.notices
    assert opened.settings.deterministic == (name != "NotDeterministic")


def test_equal_bits_are_refused_where_a_layer_does_not_give_them(open_run: OpenRun) -> None:
    refused = refusal(lambda: open_run(model=model("NotDeterministic"), equal_bits=True))
    assert "output of counting" in refused.message
    assert refused.code == "bad_reference"
    open_run(model=model("Net"), equal_bits=True)
    assert torch.get_deterministic_debug_mode() == 2
    open_run(model=model("Net"))
    assert torch.get_deterministic_debug_mode() == 1


def test_batch_norm_on_vectors_needs_two_samples(open_run: OpenRun) -> None:
    assert open_run(model=model("FlatNormNet")).opened.body.least_batch_size == 2
    assert open_run(model=model("Net")).opened.body.least_batch_size == 1


def test_trying_a_model_changes_nothing(open_run: OpenRun) -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    run = open_run(model=model("Net", dropout=0.5), seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert float(run.state()["norm.num_batches_tracked"]) == 0
    assert torch.equal(run.state()["norm.running_mean"], torch.zeros(4))
    assert all(parameter.grad is None for parameter in run.model.parameters())
    assert all(not module._forward_hooks for module in run.model.modules())


# --- losses


def test_losses_by_function_and_by_class(open_run: OpenRun, batches: list[list[int]]) -> None:
    import team_losses  # type: ignore[import-not-found]

    plain = open_run()
    by_class = open_run(
        loss=Named(
            name="torch.nn:CrossEntropyLoss", options=as_sent({"args": {"reduction": "none", "label_smoothing": 0.1}})
        )
    )
    by_function = open_run(loss=Named(name="team_losses:focal", options=as_sent({"args": {"gamma": 0.0}})))
    assert by_function.losses(batches) == pytest.approx(plain.losses(batches), rel=1e-4)
    seen = by_class.look("test", list(range(20)), ["loss", "prediction"]).arrays
    with torch.no_grad():
        data = by_class.host._session._data
        logits = by_class.model.eval()(data.test.batch(torch.arange(20)))
        expected = F.cross_entropy(logits, data.test.labels, reduction="none", label_smoothing=0.1)
    assert seen["loss"] == pytest.approx(expected.numpy(), rel=1e-6)
    assert team_losses.focal(logits, data.test.labels, gamma=0.0) == pytest.approx(
        F.cross_entropy(logits, data.test.labels, reduction="none"), rel=1e-5
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mean", "team_losses:mean: returned []; expected one value a sample, [2]: take `reduction: none`"),
        ("without_gradient", "team_losses:without_gradient: the losses have no gradient"),
        ("Learned", "team_losses:Learned has 1 parameters"),
    ],
)
def test_a_loss_that_does_not_fit(open_run: OpenRun, name: str, says: str) -> None:
    refused = refusal(lambda: open_run(loss=Named(name=f"team_losses:{name}", options={})))
    assert (refused.code, says in refused.message) == ("bad_reference", True), refused.message


# --- datasets


def opened_with(open_run: OpenRun, name: str, **options: Any) -> Any:
    return open_run(dataset=own(f"team_data:{name}", **options))


def test_arrays_and_items_of_bytes_are_one_dataset(open_run: OpenRun) -> None:
    arrays = opened_with(open_run, "arrays").opened
    items = opened_with(open_run, "both", args={"kind": "ByteItems"}).opened
    assert arrays.body.data_sha256 == items.body.data_sha256
    assert (arrays.body.n, arrays.body.test_count, arrays.body.input_shape) == (40, 10, [1, 12, 12])
    assert json.loads(arrays.arrays["class_names"].tobytes()) == ["0", "1", "2"]
    assert arrays.arrays["labels"].tolist() == [index % 3 for index in range(40)]


def test_mean_and_deviation_are_those_of_the_training_images_unless_they_came_along() -> None:
    options = dataset_reference.Options()
    measured = dataset_reference.definition("team_data:arrays").load(Path(), options)
    scaled = measured.train.images / 255.0
    assert measured.mean == pytest.approx((scaled.mean(),), rel=1e-12)
    assert measured.std == pytest.approx((scaled.std(),), rel=1e-12)
    named = dataset_reference.definition("team_data:named").load(Path(), options)
    assert (named.mean, named.std, named.class_names) == ((0.5,), (0.25,), ("a", "b", "c"))


def test_float_images_go_to_the_model_as_they_are(open_run: OpenRun) -> None:
    import team_data  # type: ignore[import-not-found]

    run = opened_with(open_run, "tensors")
    (images, _), _ = team_data.tensors()
    assert torch.equal(run.host._session._data.train.batch(torch.tensor([7, 3])), images[[7, 3]])
    by_items = opened_with(open_run, "Items", args={"train": True}, test_args={"train": False})
    assert by_items.opened.body.data_sha256 == run.opened.body.data_sha256
    raw = b"float32"
    for part, labels in team_data.tensors():
        raw += part.permute(0, 2, 3, 1).contiguous().numpy().tobytes() + labels.numpy().astype("<u4").tobytes()
    assert run.opened.body.data_sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("workers", [0, 2])
def test_fetched_items_give_the_bits_of_resident_ones_whatever_signals_come_to_workers(
    open_run: OpenRun, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker_begun import Begun  # type: ignore[import-not-found]

    begun = Begun()
    monkeypatch.setattr(fetched, "begin_worker", begun.telling)
    order = np.random.default_rng(3).permutation(40).tolist()
    batches = [order[at : at + 6] for at in range(0, 40, 6)]

    def trained(**options: Any) -> list[Any]:
        run = opened_with(open_run, "both", args={"kind": "ByteItems"}, **options)
        seen = [run.losses(batches[:3])]
        pids = [worker.pid for worker in begun.workers()]
        assert len(pids) >= options.get("workers", 0)
        for pid in pids:
            signal_worker(pid)
        seen += [run.losses(batches[3:5], micro_batch=4), run.losses(batches[5:])]
        seen.append(run.look("test", [9, 0, 4, 4], ["loss"], batch_size=3).arrays["loss"])
        seen.append(run.look("score", order, ["loss"], batch_size=7).arrays["loss"])
        return [run.opened.body.data_sha256, *[values.tolist() for values in seen]]

    assert trained(load="fetch", workers=workers) == trained(load="resident")


@pytest.mark.parametrize("rows", [[3, 1], [1, 3, 5], [1]])
def test_rows_that_were_not_fetched_are_not_taken_for_others(open_run: OpenRun, rows: list[int]) -> None:
    run = opened_with(open_run, "both", args={"kind": "ByteItems"}, load="fetch", workers=0)
    pixels = run.host._session._data.train.pixels
    pixels.expect([np.array([1, 3], np.uint32)] * 2)
    assert len(pixels.gather(torch.tensor([1, 3]))) == 2
    with pytest.raises(RuntimeError, match=r"^other rows were asked for than were expected$"):
        pixels.gather(torch.tensor(rows))
    with pytest.raises(RuntimeError, match=r"^more rows were asked for than were expected$"):
        pixels.gather(torch.tensor([1, 3]))


def test_what_was_fetched_is_pinned_whole_where_torchs_loader_pins() -> None:
    pinned = SimpleNamespace(pin_memory=lambda: "pinned")
    batch = pin_memory.pin_memory(fetched.Batch(pinned, pinned))  # type: ignore[arg-type]
    assert (batch.indices, batch.images) == ("pinned", "pinned")
    unread = fetched.Unread("gone")
    assert pin_memory.pin_memory(unread) is unread


def signal_worker(pid: int) -> None:
    """What goes to all processes of a job, to one that has begun: SIGTERM must end what its items start."""
    if sys.platform == "linux":
        assert signal.SIGTERM not in blocked_in(pid)
    for number in LEFT_TO_CONTROLLER:
        os.kill(pid, number)


def blocked_in(pid: int) -> set[int]:
    """Signals that wait until the process lets them."""
    [mask] = [line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "SigBlk" in line]
    return {number for number in range(1, 64) if int(mask, 16) >> (number - 1) & 1}


@pytest.mark.parametrize("kind", ["Items", "DrawsInVain"])
def test_fetching_leaves_the_default_generator_to_the_step(open_run: OpenRun, kind: str) -> None:
    def losses(load: str) -> list[float]:
        run = open_run(
            dataset=own("team_data:both", args={"kind": kind}, load=load, workers=0), model=model("Net", dropout=0.5)
        )
        return run.losses([[1, 2, 3], [4, 5, 6]]).tolist()

    assert losses("fetch") == losses("resident")


def test_what_does_not_fit_into_memory_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    definition = dataset_reference.definition("team_data:both")
    options = dataset_reference.Options(args=json.dumps({"kind": "Items"}))
    item_bytes = 12 * 12 * 4
    for free, kind in ((2 * 40 * item_bytes, "Part"), (2 * 40 * item_bytes - 2, "FetchedPart")):
        monkeypatch.setattr(dataset_reference, "free_host_bytes", lambda free=free: free)
        assert type(definition.load(Path(), options).train).__name__ == kind


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("both", {"args": {"kind": "Cropped"}}, "train item 0 differs from one reading to the next"),
        ("both", {"args": {"kind": "OneOfUs"}}, "train item 8 differs from one reading to the next"),
        ("both", {"args": {"kind": "OneOfUs"}, "load": "fetch", "workers": 0}, "train item 8 differs"),
        ("both", {"args": {"kind": "Relabelled"}, "load": "fetch", "workers": 0}, "train item 9 differs"),
        ("both", {"args": {"kind": "Broken"}}, "train item 17 could not be read: OSError: 17.png is truncated"),
        (
            "both",
            {"args": {"kind": "BadPixel"}},
            "train item 9: its image has the value nan in channel 0, row 2, column 5",
        ),
        (
            "bad_pixel",
            {"args": {"part": "test", "value": float("nan")}},
            "test item 3 has the value nan in channel 0, row",
        ),
        (
            "bad_pixel",
            {"args": {"part": "train", "value": float("-inf")}},
            "train item 3 has the value -inf in channel 0",
        ),
        ("both", {"args": {"kind": "Raises"}}, "train item 17 could not be read: ValueError: corrupt JPEG"),
        ("both", {"args": {"kind": "Exits"}, "load": "fetch", "workers": 0}, "item 17 could not be read: sys.exit(3)"),
        ("wide", {}, "uint8 [4, 12, 12, 5]"),
        ("negative", {}, "train item 0 has label -1"),
        ("texts", {}, "train labels are <U3, the first 'cat'; expected integers"),
        ("fractions", {}, "train labels are float64, the first 0.7; expected integers"),
        ("labelled", {"args": {"label": "fraction"}}, "train item 9: its label is 0.7; expected its class, an integer"),
        ("labelled", {"args": {"label": "whole"}}, "its label is 2.0; expected its class, an integer"),
        ("labelled", {"args": {"label": "digit"}}, "its label is '2'; expected its class, an integer"),
        ("labelled", {"args": {"label": "one-hot"}}, "its label is array([0, 0, 1]); expected its class"),
        ("labelled", {"args": {"label": "tensor"}}, "its label is tensor(0.7000); expected its class"),
        ("labelled", {"args": {"label": "missing"}}, "its label is None; expected its class"),
        ("labelled", {"args": {"label": "negative"}}, "its label is -1; expected its class, an integer from 0 to"),
        ("labelled", {"args": {"label": "huge"}}, "expected its class, an integer from 0 to"),
        ("with_names", {"args": {"class_names": 3}}, "class_names is a int; expected a list of names"),
        ("with_names", {"args": {"class_names": ["a", "b"]}}, "labels go up to 2, and there are 2 class names"),
        ("nan_statistics", {}, "mean [0.5] and std [nan]; expected 1 of each, finite"),
        ("uneven", {}, "40 images and 39 labels"),
        ("one", {}, "`testArgs`"),
        ("arrays", {"load": "elsewhere"}, "elsewhere"),
        ("no_dataset_at_all", {}, "what it gave could not be read: RuntimeError: I am not what I seem"),
        ("arrays", {"args": {"train": True}}, "unexpected keyword argument"),
    ],
)
def test_a_dataset_that_does_not_fit(open_run: OpenRun, name: str, options: dict[str, Any], says: str) -> None:
    refused = refusal(lambda: opened_with(open_run, name, **options))
    assert refused.code == ("bad_option" if options.get("load") == "elsewhere" else "bad_reference")
    assert says in refused.message


@pytest.mark.parametrize("workers", [0, 1])
def test_an_item_that_is_gone_later_fails_its_chunk(open_run: OpenRun, workers: int) -> None:
    run = opened_with(open_run, "both", args={"kind": "BreaksLater"}, load="fetch", workers=workers)
    refused = refusal(lambda: [run.losses([[1, 2], [20, 21]]) for _ in range(3)])
    assert refused.message == "team_data:both: train item 20 could not be read: OSError: 20.png is gone"
    assert multiprocessing.active_children() == []  # workers are ended at once


def test_an_item_that_changes_later_fails_its_chunk(open_run: OpenRun) -> None:
    run = opened_with(open_run, "both", args={"kind": "RelabelledLater"}, load="fetch", workers=0)
    assert np.isfinite(run.losses([[1, 2], [8, 10]])).all()
    assert "train item 9 differs from one reading to the next" in refusal(lambda: run.losses([[9]])).message


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("Unpicklable", "it cannot be sent to worker processes; take `workers: 0`"),
        ("Counted", "it cannot be sent to worker processes; take `workers: 0`"),
        ("WithGradient", "it cannot be sent to worker processes; take `workers: 0`"),
    ],
)
def test_what_cannot_be_sent_to_workers_is_refused_before_training(open_run: OpenRun, kind: str, says: str) -> None:
    refused = refusal(lambda: opened_with(open_run, "both", args={"kind": kind}, load="fetch", workers=1))
    assert refused.code == "bad_reference"
    assert "team_data:both" in refused.message
    assert says in refused.message


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (
            "DataLoader worker (pid(s) 31) exited unexpectedly",
            "bad_reference",
            "team:data: a worker process that fetches",
        ),
        ("DataLoader worker (pid 31) is killed by signal: Killed. ", "bad_reference", "is killed by signal: Killed"),
        (
            "DataLoader worker (pid 31) is killed by signal: Bus error. It is possible that dataloader's workers are "
            "out of shared memory. Please try to raise your shared memory limit.",
            "no_shared_memory",
            "/dev/shm has no room left for the images that 2 worker processes fetch",
        ),
        ("unable to write to file </torch_31_8_0>: No space left on device (28)", "no_shared_memory", "--shm-size"),
    ],
)
def test_how_lost_workers_are_told(text: str, code: str, says: str) -> None:
    told = workers_failed("team:data", 2, RuntimeError(text))
    assert (told.code, says in told.message) == (code, True), told.message


def test_whole_numbers_of_any_kind_are_labels(open_run: OpenRun) -> None:
    opened = opened_with(open_run, "integers").opened
    assert opened.arrays["labels"].tolist() == [index % 3 for index in range(40)]


def test_classes_are_named_by_text_and_bytes(open_run: OpenRun) -> None:
    assert list(opened_with(open_run, "bytes_names").host._session._data.class_names) == ["a", "b", "c"]


def test_names_of_many_classes_go_over_the_wire(open_run: OpenRun) -> None:
    opened = opened_with(open_run, "many_names").opened
    header, *frames = encode(opened)
    assert len(header) < MAX_HEADER_BYTES < sum(map(len, frames))
    names = json.loads(decode([header, *frames]).arrays["class_names"].tobytes())
    assert (len(names), names[39_999]) == (40_000, "class 39999 δ")


def test_mean_and_deviation_may_be_arrays() -> None:
    loaded = dataset_reference.definition("team_data:array_statistics").load(Path(), dataset_reference.Options())
    assert (loaded.mean, loaded.std) == ((0.5,), (0.25,))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "from_one",
            "no training sample has class 0: training labels go from 1 to 3, and classes are numbered from 0 on",
        ),
        ("train_twice", "every test image is a training image, too"),
        ("some_in_both", "3 of 5 test images are training images, too"),
        ("arrays", ""),
    ],
)
def test_what_is_told_of_a_dataset(open_run: OpenRun, name: str, says: str) -> None:
    notices = opened_with(open_run, name).opened.body.notices
    assert [says in notice for notice in notices] == ([True] if says else [])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("kind", ["float32", "uint8"])
def test_images_of_any_number_of_channels_are_trained_on(open_run: OpenRun, count: int, kind: str) -> None:
    if kind == "uint8" and count == 8:
        return
    run = opened_with(open_run, "channels", args={"count": count, "kind": kind})
    assert run.opened.body.input_shape == [count, 12, 12]
    assert np.isfinite(run.losses([[1, 2], [3, 4]])).all()


def test_crops_are_refused_for_float_images(open_run: OpenRun) -> None:
    from py_backend.messages import Augmentation

    dataset = own("team_data:tensors")
    assert open_run(dataset=dataset, augmentation=Augmentation(crop=0, flip=True)).losses([[1, 2]]).shape == (2,)
    refused = refusal(lambda: open_run(dataset=dataset, augmentation=Augmentation(crop=2, flip=False)))
    assert (refused.code, "crop 0" in refused.message) == ("bad_option", True)
