"""Probabilistic PCA as a VAE: a model whose likelihood and whose exact posterior are known in closed form."""

import math

import torch
from sklearn.decomposition import PCA
from torch import nn
from torch.distributions import MultivariateNormal

from aelib.likelihoods import Gaussian
from aelib.models import VAE


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class LinearPosterior(nn.Module):
    """The exact posterior of probabilistic PCA: a linear mean, and one variance for all examples."""

    def __init__(self, weight, bias, variance):
        super().__init__()
        self.mean = nn.Linear(weight.shape[1], weight.shape[0])
        self.mean.weight.data, self.mean.bias.data = weight, bias
        self.register_buffer("logvar", variance.log())

    def forward(self, x):
        return torch.cat([self.mean(x), self.logvar.expand(len(x), -1)], dim=1)


def probabilistic_pca(x, k, model_class=VAE, **settings):
    """A model at the maximum of the likelihood (Tipping and Bishop, 1999, equations 7 and 8), and log p of each example."""
    pca = PCA(n_components=k).fit(x.numpy())
    # scikit-learn divides by N - 1, the maximum of the likelihood by N.
    shrink = (len(x) - 1) / len(x)
    variances = torch.from_numpy(pca.explained_variance_) * shrink
    sigma2 = pca.noise_variance_ * shrink
    w = torch.from_numpy(pca.components_.T) * (variances - sigma2).sqrt()
    mean = x.mean(0)
    m = w.T @ w + sigma2 * torch.eye(k).double()  # diagonal, because the columns of w are orthogonal
    to_code = torch.linalg.solve(m, w.T)
    encoder = LinearPosterior(to_code, -to_code @ mean, sigma2 / m.diag())
    decoder = nn.Linear(k, x.shape[1])
    decoder.weight.data, decoder.bias.data = w, mean
    model = model_class(encoder, decoder, Gaussian(math.sqrt(sigma2)), k, **settings).double()
    marginal = MultivariateNormal(mean, w @ w.T + sigma2 * torch.eye(x.shape[1]).double())
    return model, marginal.log_prob(x)
