"""Reads pickles as data: their opcodes run on a small machine that imports nothing and calls nothing of theirs.

Python's own unpickler turns any name in a file into whatever is importable, and calls it. Here a name is a key of one
table (models.checkpoints.stand_ins); what stands for it was written by us, and every other name is refused. Values are
plain: None, bool, int, float, str, bytes, tuple, list, dict, set, and what the stand-ins make. pickletools, which only
parses, is all of the standard library's pickling that is used.
"""

import io
import mmap
import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple, cast

from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.limits import Account

PLAIN_KEYS = (str, int, float, bytes, type(None))
# What a damaged or truncated stream makes the parser or the machine say.
DAMAGE = (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, LookupError)


# Neither allocates what a length in the file merely claims, as a buffered file would.
Stream = io.BytesIO | mmap.mmap


class StandIn(NamedTuple):
    """What stands for a name of the file that is called: `make(account, *arguments)`."""

    name: str
    make: Callable[..., Any]


class UnknownName(CheckpointUnsafe):
    """The file asks for a name that no checkpoint needs. `seen`: the names that stood in it before that one."""

    def __init__(self, name: str, seen: frozenset[str]) -> None:
        super().__init__(
            f"The file asks for {name[:120]!r}, which is not among the names that opening a checkpoint knows; "
            "nothing of it was run."
        )
        self.name = name
        self.seen = seen


def read_pickle(
    stream: Stream,
    names: Mapping[str, Any],
    account: Account,
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """One pickle from where `stream` stands, which is left behind it.

    names: full dotted name -> a StandIn, or a constant. persistent: what a persistent id stands for; without it, ids
    are refused. Raises UnknownName, CheckpointUnsafe past a limit, CheckpointRefused for a damaged stream.
    """
    machine = _Machine(names, account, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(cast(IO[bytes], stream)):
            account.opcode()
            machine.step(opcode.name, argument)
        return machine.stack.pop()
    except DAMAGE as error:
        raise CheckpointRefused(
            f"The file's pickle is truncated or damaged near byte {stream.tell():,} ({type(error).__name__})."
        ) from error


class _Machine:
    """The stack, the marks and the memo of one pickle."""

    def __init__(
        self, names: Mapping[str, Any], account: Account, persistent: Callable[[Any], Any] | None = None
    ) -> None:
        self.names, self.account, self.persistent = names, account, persistent
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        # A dictionary: an index of four billion then costs one entry.
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in PUSHED:
            self.stack.append(argument)
        elif name in FRESH:
            self.stack.append(FRESH[name]())
        elif name in OPERATIONS:
            OPERATIONS[name](self, argument)
        elif name not in IGNORED:
            raise CheckpointUnsafe(f"The file's pickle uses the opcode {name}, which no checkpoint needs.")

    def mark(self, _: Any) -> None:
        if len(self.marks) >= self.account.limits.depth:
            raise CheckpointUnsafe(f"The file nests its objects more than {self.account.limits.depth} deep.")
        self.marks.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marks.pop()
        return items

    def pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()

    def pop_mark(self, _: Any) -> None:
        self.since_mark()

    def duplicate(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def tuple_of(self, count: int) -> None:
        items = self.stack[-count:]
        if len(items) < count:
            raise IndexError("the stack is empty")
        self.stack[-count:] = [tuple(items)]

    def tuple_since_mark(self, _: Any) -> None:
        items = self.since_mark()
        self.stack.append(tuple(items))

    def list_since_mark(self, _: Any) -> None:
        items = self.since_mark()
        self.stack.append(items)

    def dict_since_mark(self, _: Any) -> None:
        items = self.since_mark()
        self.stack.append({})
        self._put(items)

    def set_since_mark(self, _: Any) -> None:
        items = self.since_mark()
        self.stack.append({_plain_key(item) for item in items})

    def append(self, _: Any) -> None:
        item = self.stack.pop()
        self._target(list).append(item)

    def append_all(self, _: Any) -> None:
        items = self.since_mark()
        self._target(list).extend(items)

    def add_all(self, _: Any) -> None:
        items = self.since_mark()
        self._target(set).update(_plain_key(item) for item in items)

    def set_item(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._put([key, value])

    def set_items(self, _: Any) -> None:
        self._put(self.since_mark())

    def _put(self, items: list[Any]) -> None:
        target = self._target(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_plain_key(key)] = value

    def _target(self, kind: type) -> Any:
        target = self.stack[-1]
        if type(target) is not kind:
            raise TypeError(f"a {type(target).__name__} is no {kind.__name__}")
        return target

    def get(self, index: int) -> None:
        self.stack.append(self.memo[int(index)])

    def put(self, index: int) -> None:
        self.memo[int(index)] = self.stack[-1]

    def memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def protocol(self, version: int) -> None:
        if version > 5:
            raise CheckpointRefused(f"The file is a pickle of protocol {version}; this release reads 0 to 5.")

    def global_name(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(self._look_up(module, name))

    def stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(self._look_up(module, name))

    def _look_up(self, module: Any, name: Any) -> Any:
        if type(module) is not str or type(name) is not str:
            raise TypeError("a name that is no text")
        # Both parts apart, so that "a.b" of "c" never passes for "b.c" of "a".
        found = self.names.get(f"{module} {name}", self)
        if found is self:
            seen = frozenset(text for text in self.memo.values() if type(text) is str and len(text) < 80)
            raise UnknownName(f"{module}.{name}", seen)
        return found

    def reduce(self, _: Any) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        self._make(called, arguments)

    def new_object_with_keywords(self, _: Any) -> None:
        keywords, arguments, called = self.stack.pop(), self.stack.pop(), self.stack.pop()
        if keywords:
            raise CheckpointUnsafe("The file makes an object with keyword arguments, which no checkpoint needs.")
        self._make(called, arguments)

    def instance(self, argument: str) -> None:
        arguments = self.since_mark()
        module, _, name = argument.partition(" ")
        self._make(self._look_up(module, name), tuple(arguments))

    def object_since_mark(self, _: Any) -> None:
        called, *arguments = self.since_mark()
        self._make(called, tuple(arguments))

    def _make(self, called: Any, arguments: Any) -> None:
        if type(called) is not StandIn or type(arguments) is not tuple:
            raise CheckpointUnsafe(f"The file calls a {type(called).__name__}, which no checkpoint needs.")
        self.stack.append(called.make(self.account, *arguments))

    def build(self, _: Any) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if hasattr(target, "build"):
            target.build(self.account, state)
        elif type(target) is not dict:  # an OrderedDict's attributes (a state dict's _metadata) are not kept
            raise CheckpointUnsafe(f"The file sets the state of a {type(target).__name__}, which no checkpoint needs.")

    def persistent_id(self, _: Any) -> None:
        if self.persistent is None:
            raise CheckpointUnsafe("The file's pickle refers to objects outside of it by persistent ids.")
        self.stack.append(self.persistent(self.stack.pop()))


def _plain_key(key: Any) -> Any:
    """Nothing whose hash or comparison could take long: a tuple of tuples of tuples would."""
    if not isinstance(key, PLAIN_KEYS):
        raise CheckpointUnsafe(f"The file uses a {type(key).__name__} as a key, which no checkpoint needs.")
    return key


PUSHED = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
FRESH: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
OPERATIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "DUP": _Machine.duplicate,
    "TUPLE": _Machine.tuple_since_mark,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "LIST": _Machine.list_since_mark,
    "DICT": _Machine.dict_since_mark,
    "FROZENSET": _Machine.set_since_mark,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.append_all,
    "ADDITEMS": _Machine.add_all,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "PROTO": _Machine.protocol,
    "GLOBAL": _Machine.global_name,
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.reduce,
    "NEWOBJ_EX": _Machine.new_object_with_keywords,
    "INST": _Machine.instance,
    "OBJ": _Machine.object_since_mark,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent_id,
}
IGNORED = frozenset({"FRAME", "STOP"})
