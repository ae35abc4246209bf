"""What a model computes, as a graph: recorded while it runs, so that any Python in it may be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from unbraid.fit.callbacks._shared import looking

__all__ = ["Node", "recorded"]


@dataclass(frozen=True)
class Node:
    """One call of a torch function, one parameter, or one tensor that came from outside.

    Args:
        name: Unlike any other, with the modules it stands in: ``"encoder/0/conv2d"``.
        kind: The function's name, ``"Parameter"`` or ``"Input"``.
        inputs: Names of the nodes it uses.
        shape: Of what it gives, without what it is.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]


def recorded(model: nn.Module, run: Callable[[], Any]) -> list[Node]:
    """The graph of whatever ``run`` computes with a model, which it leaves as it was."""
    recorder = _Recorder(model)
    handles = []
    for path, module in model.named_modules():
        if path:
            handles.append(module.register_forward_pre_hook(lambda *_, path=path: recorder.path.append(path)))
            handles.append(module.register_forward_hook(lambda *_: _nothing(recorder.path.pop()), always_call=True))
    try:
        with looking(model), torch.no_grad(), recorder:
            run()
    finally:
        for handle in handles:
            handle.remove()
    return recorder.nodes


class _Recorder(TorchFunctionMode):
    """Notes every torch function that is called from Python."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.path: list[str] = []
        self._parameters = {id(tensor): name for name, tensor in [*model.named_parameters(), *model.named_buffers()]}
        self._names: dict[int, str] = {}
        # A tensor that were freed could leave its id to another one.
        self._alive: list[Tensor] = []
        self._used: dict[str, int] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and note what went in and what came out."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        made = list(_tensors(result))
        if made:
            inputs = tuple(dict.fromkeys(self._name(tensor) for tensor in _tensors((args, dict(kwargs)))))
            kind = _kind(func)
            scope = self.path[-1].replace(".", "/") + "/" if self.path else ""
            self._add(scope + kind, kind, inputs, made)
        return result

    def _name(self, tensor: Tensor) -> str:
        if id(tensor) not in self._names:
            parameter = self._parameters.get(id(tensor))
            if parameter is None:
                self._add("input", "Input", (), [tensor])
            else:
                self._add(parameter.replace(".", "/"), "Parameter", (), [tensor])
        return self._names[id(tensor)]

    def _add(self, name: str, kind: str, inputs: tuple[str, ...], made: list[Tensor]) -> None:
        times = self._used[name] = self._used.get(name, -1) + 1
        name = f"{name}_{times}" if times else name
        self.nodes.append(Node(name, kind, inputs, tuple(made[0].shape)))
        for tensor in made:
            self._names[id(tensor)] = name
            self._alive.append(tensor)


def _kind(function: Callable[..., Any]) -> str:
    """A function's own name; a property of tensors is known by the property's."""
    parts = (resolve_name(function) or getattr(function, "__name__", "function")).split(".")
    parts = [part for part in parts if part not in ("__get__", "__set__")]
    return parts[-1].strip("_") or "function"


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _tensors(part)


def _nothing(_: Any) -> None:
    """A forward hook that gives something would replace the output."""
