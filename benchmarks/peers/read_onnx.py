"""ONNX Runtime on one thread, as LiteRT here, with the convolutional network written out as ONNX operators."""

import _reading_clock
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def main() -> None:
    question = _reading_clock.read_question()
    with np.load(question.weights) as arrays:
        weights = [arrays[f"arr_{index}"] for index in range(len(arrays))]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        build(weights).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def read(x: np.ndarray, size: int = 100) -> np.ndarray:
        return np.concatenate(
            [session.run(None, {"images": x[at : at + size, None]})[0] for at in range(0, len(x), size)]
        )

    _reading_clock.report({"ONNX Runtime": read}, question.images, versions={"onnxruntime": onnxruntime.__version__})


def build(weights: list[np.ndarray]) -> onnx.ModelProto:
    """Write the convolutional network: weights as Keras orders them, kernels (height, width, in, out)."""
    nodes, constants = [], [numpy_helper.from_array(np.float32(1 / 255), "scale")]
    nodes.append(helper.make_node("Mul", ["images", "scale"], ["x0"]))
    x = "x0"
    for layer in range(3):
        kernel, bias = weights[2 * layer : 2 * layer + 2]
        constants.append(numpy_helper.from_array(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), f"k{layer}"))
        constants.append(numpy_helper.from_array(bias, f"b{layer}"))
        pads = [0] * 4 if layer == 2 else [kernel.shape[0] // 2] * 4
        nodes.append(helper.make_node("Conv", [x, f"k{layer}", f"b{layer}"], [f"c{layer}"], pads=pads))
        nodes.append(helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"]))
        x = f"r{layer}"
        if layer < 2:
            nodes.append(helper.make_node("MaxPool", [x], [f"p{layer}"], kernel_shape=[2, 2], strides=[2, 2]))
            x = f"p{layer}"
    nodes.append(helper.make_node("Transpose", [x], ["t"], perm=[0, 2, 3, 1]))  # Keras flattens channels last
    nodes.append(helper.make_node("Flatten", ["t"], ["f"]))
    for name, start, result in (("h", 6, "hidden"), ("o", 8, "logits")):
        constants += [numpy_helper.from_array(weights[start + offset], f"{name}{offset}") for offset in range(2)]
        nodes.append(helper.make_node("Gemm", ["f" if name == "h" else "hr", f"{name}0", f"{name}1"], [result]))
        if name == "h":
            nodes.append(helper.make_node("Relu", ["hidden"], ["hr"]))
    nodes.append(helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1))
    graph = helper.make_graph(
        nodes,
        "convolutional",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, 28, 28])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


if __name__ == "__main__":
    main()
