"""Changes of memory layout moved out of a graph's way.

Keras keeps channels last and OpenVINO convolves with channels first. So Keras' graph for OpenVINO changes the layout
before each convolution and back behind it, which costs more time than the rest. What stands between two convolutions
mostly does not care: changes back are moved behind it, where they meet the next change and both can go. No weight is
touched.
"""

from __future__ import annotations

from typing import Any

_BACK = (0, 2, 3, 1)  # from channels first to channels last
_FORTH = (0, 3, 1, 2)
_SWAP = (0, 3, 2, 1)  # as Keras puts channels first to normalize batches, with height and width exchanged
_ALIKE = (
    "Clamp",
    "Convert",
    "Relu",
    "ReLU",
    "Sigmoid",
    "Sqrt",
    "Tanh",
)  # of one input, each number by itself
_PAIRS = ("Add", "Divide", "Maximum", "Minimum", "Multiply", "Power", "Subtract")


def sink_layout_changes(model: Any) -> None:
    """Move changes of layout behind what can do without, and take out those that undo each other.

    Parameters
    ----------
    model : openvino.Model
        Changed in place; computes the same.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() == "BatchNormInference":
            _normalize_upright(node)
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind == "Transpose" and _order(node) == _FORTH:
            before = node.input_value(0).get_node()
            if _is_back(before):
                node.output(0).replace(before.input_value(0))
        elif (kind in _ALIKE and _is_back(_source(node, 0))) or (kind in _PAIRS and _prepare_pair(node)):
            _sink(node)
        elif kind == "Concat" and all(_is_back(_source(node, number)) for number in _inputs(node)):
            node.set_axis(_BACK[node.get_axis()])
            _sink(node)
        elif kind == "Interpolate" and _is_back(_source(node, 0)) and _turn_axes(node):
            _sink(node)
    model.validate_nodes_and_infer_types()


def _normalize_upright(node: Any) -> None:
    """Let a batch be normalized in the layout of convolutions: each channel has numbers of its own, and places none."""
    from openvino import opset13 as operations

    before = _source(node, 0)
    takers = [taker.get_node() for taker in node.output(0).get_target_inputs()]
    if all(map(_is_swap, (before, *takers))):
        forth = operations.transpose(before.input_value(0), list(_FORTH))
        node.input(0).replace_source_output(forth.output(0))
        node.validate_and_infer_types()
        back = operations.transpose(node.output(0), list(_BACK))
        for taker in takers:
            taker.output(0).replace(back.output(0))


def _sink(node: Any) -> None:
    """Let a node work on what its inputs were before they changed back, and change back what it gives."""
    from openvino import opset13 as operations

    for number in _inputs(node):
        if _is_back(_source(node, number)):
            node.input(number).replace_source_output(_source(node, number).input_value(0))
    node.validate_and_infer_types()
    takers = list(node.output(0).get_target_inputs())
    back = operations.transpose(node.output(0), list(_BACK))
    for taker in takers:
        taker.replace_source_output(back.output(0))


def _prepare_pair(node: Any) -> bool:
    """Whether both inputs can be taken in the other layout; a constant for each channel is turned for it."""
    from openvino import opset13 as operations

    backs = [_is_back(_source(node, number)) for number in (0, 1)]
    if all(backs) or not any(backs):
        return all(backs)
    other = backs.index(False)
    shape = node.input_value(other).get_partial_shape()
    if shape.is_dynamic:
        return False
    sizes = list(shape.to_shape())
    if any(size != 1 for size in sizes[:-1]):
        return False
    if sizes and sizes[-1] != 1:
        turned = operations.reshape(node.input_value(other), [1, sizes[-1], 1, 1], special_zero=False)
        node.input(other).replace_source_output(turned.output(0))
    return True


def _turn_axes(node: Any) -> bool:
    """Name an enlargement's axes as they are before the change; False if it has none to name."""
    from openvino import opset13 as operations

    last = node.get_input_size() - 1
    axes = _source(node, last)
    if last < 2 or axes.get_type_name() != "Constant":
        return False
    turned = operations.constant([_BACK[axis] for axis in axes.data.tolist()], axes.get_element_type())
    node.input(last).replace_source_output(turned.output(0))
    return True


def _source(node: Any, number: int) -> Any:
    return node.input_value(number).get_node()


def _inputs(node: Any) -> range:
    return range(node.get_input_size())


def _is_back(node: Any) -> bool:
    return node.get_type_name() == "Transpose" and _order(node) == _BACK


def _is_swap(node: Any) -> bool:
    return node.get_type_name() == "Transpose" and _order(node) == _SWAP


def _order(transpose: Any) -> tuple[int, ...]:
    order = transpose.input_value(1).get_node()
    return tuple(order.data.tolist()) if order.get_type_name() == "Constant" else ()
