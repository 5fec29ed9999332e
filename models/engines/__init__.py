"""One graph on one device. The only code that opens onnxruntime or openvino."""
