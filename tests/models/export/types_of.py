"""What the values of a graph are made of."""

from pathlib import Path

import onnx


def types_of(path: Path) -> dict[str, int]:
    """Element types by the name of the value, as inferred."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True)
    return {value.name: value.type.tensor_type.elem_type for value in model.graph.value_info}
