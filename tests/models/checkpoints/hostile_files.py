"""Files made to harm whoever opens them: by name, a function that writes one. None is dangerous to keep."""

import builtins
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.models.checkpoints.pickles import Persistent, easy, module_state, persistent_network, write_pickle

TRACE = "trace-of-a-hostile-file"
"""The file that every payload tries to leave in the working directory."""
COMMAND = f"touch {TRACE}"
STOP = b"."
HEAD = b"\x80\x04"


class Calls:
    """Pickled as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def text(content: str) -> bytes:
    """The opcode that pushes a text."""
    return b"X" + struct.pack("<I", len(content.encode())) + content.encode()


def stack_global(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def called(name: bytes, *arguments: bytes) -> bytes:
    """A pickle that calls `name` with pushed arguments."""
    return HEAD + name + b"(" + b"".join(arguments) + b"tR" + STOP


def legacy_storage(element: bytes = b"ctorch\nFloatStorage\n", count: int = 4, held: int = 4) -> bytes:
    """What torch.save once wrote for one storage: `count` elements declared, `held` there."""
    pickled = pickle.dumps(torch.zeros(4), protocol=4)
    start = pickled.index(b"\x80\x02\x8a\n")
    content = pickled[start : start + int.from_bytes(pickled[start - 4 : start], "little")]
    assert content.count(b"ctorch\nFloatStorage\n") == 1
    body, elements = content[: -8 - 16], bytes(4 * held)
    return body.replace(b"ctorch\nFloatStorage\n", element) + struct.pack("<q", count) + elements


def nested(storage: bytes) -> bytes:
    """A pickle that opens a nested storage."""
    data = b"B" + struct.pack("<I", len(storage)) + storage
    return called(stack_global("torch.storage", "_load_from_bytes"), data)


def tensor(size: str, stride: str, offset: str = "0") -> bytes:
    """A pickle of a tensor on four floats with pickled size, stride and offset (protocol 0 literals)."""
    storage = nested(legacy_storage())[2:-1]
    pushed = (f"I{offset}\n".encode(), literal_tuple(size), literal_tuple(stride), b"\x89", b"}")
    return called(stack_global("torch._utils", "_rebuild_tensor_v2"), storage, *pushed)


def literal_tuple(numbers: str) -> bytes:
    return b"(" + b"".join(f"I{number}\n".encode() for number in numbers.split()) + b"t"


def array(shape: str, kind: str = "f4") -> bytes:
    """A numpy array of that shape that holds four bytes."""
    made = called(stack_global("numpy._core.multiarray", "_reconstruct"), b"cnumpy\nndarray\n", b"K\x00\x85", b"C\x01b")
    dtype = called(stack_global("numpy", "dtype"), text(kind), b"\x89\x88")[2:-1]
    return made[:-1] + b"(K\x01" + literal_tuple(shape) + dtype + b"\x89C\x04abcdtb" + STOP


def zipped(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def doubling_modules(path: Path) -> None:
    module = Persistent("Layer", module_state({}, {}, {}))
    for _ in range(28):
        module = Persistent("Layer", module_state({}, {}, {"a": module, "b": module}))
    write_pickle(path, {"G_ema": module})


def doubling_arguments(path: Path) -> None:
    value: Any = easy({})
    for _ in range(40):
        value = [value, value]
    write_pickle(
        path, {"G_ema": persistent_network("Generator", {"z_dim": value}, {"synthesis.b4.const": torch.ones(4)})}
    )


def lying_directory(path: Path) -> None:
    zipped(path, {"archive/data.pkl": b"N."})
    content = bytearray(path.read_bytes())
    content[-12:-8] = struct.pack("<HH", 65535, 65535)
    content[-10:-6] = struct.pack("<L", 2**31)
    path.write_bytes(bytes(content))


def pickled_whole(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), path)


def saved(content: Any) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(pickle.dumps(content))


def bytes_of(content: bytes) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(content)


HEADER = b'{"a":{"dtype":"F32","shape":[1048576,1048576],"data_offsets":[0,4]}}'
SYSTEM = b"cos\nsystem\n"
HOSTILE: dict[str, Callable[[Path], Any]] = {
    "os.system by reduce": saved(Calls(os.system, COMMAND)),
    "os.system by text": bytes_of(b"cos\nsystem\n(S'" + COMMAND.encode() + b"'\ntR."),
    "eval": saved(Calls(builtins.eval, f"open({TRACE!r}, 'w')")),
    "getattr of an import": saved(Calls(getattr, Calls(__import__, "os"), "system")),
    "a dotted name": bytes_of(called(stack_global("torch._utils", "_rebuild_tensor_v2.__globals__"), text("x"))),
    "a dotted module": bytes_of(called(stack_global("os", "path.os.system"), text(COMMAND))),
    "a name with a space": bytes_of(called(stack_global("collections OrderedDict", ""), text("x"))),
    "INST": bytes_of(b"(S'" + COMMAND.encode() + b"'\nios\nsystem\n."),
    "OBJ": bytes_of(HEAD + b"(" + SYSTEM + text(COMMAND) + b"o" + STOP),
    "NEWOBJ": bytes_of(HEAD + SYSTEM + text(COMMAND) + b"\x85\x81" + STOP),
    "NEWOBJ_EX": bytes_of(HEAD + b"ccollections\nOrderedDict\n)}" + text("a") + b"K\x01s\x92" + STOP),
    "EXT1": bytes_of(HEAD + b"\x82\x01" + STOP),
    "EXT2": bytes_of(HEAD + b"\x83\x01\x00" + STOP),
    "EXT4": bytes_of(HEAD + b"\x84\x01\x00\x00\x00" + STOP),
    "NEXT_BUFFER": bytes_of(b"\x80\x05\x97" + STOP),
    "a persistent id": bytes_of(HEAD + text("storage") + b"Q" + STOP),
    "a persistent id by text": bytes_of(HEAD + b"Pstorage\n" + STOP),
    "a call of a text": bytes_of(HEAD + text("os.system") + b")R" + STOP),
    "a state for a list": bytes_of(HEAD + b"]}b" + STOP),
    "BYTEARRAY8 of an exabyte": bytes_of(b"\x80\x05\x96" + struct.pack("<Q", 2**60) + b"abc" + STOP),
    "BINBYTES8 of an exabyte": bytes_of(HEAD + b"\x8e" + struct.pack("<Q", 2**60) + b"abc" + STOP),
    "BINUNICODE8 of an exabyte": bytes_of(HEAD + b"\x8d" + struct.pack("<Q", 2**60) + b"abc" + STOP),
    "LONG4 of two gigabytes": bytes_of(HEAD + b"\x8b" + struct.pack("<i", 2**31 - 1) + b"abc" + STOP),
    "LONG4 below nothing": bytes_of(HEAD + b"\x8b" + struct.pack("<i", -5) + b"abc" + STOP),
    "a number of many digits": bytes_of(b"(L" + b"9" * 100_000 + b"L\n" + STOP),
    "a memo of four billion places": bytes_of(HEAD + b"Nr" + struct.pack("<I", 2**32 - 1) + b"0h\x07" + STOP),
    "marks in marks": bytes_of(HEAD + b"(" * 10_000 + STOP),
    "lists in lists": bytes_of(HEAD + b"]" * 10_000 + b"a" * 9_999 + STOP),
    "tuples in tuples": bytes_of(HEAD + b"N" + b"\x85" * 10_000 + STOP),
    "a list in itself": bytes_of(HEAD + b"]\x94h\x00a" + STOP),
    "tuples doubled": bytes_of(HEAD + b"N" + b"2\x86" * 150 + STOP),
    "tuples doubled, as a key": bytes_of(HEAD + b"}N" + b"2\x86" * 150 + b"Ns" + STOP),
    "modules doubled": doubling_modules,
    "arguments doubled": doubling_arguments,
    "an empty stack": bytes_of(HEAD + b"R" + STOP),
    "a pickle in a storage": bytes_of(nested(pickle.dumps(Calls(os.system, COMMAND)))),
    "a pickle as a storage's type": bytes_of(nested(legacy_storage(element=SYSTEM))),
    "no storage in a storage": bytes_of(nested(legacy_storage()[:50])),
    "a storage of terabytes": bytes_of(nested(legacy_storage(count=2**40))),
    "a storage below nothing": bytes_of(nested(legacy_storage(count=-(2**40)))),
    "a tensor of terabytes": bytes_of(tensor("1048576 1048576", "1048576 1")),
    "a tensor of terabytes by strides of zero": bytes_of(tensor("1048576 1048576", "0 0")),
    "a tensor before its storage": bytes_of(tensor("2", "1", offset="-2")),
    "a tensor that walks backwards": bytes_of(tensor("2", "-1")),
    "a tensor of a hundred dimensions": bytes_of(tensor("1 " * 100, "1 " * 100)),
    "a tensor of fewer strides": bytes_of(tensor("2 2", "1")),
    "an array of terabytes": bytes_of(array("1048576 1048576")),
    "an array below nothing": bytes_of(array("-1 -1")),
    "an array of objects": bytes_of(array("1", kind="O8")),
    "a bomb of zeros": lambda path: zipped(path, {"archive/data.pkl": bytes(2**26)}, zipfile.ZIP_DEFLATED),
    "a directory that lies": lying_directory,
    "a name that leads out": lambda path: zipped(path, {"../data.pkl": b"N."}),
    "os.system in an archive": lambda path: torch.save(Calls(os.system, COMMAND), path),
    "a whole model": pickled_whole,
    "TorchScript": lambda path: zipped(path, {"a/data.pkl": b"N.", "a/code/x.py": b"raise SystemExit"}),
    "a safetensors header of exabytes": bytes_of(struct.pack("<Q", 2**60) + b"{}"),
    "a safetensors tensor of terabytes": bytes_of(
        struct.pack("<Q", 72)
        + b'{"a":{"dtype":"F32","shape":[1048576,1048576],"data_offsets":[0,4]}}'.ljust(72)
        + bytes(4)
    ),
    "a compressed file": bytes_of(b"\x1f\x8b" + bytes(20)),
    "a web page": bytes_of(b"<!DOCTYPE html><html></html>"),
    "nothing at all": bytes_of(b""),
    "noise": lambda path: path.write_bytes(np.random.default_rng(0).bytes(1000)),
}
