"""From PyTorch to ONNX: two graphs a model, proven equal before they are written."""
