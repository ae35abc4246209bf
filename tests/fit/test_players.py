"""Several players: each is moved by its own loss alone, with its own optimiser."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidOption
from unbraid.fit import Trial, hook
from unbraid.fit.state import MODEL, PLAYER, TERMS


class Game(nn.Module):
    """Each loss depends on both parameters: it would move the other player, too."""

    def __init__(self) -> None:
        super().__init__()
        self.maker, self.critic = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(2.0))

    def players(self):
        return {"maker": [self.maker], "critic": [self.critic]}

    def loss(self, batch, step, player):
        product = self.maker * self.critic * batch.mean()
        return {"made": product} if player == "maker" else {"found": -product}


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


ONES = [torch.ones(1)]


def test_each_player_moves_by_its_own_loss_in_turn():
    game = Game()
    Trial(game, sgd).fit(ONES, steps=1)
    assert game.maker.item() == pytest.approx(1 - 0.1 * 2)
    assert game.critic.item() == pytest.approx(2 + 0.1 * (1 - 0.1 * 2)), "the critic sees the maker after its move"


@pytest.mark.parametrize("accumulate", [1, 2])
def test_gradients_of_one_player_never_reach_the_other(accumulate):
    seen = []

    @hook("on_backward")
    def gradients(state):
        seen.append((state[PLAYER], [name for name, p in state[MODEL].named_parameters() if p.grad is not None]))

    Trial(Game(), sgd, callbacks=[gradients], accumulate=accumulate).fit(ONES * accumulate, steps=2)
    assert seen == [("maker", ["maker"]), ("critic", ["critic"])] * 2


def test_a_frozen_parameter_stays():
    game = Game()
    game.critic.requires_grad_(False)
    game.loss = lambda batch, step, player: game.maker.square()
    Trial(game, sgd).fit(ONES, steps=2)
    assert game.critic.item() == 2.0
    assert game.maker.item() < 1.0


def test_each_player_may_have_an_optimiser_of_its_own():
    game = Game()
    optimisers = {"critic": torch.optim.SGD([game.critic], lr=0.0), "maker": torch.optim.Adam([game.maker])}
    trial = Trial(game, optimisers)
    trial.fit(ONES, steps=1)
    assert game.critic.item() == 2.0
    assert game.maker.item() != 1.0
    assert repr(trial).startswith("Trial(Game on cpu; maker: Adam, critic: SGD;")


def test_a_player_may_bring_options_for_its_optimiser():
    game = Game()
    game.players = lambda: {"maker": {"params": [game.maker], "lr": 0.5}, "critic": [game.critic]}
    Trial(game, sgd).fit(ONES, steps=1)
    assert game.maker.item() == pytest.approx(1 - 0.5 * 2)


def test_every_player_needs_an_optimiser():
    game = Game()
    with pytest.raises(InvalidOption, match="every player needs an optimiser"):
        Trial(game, {"maker": torch.optim.SGD([game.maker], lr=0.1)})
    with pytest.raises(InvalidOption, match="every player needs an optimiser"):
        Trial(game, torch.optim.SGD(game.parameters(), lr=0.1))


def test_terms_of_every_player_are_recorded_and_the_loss_is_the_first_ones():
    history = Trial(Game(), sgd).fit(ONES, steps=1)
    assert set(history[0]) == {"step", "epoch", "loss", "made", "found"}
    assert history[0]["loss"] == history[0]["made"] == 2.0


def test_the_state_says_whose_turn_it_is():
    turns = []
    look = hook("on_criterion")(lambda state: turns.append((state[PLAYER], *state[TERMS])))
    Trial(Game(), sgd, callbacks=[look]).fit(ONES, steps=2)
    assert turns == [("maker", "made"), ("critic", "found")] * 2
