"""Tensors of which every process holds a piece, and the whole ones that a checkpoint holds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

__all__ = ["cut", "enter", "is_piece", "save_whole", "whole"]

# What torch has for this takes seconds to import, so it waits until there are pieces.


def is_piece(tensor: Any) -> bool:
    """Whether this process holds but a piece of a tensor."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


def enter(model: nn.Module, method: str) -> None:
    """Have the pieces of a model put together while a method of it runs, as they are while its forward does."""
    from torch.distributed.fsdp import register_fsdp_forward_method

    if callable(getattr(model, method, None)):
        register_fsdp_forward_method(model, method)


def whole(state: Any) -> Any:
    """A copy of a state dictionary with whole tensors in the place of pieces; every process must ask for it."""
    if isinstance(state, Mapping):
        return {key: whole(one) for key, one in state.items()}
    if isinstance(state, (list, tuple)):
        return type(state)(whole(one) for one in state)
    return state.full_tensor() if is_piece(state) else state


def save_whole(model: nn.Module) -> None:
    """Have ``model.state_dict()`` give whole tensors, for which every process must ask, and let it load them again."""

    def gather(model: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
        state.update({key: one.full_tensor() for key, one in state.items() if is_piece(one)})

    def scatter(model: nn.Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        state.update(cut(state, {prefix + name: p for name, p in model.named_parameters()}))

    model.register_state_dict_post_hook(gather)
    model.register_load_state_dict_pre_hook(scatter)


def cut(state: Any, like: Mapping[Any, Tensor], here: Any = None) -> Any:
    """A copy of a state dictionary in which tensors are cut into pieces again.

    Args:
        state: What :func:`whole` gave.
        like: The tensors by key; whatever lies under a key and has the shape of its tensor is cut as that one is.
        here: The tensor under whose key the state lies.
    """
    if isinstance(state, Mapping):
        return {key: cut(one, like, like.get(key, here)) for key, one in state.items()}
    if isinstance(state, (list, tuple)):
        return type(state)(cut(one, like, here) for one in state)
    if isinstance(state, Tensor) and not is_piece(state) and is_piece(here) and state.shape == here.shape:
        from torch.distributed.tensor import distribute_tensor

        return distribute_tensor(state.to(here.device), here.device_mesh, here.placements)
    return state
