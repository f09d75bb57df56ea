"""Writes messages.json and damaged.json: docs/PROTOCOL.md as bytes, made without any code of this project.

    python test/vectors/make_vectors.py [DIRECTORY]

messages.json: what both sides encode to exactly these frames and decode from them (`decode_only`: only decode).
damaged.json: what both sides refuse, and with which code. A frame is hex, or {"before", "byte", "count", "after"}: one
byte repeated, and what stands before and after it.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import msgpack

FORMATS = {"u8": "B", "u32": "I", "i32": "i", "f32": "f", "f64": "d"}
DIGEST = "0123456789abcdef" * 4
OTHER_DIGEST = "f" * 64
NAN, INF = float("nan"), float("inf")


def frame(dtype, values):
    return struct.pack(f"<{len(values)}{FORMATS[dtype]}", *values)


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def entry_of(name, dtype, values, shape=None):
    """What the header says of an array: one dimension, unless a shape is given."""
    return {"name": name, "dtype": dtype, "shape": [len(values)] if shape is None else shape}


def header(kind, message_id, fields, arrays=()):
    """The header's map, in the order of the page: version, id, type, fields, arrays."""
    described = [entry_of(*array) for array in arrays]
    return {"version": 1, "id": message_id, "type": kind, **fields, "arrays": described}


def array_description(name, dtype, values, shape=None):
    described = entry_of(name, dtype, values, shape)
    plain = all(value == value and abs(value) != INF for value in values)
    if plain and dtype in ("u8", "u32", "i32"):
        return {**described, "values": list(values)}
    return {**described, "hex": frame(dtype, values).hex()}


def message(name, kind, message_id, fields, arrays=(), decode_only=False):
    frames = [pack(header(kind, message_id, fields, arrays)), *(frame(*array[1:3]) for array in arrays)]
    vector = {
        "name": name,
        "type": kind,
        "id": message_id,
        "fields": fields,
        "arrays": [array_description(*array) for array in arrays],
        "frames": [part.hex() for part in frames],
    }
    return {**vector, "decode_only": True} if decode_only else vector


# --- what is understood

OPEN = {
    "dataset": {"origin": "catalogue", "name": "digits", "options": {}},
    "data_dir": None,
    "model": {
        "origin": "catalogue",
        "name": "mnist-cnn",
        "options": {"padding": "same", "conv_dropout": 0.25, "fc_dropout": 0.5},
    },
    "loss": None,
    "optimizer": {"name": "sgd", "options": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.0005}},
    "augmentation": {"crop": 0, "flip": False},
    "precision": "float32",
    "channels_last": "auto",
    "equal_bits": False,
    "fast": True,
    "seed": 0,
    "model_seed": None,
    "owner": None,
}
OPTION = {"type": "float", "default": 0.5, "help": "a share", "choices": None, "minimum": 0.25, "maximum": 0.75}
CATALOGUE = {
    "models": [
        {
            "name": "net",
            "summary": "two layers; 1,234 parameters",
            "when_to_choose": "never",
            "options": {
                "padding": {
                    "type": "str",
                    "default": "none",
                    "help": "of the 2×2 convolutions",
                    "choices": ["none", "same"],
                    "minimum": None,
                    "maximum": None,
                },
                "fc_dropout": OPTION,
                "rate": {**OPTION, "default": 0.125, "minimum": -0.5, "maximum": None},
                "depth": {**OPTION, "type": "int", "default": 18, "minimum": None, "maximum": None},
                "bias": {**OPTION, "type": "bool", "default": True, "minimum": None, "maximum": None},
                "file": {**OPTION, "type": "str", "default": None, "minimum": None, "maximum": None},
            },
        }
    ],
    "datasets": [],
    "optimizers": [{"name": "sgd", "summary": "plain", "when_to_choose": "", "options": {}}],
}
HELLO_OK = {
    "instance": "00ff00ff00ff00ff",
    "backend_version": "0.1.0",
    "versions": {"python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6"},
    "platform": "Linux-6.1-x86_64",
    "device": "cpu",
    "device_name": "Prozessor № 1 ∞",
    "threads": 2,
    "precisions": {"float32": "", "bfloat16": "slower than float32 on this CPU"},
    "work_endpoint": "ipc:///tmp/ibatch-x/control.work",
    "limits": {"header_bytes": 262144, "message_bytes": 1073741824, "frames": 17, "sessions": 1},
    "catalogue": CATALOGUE,
}
OPEN_OK = {
    "session": "a1b2c3d4e5f60718",
    "instance": "00ff00ff00ff00ff",
    "device": "cuda:0",
    "device_name": "NVIDIA H100 80GB HBM3",
    "threads": 2,
    "versions": {"python": "3.11.7", "torch": "2.13.0+cu126", "cuda": "12.6", "cudnn": "91002", "driver": "550.54.15"},
    "platform": "Linux-6.1-x86_64",
    "n": 5,
    "test_count": 2,
    "input_shape": [1, 28, 28],
    "parameter_count": 11173962,
    "data_sha256": DIGEST,
    "initial_weights_sha256": OTHER_DIGEST,
    "settings": {
        "memory_format": "channels_last",
        "precision": "float32",
        "deterministic": True,
        "fused_updates": False,
        "recorded_steps": False,
        "dropout": [0.30078125, 0.5],
        "batch_norm_layers": 20,
    },
    "least_batch_size": 1,
    "imports": [],
    "code": [],
    "edited": [],
    "notices": [],
}
TRAIN = {"session": "s", "first_step": 0, "sha256": DIGEST, "signals": ["loss"], "micro_batch": None, "average": None}
TRAIN_ARRAYS = [
    ("indices", "u32", [3, 0, 4, 1, 2]),
    ("offsets", "u32", [0, 2, 5]),
    ("learning_rates", "f64", [0.1, 0.05]),
]
TRAIN_OK = {"session": "s", "first_step": 0, "batches_done": 2, "indices_sha256": DIGEST, "seconds": 0.125}
LOSSES = ("loss", "f32", [0.5, -0.0, NAN, INF, -INF])
LOOKED = {"session": "s", "indices_sha256": DIGEST, "seconds": 0.0625}
IMAGES = {"session": "s", "part": "train"}
IMAGES_OK = {"session": "s", "indices_sha256": DIGEST}
GREY = ("images", "u8", list(range(12)), [2, 2, 3, 1])
CONFLICT = {
    "code": "step_conflict",
    "message": "a chunk from step 2 came, the session stands at step 4",
    "details": {"step": 4},
}


def messages():
    yield message("hello", "hello", 1, {"client": "ibatch"})
    yield message("hello: text in other scripts", "hello", 2**32 - 1, {"client": "Größe 訓練 \U0001f9ea"})
    yield message("hello: empty text", "hello", 127, {"client": ""})
    yield message("hello: 31 characters, 33 bytes", "hello", 128, {"client": "x" * 29 + "éé"})
    yield message("hello: 32 characters", "hello", 255, {"client": "x" * 32})
    yield message("hello: 256 characters", "hello", 256, {"client": "x" * 256})
    yield message("hello: 4096 characters", "hello", 65535, {"client": "x" * 4096})
    yield message("hello: 4096 characters of 4 bytes", "hello", 65536, {"client": "\U0001f9ea" * 4096})
    yield message("hello_ok", "hello_ok", 1, HELLO_OK)
    crowded = {f"library_{number}": str(number) for number in range(40)}
    yield message("hello_ok: a map of 40", "hello_ok", 1, {**HELLO_OK, "versions": crowded})
    yield message("ping without a session", "ping", 7, {"session": None})
    yield message("ping", "ping", 8, {"session": "a1b2c3d4e5f60718"})
    yield message("ping_ok", "ping_ok", 8, {"instance": "00ff00ff00ff00ff"})
    yield message("status", "status", 9, {"session": None})
    yield message("status of a session", "status", 9, {"session": "s-1"})
    idle = {"state": "idle", "session_open": False, "step": 0, "seconds_since_progress": 0.25, "peak_bytes": 0}
    yield message("status_ok: idle", "status_ok", 9, idle)
    busy = {
        "state": "working",
        "session_open": True,
        "step": 2**32 - 1,
        "seconds_since_progress": 1e-9,
        "peak_bytes": 2**32 - 1,
    }
    yield message("status_ok: working", "status_ok", 9, busy)
    yield message("status_ok: a GPU of today", "status_ok", 9, {**busy, "peak_bytes": 2**40}, decode_only=True)
    yield message(
        "status_ok: a whole number of seconds as int",
        "status_ok",
        9,
        {**idle, "seconds_since_progress": 3},
        decode_only=True,
    )
    yield message(
        "status_ok: a whole number of seconds as float 64",
        "status_ok",
        9,
        {**idle, "seconds_since_progress": 3.0},
        decode_only=True,
    )
    yield message("cancel", "cancel", 10, {"session": "s"})
    yield message("cancel_ok", "cancel_ok", 10, {"working": True})
    yield message("cancel_ok: nothing under way", "cancel_ok", 10, {"working": False})
    yield message("shutdown", "shutdown", 11, {"session": None})
    yield message("shutdown while a session is open", "shutdown", 11, {"session": "s-1"})
    yield message("shutdown_ok", "shutdown_ok", 11, {})

    yield message("open", "open", 1, OPEN)
    full = {
        "dataset": {
            "origin": "catalogue",
            "name": "cifar10",
            "options": {"list": [1, -1, -33, 70000, 0.5, None, "x", {"deep_key": []}]},
        },
        "data_dir": "/data/Bilder – neu",
        "model": {"origin": "catalogue", "name": "resnet18", "options": {}},
        "loss": {"origin": "catalogue", "name": "cross-entropy", "options": {"label_smoothing": 0.125}},
        "optimizer": {"name": "adamw", "options": {"beta1": 0.9}},
        "augmentation": {"crop": 64, "flip": True},
        "precision": "bfloat16",
        "channels_last": "off",
        "equal_bits": True,
        "fast": False,
        "seed": 2**32 - 1,
        "model_seed": 7,
        "owner": "c0ffee00c0ffee00",
    }
    yield message("open with all that can be said", "open", 2, full)
    # What is in args belongs to the user: it travels as its text.
    args = '{"num_classes":10,"inChannels":3,"scale":1.0,"mask":18446744073709551617,"deep":{"Wide":[NaN,{"aB":null}]}}'
    loaded = {"args": args, "test_args": '{"isTrain":false}', "load": "fetch", "workers": 2}
    own = {
        **OPEN,
        "dataset": {"origin": "import", "name": "team.data:load", "options": loaded},
        "model": {"origin": "import", "name": "team.models:Net.small", "options": {"args": args}},
        "loss": {"origin": "import", "name": "team.losses:focal", "options": {"args": '{"Gamma":2.5}'}},
    }
    yield message("open with what the user brings", "open", 3, own)
    yield message("open in tf32", "open", 4, {**OPEN, "precision": "tf32"})
    names = ("class_names", "u8", [*'["zero", "eins", "δύο"]'.encode()])
    labels = [("labels", "u32", [0, 1, 2, 1, 2**32 - 1]), ("test_labels", "u32", [2, 0]), names]
    yield message("open_ok", "open_ok", 1, OPEN_OK, labels)
    imported = {"reference": "team.models:Net", "file": "/home/tëam/models.py", "version": "1.2", "sha256": DIGEST}
    unknown = {**imported, "file": None, "version": None, "sha256": None}
    own_ok = {
        **OPEN_OK,
        "least_batch_size": 2,
        "imports": [imported, unknown],
        "code": [{"module": "team.models", "file": "/home/tëam/models.py", "sha256": DIGEST}],
        "edited": ["/home/tëam/models.py"],
        "notices": ["noise ✓", "frozen"],
    }
    yield message("open_ok with imports and notices", "open_ok", 3, own_ok, labels)
    bare = {**OPEN_OK["settings"], "dropout": [], "batch_norm_layers": 0}
    none = {**OPEN_OK, "n": 0, "test_count": 0, "settings": bare}
    nothing = [("labels", "u32", []), ("test_labels", "u32", []), ("class_names", "u8", [*b"[]"])]
    yield message("open_ok: nothing in it", "open_ok", 1, none, nothing)

    others = [("indices", "u32", [3, 0]), ("labels", "u32", [1, 2])]
    yield message("relabel", "relabel", 2, {"session": "s"}, others)
    yield message("relabel_ok", "relabel_ok", 2, {"session": "s"})

    yield message("train", "train", 3, TRAIN, TRAIN_ARRAYS)
    weighted = {**TRAIN, "first_step": 70000, "signals": ["prediction", "loss", "correct"], "micro_batch": 1}
    yield message(
        "train with weights and micro-batches",
        "train",
        4,
        weighted,
        [*TRAIN_ARRAYS, ("weights", "f32", [1.0, 0.0, 0.5, NAN, INF])],
    )
    for name, average in (
        ("a uniform mean", {"from_step": 0, "decay": None}),
        ("an exponential mean", {"from_step": 2**32 - 1, "decay": 0.999}),
    ):
        yield message(f"train with {name}", "train", 5, {**TRAIN, "average": average}, TRAIN_ARRAYS)
    yield message("train: arrays in another order", "train", 5, TRAIN, TRAIN_ARRAYS[::-1], decode_only=True)
    yield message(
        "train: empty arrays",
        "train",
        6,
        {**TRAIN, "micro_batch": 2**32 - 1},
        [(name, dtype, []) for name, dtype, _ in TRAIN_ARRAYS],
    )
    yield message(
        "train: awkward rates",
        "train",
        7,
        TRAIN,
        [*TRAIN_ARRAYS[:2], ("learning_rates", "f64", [NAN, -0.0, INF, 5e-324])],
    )
    yield message("train_ok", "train_ok", 3, TRAIN_OK, [LOSSES])
    signals = [LOSSES, ("correct", "u8", [0, 1, 1, 0, 255]), ("prediction", "u32", [0, 9, 2**32 - 1, 1, 2])]
    yield message("train_ok: all signals", "train_ok", 4, {**TRAIN_OK, "first_step": 70000}, signals)
    extra = [
        ("margin", "f32", [-1.5, 0.0, 1e4, NAN, 2.0**-149]),
        ("entropy", "f32", [0.0, 0.6931471824645996, 2.3025850929940457, NAN, 1e-7]),
        ("el2n", "f32", [0.0, 1.4142135381698608, 0.5, NAN, 0.25]),
    ]
    told = {**TRAIN, "signals": ["margin", "entropy", "el2n"]}
    yield message("train asking for margin, entropy and el2n", "train", 8, told, TRAIN_ARRAYS)
    yield message("train_ok: margin, entropy and el2n", "train_ok", 8, TRAIN_OK, extra)
    yield message("train_ok: every signal there is", "train_ok", 9, TRAIN_OK, [*signals, *extra])
    turned = [*extra[::-1], *signals]
    yield message("train_ok: every signal in another order", "train_ok", 9, TRAIN_OK, turned, decode_only=True)
    yield message("train_ok: nothing done", "train_ok", 5, {**TRAIN_OK, "batches_done": 0}, [("loss", "f32", [])])
    yield message(
        "score",
        "score",
        1,
        {"session": "s", "signals": ["loss"], "batch_size": 1},
        [("indices", "u32", [0, 2**32 - 1])],
    )
    yield message("score_ok", "score_ok", 1, LOOKED, [LOSSES])
    yield message("score_ok: loss and el2n", "score_ok", 2, LOOKED, [LOSSES, extra[2]])
    evaluate = {
        "session": "s",
        "part": "test",
        "norm": "running",
        "weights": "last",
        "signals": ["correct", "loss"],
        "batch_size": 2**32 - 1,
    }
    yield message("evaluate on the test part", "evaluate", 1, evaluate, [("indices", "u32", [])])
    yield message(
        "evaluate on the training part", "evaluate", 1, {**evaluate, "part": "train"}, [("indices", "u32", [1])]
    )
    over_batches = {**evaluate, "norm": "batch", "batch_size": 2}
    shuffled = ("indices", "u32", [3, 0, 2, 1])
    yield message("evaluate with the statistics of the batch", "evaluate", 2, over_batches, [shuffled])
    reestimated = {**over_batches, "norm": "reestimated", "signals": ["loss"]}
    calibration = ("calibration", "u32", [7, 2**32 - 1, 0])
    averaged = {**reestimated, "weights": "averaged"}
    yield message("evaluate averaged weights", "evaluate", 4, averaged, [shuffled, calibration])
    yield message("evaluate with calibration", "evaluate", 3, reestimated, [shuffled, calibration])
    yield message(
        "evaluate with calibration first", "evaluate", 3, reestimated, [calibration, shuffled], decode_only=True
    )
    yield message("evaluate_ok", "evaluate_ok", 1, LOOKED, signals[:2])
    yield message("evaluate_ok: margin and entropy", "evaluate_ok", 2, LOOKED, extra[:2])
    yield message("images of the training part", "images", 10, IMAGES, [("indices", "u32", [5, 2**32 - 1, 5])])
    yield message("images: none", "images", 11, {**IMAGES, "part": "test"}, [("indices", "u32", [])])
    yield message("images_ok: two grey ones, 2 high and 3 wide", "images_ok", 10, IMAGES_OK, [GREY])
    colour = ("images", "u8", [0, 255, 1, 254, 2, 253], [1, 2, 1, 3])
    yield message("images_ok: one in colour, 2 high and 1 wide", "images_ok", 11, IMAGES_OK, [colour])
    yield message("images_ok: none", "images_ok", 12, IMAGES_OK, [("images", "u8", [], [0, 28, 28, 1])])
    yield message("weights", "weights", 12, {"session": "s"})
    state = {"session": "s", "step": 7, "tensors": [{"name": "fc.bias", "shape": [2]}, {"name": "t", "shape": []}]}
    yield message("weights_ok", "weights_ok", 12, state, [("values", "f32", [0.5, NAN, -INF])])
    yield message("save", "save", 13, {"session": "s", "step": 7, "part": 0})
    saved = {"session": "s", "step": 7, "part": 1, "parts": 2, "sha256": DIGEST, "total_bytes": 5, "notices": []}
    yield message("save_ok", "save_ok", 13, saved, [("bytes", "u8", [0, 255])])
    large = {**saved, "part": 0, "parts": 2**32 - 1, "total_bytes": 2**53 - 1, "notices": ["count is not in it ✗"]}
    yield message("save_ok: of the largest state", "save_ok", 14, large, [("bytes", "u8", [])], decode_only=True)
    loaded = {"session": "s", "step": 2**32 - 1, "part": 0, "parts": 1, "sha256": OTHER_DIGEST}
    yield message("load", "load", 15, loaded, [("bytes", "u8", [1, 2, 3])])
    yield message("load_ok", "load_ok", 15, {"session": "t", "step": 2**32 - 1, "part": 0})
    yield message("close", "close", 12, {"session": "s"})
    yield message("close_ok", "close_ok", 12, {})

    yield message("error", "error", 3, CONFLICT)
    yield message(
        "error: the header could not be read",
        "error",
        0,
        {"code": "bad_message", "message": "the header is not MessagePack", "details": {}},
    )
    details = {"path": "/tmp/Ä", "known": ["a", "b"], "size": 0.5, "found": False, "none": None, "seen_shape": {"n": 1}}
    yield message(
        "error: all kinds of details",
        "error",
        4,
        {"code": "data_damaged", "message": "train-images: 3 bytes", "details": details},
    )
    yield message(
        "error: a code of a later version", "error", 5, {"code": "not_yet_thought_of", "message": "", "details": {}}
    )


# --- what is refused

HELLO = header("hello", 1, {"client": "x"})
TRAIN_HEADER = header("train", 1, TRAIN, TRAIN_ARRAYS)
TRAIN_FRAMES = [frame(dtype, values) for _, dtype, values in TRAIN_ARRAYS]
STATUS_OK = header(
    "status_ok",
    1,
    {"state": "idle", "session_open": False, "step": 0, "seconds_since_progress": 0.25, "peak_bytes": 0},
)
OPEN_HEADER = header("open", 1, OPEN)
OPEN_OK_ARRAYS = [("labels", "u32", [1]), ("test_labels", "u32", [1]), ("class_names", "u8", [*b"[]"])]
OPEN_OK_HEADER = header("open_ok", 1, OPEN_OK, OPEN_OK_ARRAYS)
LABEL_FRAMES = [frame(dtype, values) for _, dtype, values in OPEN_OK_ARRAYS]
EVALUATE = {
    "session": "s",
    "part": "test",
    "norm": "reestimated",
    "weights": "last",
    "signals": ["loss"],
    "batch_size": 2,
}
EVALUATE_ARRAYS = [("indices", "u32", [1, 0]), ("calibration", "u32", [5, 6])]
EVALUATE_HEADER = header("evaluate", 1, EVALUATE, EVALUATE_ARRAYS)
EVALUATE_FRAMES = [frame(dtype, values) for _, dtype, values in EVALUATE_ARRAYS]


def without(value, key):
    return {name: inner for name, inner in value.items() if name != key}


def renamed(value, old, new):
    return {new if name == old else name: inner for name, inner in value.items()}


def with_arrays(*described):
    return {**TRAIN_HEADER, "arrays": list(described)}


def refused(name, code, head, frames=()):
    """head: a map to pack, bytes, or the repeated form."""
    first = head if isinstance(head, (bytes, Repeated)) else pack(head)
    return {"name": name, "code": code, "frames": [hex_form(part) for part in (first, *frames)]}


class Repeated(dict):
    def __init__(self, byte, count, before=b"", after=b""):
        super().__init__(before=before.hex(), byte=byte, count=count, after=after.hex())


def hex_form(part):
    return part if isinstance(part, Repeated) else part.hex()


def train(**changes):
    return {**TRAIN_HEADER, **changes}


def opened(**changes):
    return {**OPEN_HEADER, **changes}


def damaged():
    yield refused("18 frames", "too_large", HELLO, [b""] * 17)
    yield refused("a header of 262,145 bytes", "too_large", Repeated("c0", 262145))
    yield refused("a message above 1 GiB", "too_large", TRAIN_HEADER, [*TRAIN_FRAMES[:2], Repeated("00", 2**30)])
    yield refused("too many frames, and not MessagePack", "too_large", b"\xc1", [b""] * 17)
    yield refused(
        "too long, and of another version", "too_large", Repeated("c0", 262144, before=pack({**HELLO, "version": 2}))
    )

    yield {"name": "no frames", "code": "bad_message", "frames": []}
    yield refused("an empty header", "bad_message", b"")
    yield refused("a truncated header", "bad_message", pack(HELLO)[:-1])
    yield refused("a header cut within a name", "bad_message", pack(HELLO)[:5])
    yield refused("a byte behind the header", "bad_message", pack(HELLO) + b"\xc0")
    yield refused("two headers in a frame", "bad_message", pack(HELLO) * 2)
    yield refused("the byte that MessagePack never uses", "bad_message", b"\xc1")
    yield refused("a list", "bad_message", pack([1, 2, 3]))
    yield refused("an integer", "bad_message", pack(1))
    yield refused("nil", "bad_message", pack(None))
    yield refused("a string", "bad_message", pack("hello"))
    yield refused("integer keys", "bad_message", pack({1: "hello"}))
    yield refused("one key of bytes", "bad_message", pack({**HELLO, b"more": 1}))
    yield refused("a key of nil", "bad_message", pack({None: 1, **HELLO}))
    yield refused("a list as key", "bad_message", b"\x81\x91\x01\xc0")
    yield refused("a map as key", "bad_message", b"\x81\x81\xa1a\x01\xc0")
    yield refused("nested 100,000 deep", "bad_message", Repeated("91", 100000, before=b"\x81\xa1x", after=b"\xc0"))
    yield refused("a map that promises 2^32-1 entries", "bad_message", b"\xdf\xff\xff\xff\xff\xa1x\xc0")
    yield refused("a string that promises 2^32-1 bytes", "bad_message", b"\x81\xdb\xff\xff\xff\xffx")
    yield refused("an extension type", "bad_message", pack({**HELLO, "client": msgpack.ExtType(5, b"x")}))
    yield refused("a byte behind, and of another version", "bad_message", pack({**HELLO, "version": 2}) + b"\x00")

    yield refused("no version", "bad_version", without(HELLO, "version"))
    yield refused("an empty map", "bad_version", {})
    for name, version in (
        ("2", 2),
        ("0", 0),
        ("-1", -1),
        ("'1'", "1"),
        ("true", True),
        ("nil", None),
        ("[1]", [1]),
        ("{}", {}),
        ("1.5", 1.5),
    ):
        yield refused(f"version {name}", "bad_version", {**HELLO, "version": version})
    yield refused("of another version and type", "bad_version", {**HELLO, "version": 2, "type": "greet"})

    yield refused("no type", "unknown_type", without(HELLO, "type"))
    for name, kind in (
        ("greet", "greet"),
        ("empty", ""),
        ("Hello", "Hello"),
        ("nil", None),
        ("1", 1),
        ("a list", ["hello"]),
        ("toString", "toString"),
        ("__proto__", "__proto__"),
    ):
        yield refused(f"type {name}", "unknown_type", {**HELLO, "type": kind})
    yield refused("unknown type and no id", "unknown_type", without({**HELLO, "type": "greet"}, "id"))

    yield refused("no id", "bad_field", without(HELLO, "id"))
    yield refused("id 0 of a request", "bad_field", {**HELLO, "id": 0})
    yield refused("id 0 of a request for work", "bad_field", train(id=0), TRAIN_FRAMES)
    for name, number in (("'1'", "1"), ("nil", None), ("-1", -1), ("2^32", 2**32), ("true", True), ("1.5", 1.5)):
        yield refused(f"id {name}", "bad_field", {**HELLO, "id": number})
    yield refused("a field is missing", "bad_field", without(HELLO, "client"))
    yield refused(
        "a field that has no value is left out", "bad_field", without(TRAIN_HEADER, "micro_batch"), TRAIN_FRAMES
    )
    yield refused("an unknown field", "bad_field", {**HELLO, "colour": "red"})
    yield refused("a field called __proto__", "bad_field", {**HELLO, "__proto__": {"client": "y"}})
    yield refused("a field in camelCase", "bad_field", renamed(TRAIN_HEADER, "first_step", "firstStep"), TRAIN_FRAMES)
    yield refused("a field in both cases", "bad_field", train(firstStep=0), TRAIN_FRAMES)
    yield refused("an integer for a string", "bad_field", {**HELLO, "client": 5})
    yield refused("nil for a string", "bad_field", {**HELLO, "client": None})
    yield refused("bytes for a string", "bad_field", {**HELLO, "client": b"x"})
    yield refused("a time for a string", "bad_field", {**HELLO, "client": msgpack.Timestamp(1)})
    yield refused("a string of 4,097 characters", "bad_field", {**HELLO, "client": "x" * 4097})
    yield refused("a string for an integer", "bad_field", train(first_step="0"), TRAIN_FRAMES)
    yield refused("true for an integer", "bad_field", train(first_step=True), TRAIN_FRAMES)
    yield refused("1.5 for an integer", "bad_field", train(first_step=1.5), TRAIN_FRAMES)
    yield refused("a negative integer", "bad_field", train(first_step=-1), TRAIN_FRAMES)
    yield refused("2^32", "bad_field", train(first_step=2**32), TRAIN_FRAMES)
    yield refused("2^64-1", "bad_field", train(first_step=2**64 - 1), TRAIN_FRAMES)
    yield refused("0 where 1 is the least", "bad_field", train(micro_batch=0), TRAIN_FRAMES)
    yield refused("1 for a bool", "bad_field", header("cancel_ok", 1, {"working": 1}))
    for name, seconds in (("NaN", NAN), ("infinite", INF), ("negative", -0.5), ("a string of", "1"), ("nil", None)):
        yield refused(f"{name} seconds", "bad_field", {**STATUS_OK, "seconds_since_progress": seconds})
    yield refused("a state that there is not", "bad_field", {**STATUS_OK, "state": "asleep"})
    for name, digest in (
        ("63 digits", "0" * 63),
        ("65 digits", "0" * 65),
        ("upper case", "A" * 64),
        ("a line end behind", "0" * 64 + "\n"),
        ("not hex", "g" * 64),
    ):
        yield refused(f"sha256: {name}", "bad_field", train(sha256=digest), TRAIN_FRAMES)
    for name, signals in (
        ("none", []),
        ("unknown", ["loss", "influence"]),
        ("one twice", ["loss", "loss"]),
        ("a string", "loss"),
        ("nil", None),
    ):
        yield refused(f"signals: {name}", "bad_field", train(signals=signals), TRAIN_FRAMES)
    yield refused("crop 65", "bad_field", opened(augmentation={"crop": 65, "flip": False}))
    yield refused("a precision that there is not", "bad_field", opened(precision="float16"))
    yield refused("a memory format that there is not", "bad_field", opened(channels_last="on"))
    yield refused("an unknown field within", "bad_field", opened(augmentation={"crop": 0, "flip": False, "turn": 1}))
    yield refused("a field missing within", "bad_field", opened(model={"origin": "catalogue", "name": "net"}))
    yield refused("an origin that there is not", "bad_field", opened(model={**OPEN["model"], "origin": "url"}))
    yield refused("integer keys within", "bad_field", opened(model={**OPEN["model"], "options": {1: 2}}))
    yield refused("a list for a map", "bad_field", opened(dataset=["digits", {}]))
    yield refused("an integer in a list of strings", "bad_field", {**OPEN_OK_HEADER, "notices": ["a", 1]}, LABEL_FRAMES)
    yield refused(
        "negative in a list of integers", "bad_field", {**OPEN_OK_HEADER, "input_shape": [1, -28, 28]}, LABEL_FRAMES
    )
    settings = OPEN_OK["settings"]
    for name, changed in (
        ("missing", without(settings, "batch_norm_layers")),
        ("negative", {**settings, "batch_norm_layers": -1}),
        ("a bool", {**settings, "batch_norm_layers": True}),
        ("nil", {**settings, "batch_norm_layers": None}),
    ):
        head = {**OPEN_OK_HEADER, "settings": changed}
        yield refused(f"batch_norm_layers: {name}", "bad_field", head, LABEL_FRAMES)
    yield refused("evaluate without a norm", "bad_field", without(EVALUATE_HEADER, "norm"), EVALUATE_FRAMES)
    for name, norm in (
        ("that there is not", "population"),
        ("in upper case", "Batch"),
        ("nil", None),
        ("of 0", 0),
        ("a list", ["batch"]),
    ):
        yield refused(f"a norm {name}", "bad_field", {**EVALUATE_HEADER, "norm": norm}, EVALUATE_FRAMES)
    yield refused("evaluate without weights", "bad_field", without(EVALUATE_HEADER, "weights"), EVALUATE_FRAMES)
    yield refused("weights that there are not", "bad_field", {**EVALUATE_HEADER, "weights": "mean"}, EVALUATE_FRAMES)
    for name, average in (
        ("a decay of 0", {"from_step": 0, "decay": 0}),
        ("a decay of 1", {"from_step": 0, "decay": 1}),
        ("a decay that is text", {"from_step": 0, "decay": "0.9"}),
        ("no decay", {"from_step": 0}),
        ("a negative step", {"from_step": -1, "decay": None}),
    ):
        yield refused(f"train with {name}", "bad_field", train(average=average), TRAIN_FRAMES)
    score = {"session": "s", "signals": ["loss"], "batch_size": 2}
    normed = header("score", 1, {**score, "norm": "running"}, EVALUATE_ARRAYS[:1])
    yield refused("score with a norm", "bad_field", normed, EVALUATE_FRAMES[:1])
    yield refused("arrays missing", "bad_field", without(HELLO, "arrays"))
    yield refused("arrays nil", "bad_field", {**HELLO, "arrays": None})
    yield refused("arrays a map", "bad_field", {**HELLO, "arrays": {}})
    yield refused("an array's entry a string", "bad_field", {**HELLO, "arrays": ["indices"]}, [b""])
    entry = {"name": "indices", "dtype": "u32", "shape": [5]}
    more = TRAIN_HEADER["arrays"][1:]
    for name, changed in (
        ("with an unknown key", {**entry, "order": "C"}),
        ("without a dtype", without(entry, "dtype")),
        ("with a shape that is a number", {**entry, "shape": 5}),
        ("with a shape of strings", {**entry, "shape": ["5"]}),
        ("with a shape of 1.5", {**entry, "shape": [1.5]}),
        ("with a shape of true", {**entry, "shape": [True]}),
        ("with a dtype that is a number", {**entry, "dtype": 32}),
    ):
        yield refused(f"an array's entry {name}", "bad_field", with_arrays(changed, *more), TRAIN_FRAMES)
    yield refused(
        "a field missing and an array too short",
        "bad_field",
        without(TRAIN_HEADER, "session"),
        [TRAIN_FRAMES[0][:-1], *TRAIN_FRAMES[1:]],
    )
    yield refused(
        "a wrong field and an unknown array",
        "bad_field",
        {**HELLO, "client": 1, "arrays": [{"name": "x", "dtype": "u8", "shape": [0]}]},
        [b""],
    )

    yield refused("a frame more than arrays", "bad_array", TRAIN_HEADER, [*TRAIN_FRAMES, b""])
    yield refused("a frame less than arrays", "bad_array", TRAIN_HEADER, TRAIN_FRAMES[:-1])
    yield refused("a frame where no array belongs", "bad_array", HELLO, [b""])
    yield refused(
        "an array where none belongs",
        "bad_array",
        {**HELLO, "arrays": [{"name": "indices", "dtype": "u32", "shape": [0]}]},
        [b""],
    )
    yield refused("an array missing", "bad_array", with_arrays(*TRAIN_HEADER["arrays"][:2]), TRAIN_FRAMES[:2])
    yield refused("no arrays", "bad_array", with_arrays(), [])
    for name, changed in (
        ("unknown", {**entry, "name": "labels"}),
        ("called __proto__", {**entry, "name": "__proto__"}),
        ("of an unknown dtype", {**entry, "dtype": "i64"}),
        ("of a dtype called toString", {**entry, "dtype": "toString"}),
        ("of another dtype of the same size", {**entry, "dtype": "i32"}),
        ("in numpy's name of the dtype", {**entry, "dtype": "<u4"}),
        ("of two dimensions", {**entry, "shape": [1, 5]}),
        ("of no dimension", {**entry, "shape": []}),
        ("of negative length", {**entry, "shape": [-5]}),
        ("longer than its frame", {**entry, "shape": [6]}),
        ("shorter than its frame", {**entry, "shape": [4]}),
        ("of 2^30 elements: 2^32 bytes", {**entry, "shape": [2**30]}),
        ("of 2^62 elements: 2^64 bytes", {**entry, "shape": [2**62]}),
        ("of 2^64-1 elements", {**entry, "shape": [2**64 - 1]}),
        ("of -2^63 elements", {**entry, "shape": [-(2**63)]}),
    ):
        yield refused(f"an array {name}", "bad_array", with_arrays(changed, *more), TRAIN_FRAMES)
    for name, signal in (("el2n as f64", ("el2n", "f64", [0.5])), ("an unknown signal", ("influence", "f32", [0.5]))):
        yield refused(name, "bad_array", header("score_ok", 1, LOOKED, [signal]), [frame(*signal[1:])])
    for dtype in ("i32", "f32", "f64", "u8"):
        arrays = [EVALUATE_ARRAYS[0], ("calibration", dtype, [5, 6])]
        yield refused(
            f"calibration as {dtype}",
            "bad_array",
            header("evaluate", 1, EVALUATE, arrays),
            [EVALUATE_FRAMES[0], frame(dtype, [5, 6])],
        )
    twice = [*EVALUATE_ARRAYS, EVALUATE_ARRAYS[1]]
    yield refused(
        "calibration twice",
        "bad_array",
        header("evaluate", 1, EVALUATE, twice),
        [*EVALUATE_FRAMES, EVALUATE_FRAMES[1]],
    )
    alone = header("evaluate", 1, EVALUATE, EVALUATE_ARRAYS[1:])
    yield refused("calibration without indices", "bad_array", alone, EVALUATE_FRAMES[1:])
    yield refused("calibration whose frame is missing", "bad_array", EVALUATE_HEADER, EVALUATE_FRAMES[:1])
    yield refused("score with calibration", "bad_array", header("score", 1, score, EVALUATE_ARRAYS), EVALUATE_FRAMES)
    yield refused(
        "2^62 elements and an empty frame",
        "bad_array",
        with_arrays({**entry, "shape": [2**62]}, *more),
        [b"", *TRAIN_FRAMES[1:]],
    )
    for name, shape in (
        ("of one dimension", [12]),
        ("of three dimensions", [2, 2, 3]),
        ("of five dimensions", [2, 2, 3, 1, 1]),
        ("of more pixels than their frame", [2, 2, 3, 3]),
        ("of fewer pixels than their frame", [1, 2, 3, 1]),
        ("of none, with a frame of 12 bytes", [0, 2, 3, 1]),
        ("of two negative sizes", [-2, -2, 3, 1]),
        ("of 2^32 times 2^32 images: 0 in 64 bits", [2**32, 2**32, 1, 1]),
        ("of sizes that overflow a float 64 one by one", [2**64 - 1] * 4),
    ):
        changed = header("images_ok", 1, IMAGES_OK, [(*GREY[:3], shape)])
        yield refused(f"images {name}", "bad_array", changed, [frame(*GREY[1:3])])
    for name, shape in (
        ("of 2^32 times 2^32, in an empty frame", [2**32, 2**32, 1, 1]),
        ("of 2^63 times 2, in an empty frame", [2**63, 2, 1, 1]),
        ("none of them, each beyond any memory", [0, 2**32 - 1, 2**32 - 1, 1]),
        ("none of them, each larger than a message", [0, 2**15, 2**15, 2]),
        ("none of them, and of a negative size", [0, -1, 1, 1]),
    ):
        yield refused(
            f"images {name}", "bad_array", header("images_ok", 1, IMAGES_OK, [("images", "u8", [], shape)]), [b""]
        )
    wide = ("images", "u32", [0] * 12, GREY[3])
    yield refused("images as u32", "bad_array", header("images_ok", 1, IMAGES_OK, [wide]), [frame(*wide[1:3])])
    yield refused("no images", "bad_array", header("images_ok", 1, IMAGES_OK))
    square = ("indices", "u32", [0, 1, 2, 3], [2, 2])
    yield refused(
        "images asked for in two dimensions",
        "bad_array",
        header("images", 1, IMAGES, [square]),
        [frame(*square[1:3])],
    )
    yield refused("images of another part", "bad_field", header("images", 1, {**IMAGES, "part": "validation"}))
    yield refused(
        "an array in camelCase",
        "bad_array",
        with_arrays(*TRAIN_HEADER["arrays"][:2], {**TRAIN_HEADER["arrays"][2], "name": "learningRates"}),
        TRAIN_FRAMES,
    )
    yield refused(
        "an array twice", "bad_array", with_arrays(*TRAIN_HEADER["arrays"], entry), [*TRAIN_FRAMES, TRAIN_FRAMES[0]]
    )
    yield refused(
        "a frame that is no whole number of elements",
        "bad_array",
        TRAIN_HEADER,
        [TRAIN_FRAMES[0] + b"\x00", *TRAIN_FRAMES[1:]],
    )


def as_lines(vectors):
    """A list with a line for each vector."""
    return "[\n" + ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors) + "\n]\n"


def main():
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, vectors in (("messages", messages()), ("damaged", damaged())):
        (directory / f"{name}.json").write_text(as_lines(vectors), encoding="utf-8")


if __name__ == "__main__":
    main()
