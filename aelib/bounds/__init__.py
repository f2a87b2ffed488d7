"""What a model with a Gaussian posterior knows: its likelihood by importance sampling, and how much its codes tell about x.

All numbers are in nats. p(z) is N(0, I) and q(z | x) is N(mu, diag(exp(logvar))), as ``model.posterior(x)`` returns them.
"""

from aelib.bounds.collapse import CollapseReport, active_units, collapse_report
from aelib.bounds.importance import log_likelihood
from aelib.bounds.posterior import HasPosterior

__all__ = ["CollapseReport", "HasPosterior", "active_units", "collapse_report", "log_likelihood"]
