"""Loss terms as pure functions that return one value per example, in nats unless stated."""

from jaxtyping import Float
from torch import Tensor


def gaussian_kl(mu: Float[Tensor, "B latent_dim"], logvar: Float[Tensor, "B latent_dim"]) -> Float[Tensor, " B"]:
    """KL(N(mu, diag(exp(logvar))) || N(0, I)) = 1/2 sum(exp(logvar) + mu^2 - 1 - logvar), in nats.

    It is zero where mu = 0 and logvar = 0, and positive everywhere else.
    Source: Kingma and Welling (2013), appendix B.
    """
    return 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(1)
