"""The adversarial autoencoder (variant V10)."""

from typing import final

from jaxtyping import Shaped
from torch import Tensor, nn
from torch.nn.functional import softplus

from aelib import checks
from aelib.core import Loss
from aelib.likelihoods import Likelihood
from aelib.matching import MatchingAutoencoder, MatchingOutput
from aelib.samplers import Sampler


@final
class AdversarialAE(MatchingAutoencoder):
    """z = f(x); a discriminator D learns to tell codes from draws from the prior, and the encoder learns to mislead it.

    D returns the logit a of the probability sigmoid(a) that its input was drawn from the prior. In its own phase, "disc", it
    minimizes -E_p[log D] - E_q[log(1 - D)], which at the best D is 2 log 2 - 2 JS(p, q), where JS is the Jensen-Shannon
    divergence in nats of the prior p and the distribution q of the codes. In the phase "main" the autoencoder minimizes the
    reconstruction and -E_q[log D]; this *non-saturating* form has a gradient also where D is sure.
    Source: Makhzani et al. (2015), section 2; Goodfellow et al. (2014), theorem 1 and section 3.

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim).
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        prior: p(z).
        adversary: D, from (B, latent_dim) to logits (B, 1).
        adv_weight: the weight of -E_q[log D] against the reconstruction.

    Raises:
        ValueError: if ``adv_weight`` is below zero.
    """

    adversary: nn.Module

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        prior: Sampler,
        adversary: nn.Module,
        *,
        adv_weight: float = 1.0,
    ) -> None:
        checks.at_least("adv_weight", adv_weight, 0)
        super().__init__(encoder, decoder, likelihood, prior, adversary=adversary)
        self.adv_weight = adv_weight

    def loss(self, x: Shaped[Tensor, "B *event"], out: MatchingOutput, phase: str = "main") -> Loss:
        """In the phase "main" -log p(x | z) - adv_weight log D(z); in "disc" -log D(z_prior) - log(1 - D(z)).

        Raises:
            ValueError: for another phase.
        """
        checks.choice("phase", phase, ("main", "disc"))
        # -log sigmoid(a) = softplus(-a), exact where sigmoid(a) has rounded to 0.
        if phase == "disc":
            checks.at_least("the number of examples in x", len(x), 1)
            # The codes are cut off from the encoder, which this phase must not train.
            disc = softplus(-self.adversary(out.z_prior)).mean() + softplus(self.adversary(out.z.detach())).mean()
            return Loss.weighted({"disc": (1.0, disc)})
        recon = self.recon(x, out)
        return Loss.weighted({"recon": (1.0, recon), "adv": (self.adv_weight, softplus(-self.adversary(out.z)).mean())})
