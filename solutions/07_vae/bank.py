# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="reparameterize" name="log_variance_for_log_deviation"
# You take logvar for the logarithm of the standard deviation. It is that of the variance, so the standard deviation is
# the exponential of half of it.
def reparameterize(mu, logvar, eps):
    return mu + torch.exp(logvar) * eps


# %% cell="reparameterize" name="log_variance_for_deviation"
# You multiply eps by logvar itself. It is a logarithm, and may be negative: take the exponential of half of it first.
def reparameterize(mu, logvar, eps):
    return mu + logvar * eps


# %% cell="reparameterize" name="width_detached"
# Your draws are right, but you cut the gradient at the width of the cloud. The encoder must learn that from z as well: do
# not detach it.
def reparameterize(mu, logvar, eps):
    return mu + torch.exp(0.5 * logvar).detach() * eps


# %% cell="reparameterize" name="draw_detached"
# Your draws are right, but no gradient gets from z to mu and logvar. That is what writing z as mu + sigma * eps is for:
# leave out detach() and torch.no_grad().
def reparameterize(mu, logvar, eps):
    with torch.no_grad():
        return mu + torch.exp(0.5 * logvar) * eps


# %% cell="reparameterize" name="mean_scaled_too"
# You multiply the mean by the standard deviation as well. Only eps is scaled; the mean is added afterwards.
def reparameterize(mu, logvar, eps):
    return (mu + eps) * torch.exp(0.5 * logvar)


# %% cell="reparameterize" name="own_noise"
# You draw noise of your own and ignore eps. Chance comes in from outside here, so that a draw can be repeated.
def reparameterize(mu, logvar, eps):
    return mu + torch.exp(0.5 * logvar) * torch.randn_like(eps)


# %% cell="reparameterize" name="no_width"
# You add eps without scaling it. A cloud has the width that logvar says, and not 1.
def reparameterize(mu, logvar, eps):
    return mu + eps


# %% cell="gaussian_kl" name="no_half"
# Your values are twice as large as they should be. The formula has a factor 1/2 in front.
def gaussian_kl(mu, logvar):
    return (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)


# %% cell="gaussian_kl" name="negative"
# Your values are the negative of the divergence. A divergence is never below zero; its negative stands in the bound.
def gaussian_kl(mu, logvar):
    return 0.5 * (1 + logvar - mu.square() - logvar.exp()).sum(dim=1)


# %% cell="gaussian_kl" name="mean_over_units"
# You take the mean over the units of the code. Their prices add up: sum over them.
def gaussian_kl(mu, logvar):
    return 0.5 * (logvar.exp() + mu.square() - 1 - logvar).mean(dim=1)


# %% cell="gaussian_kl" name="whole_batch"
# You sum over the examples too. Each example has a price of its own: sum over the units of the code, dim=1.
def gaussian_kl(mu, logvar):
    return 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum()


# %% cell="gaussian_kl" name="sum_over_examples"
# You sum over the examples (dim=0) and get one number for each unit. Sum over the units of each example, dim=1.
def gaussian_kl(mu, logvar):
    return 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=0)


# %% cell="gaussian_kl" name="logarithm_of_exponential"
# You compute the logarithm of the variance from the variance. For narrow clouds that has become zero, and its logarithm
# is minus infinity. You have the logarithm already: it is logvar.
def gaussian_kl(mu, logvar):
    variance = logvar.exp()
    return 0.5 * (variance + mu.square() - 1 - torch.log(variance)).sum(dim=1)


# %% cell="gaussian_kl" name="log_variance_for_log_deviation"
# You take logvar for the logarithm of the standard deviation, and double it. It is the logarithm of the variance already.
def gaussian_kl(mu, logvar):
    return 0.5 * (torch.exp(2 * logvar) + mu.square() - 1 - 2 * logvar).sum(dim=1)


# %% cell="gaussian_kl" name="deviation_for_variance"
# The first term of your formula is the standard deviation. It should be the variance, the exponential of logvar.
def gaussian_kl(mu, logvar):
    return 0.5 * (torch.exp(0.5 * logvar) + mu.square() - 1 - logvar).sum(dim=1)


# %% cell="gaussian_kl" name="reversed"
# You compute the divergence of the prior from the cloud. It is not symmetric: here the cloud comes first and the prior
# second.
def gaussian_kl(mu, logvar):
    return 0.5 * ((1 + mu.square()) * torch.exp(-logvar) - 1 + logvar).sum(dim=1)


# %% cell="bernoulli_elbo" name="loss_for_bound"
# You return the loss, which is the negative of the bound. The bound is log p minus the divergence, and it is at most zero
# here.
def bernoulli_elbo(x, logits, kl):
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return nll.flatten(1).sum(dim=1) + kl


# %% cell="bernoulli_elbo" name="price_added"
# You add the divergence to log p(x | z). It is a price: subtract it.
def bernoulli_elbo(x, logits, kl):
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return -nll.flatten(1).sum(dim=1) + kl


# %% cell="bernoulli_elbo" name="mean_over_values"
# You take the mean over the values of an example, and subtract the whole price from it. That is a VAE with beta = d. Sum
# over the values.
def bernoulli_elbo(x, logits, kl):
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return -nll.flatten(1).mean(dim=1) - kl


# %% cell="bernoulli_elbo" name="mean_over_everything"
# F.binary_cross_entropy_with_logits averages over everything unless you set its argument reduction. You need a sum for each
# example.
def bernoulli_elbo(x, logits, kl):
    return -F.binary_cross_entropy_with_logits(logits, x) - kl


# %% cell="bernoulli_elbo" name="sum_over_everything"
# You sum over the whole batch, so every example gets the log-likelihood of all. Sum over the values of each example on
# its own.
def bernoulli_elbo(x, logits, kl):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="sum") - kl


# %% cell="bernoulli_elbo" name="rounded_probabilities"
# You go through probabilities. For extreme logits they round to 0 or 1, and the result is infinite or no number at all.
# Compute it from the logits.
def bernoulli_elbo(x, logits, kl):
    p = torch.sigmoid(logits)
    return (x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(dim=1) - kl


# %% cell="bernoulli_elbo" name="small_number_in_the_logarithm"
# You add a small number inside the logarithm, so an answer that is sure and wrong costs 18 nats at most. It costs as
# much as its logit says: compute it from the logits.
def bernoulli_elbo(x, logits, kl):
    p = torch.sigmoid(logits)
    log_p = x * torch.log(p + 1e-8) + (1 - x) * torch.log(1 - p + 1e-8)
    return log_p.flatten(1).sum(dim=1) - kl


# %% cell="bernoulli_elbo" name="clamped_at_100"
# F.binary_cross_entropy takes probabilities, and cuts each logarithm at -100. The function with with_logits in its name has
# no such limit.
def bernoulli_elbo(x, logits, kl):
    nll = F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="none")
    return -nll.flatten(1).sum(dim=1) - kl


# %% cell="bernoulli_elbo" name="ones_alone"
# You count only the values that are 1. A value that is 0 has the probability 1 - p, and counts as well.
def bernoulli_elbo(x, logits, kl):
    return (x * F.logsigmoid(logits)).flatten(1).sum(dim=1) - kl


# %% cell="bernoulli_elbo" name="sigmoid_twice"
# You apply the sigmoid before a function that expects logits, so it is applied twice. Pass the logits as they are.
def bernoulli_elbo(x, logits, kl):
    nll = F.binary_cross_entropy_with_logits(torch.sigmoid(logits), x, reduction="none")
    return -nll.flatten(1).sum(dim=1) - kl


# %% cell="gaussian_elbo" name="no_constant"
# You leave out (d/2) log(2 pi). No gradient changes, but the number is not the log-likelihood any more and cannot be
# compared.
def gaussian_elbo(x, x_hat, sigma, kl):
    squared = (x - x_hat).square().flatten(1)
    return -squared.sum(dim=1) / (2 * sigma**2) - squared.shape[1] * torch.log(sigma) - kl


# %% cell="gaussian_elbo" name="no_log_sigma"
# You leave out d log(sigma). Without it a learned sigma could grow without end and make every error small.
def gaussian_elbo(x, x_hat, sigma, kl):
    squared = (x - x_hat).square().flatten(1)
    return (
        -squared.sum(dim=1) / (2 * sigma**2) - squared.shape[1] / 2 * math.log(2 * math.pi) - kl
    )


# %% cell="gaussian_elbo" name="log_sigma_once"
# You subtract log(sigma) and the constant once. Each of the d values has a density of its own: they come d times.
def gaussian_elbo(x, x_hat, sigma, kl):
    squared = (x - x_hat).square().flatten(1).sum(dim=1)
    return -squared / (2 * sigma**2) - torch.log(sigma) - 0.5 * math.log(2 * math.pi) - kl


# %% cell="gaussian_elbo" name="sigma_not_squared"
# You divide by 2 sigma. The squared distance is divided by twice the variance, 2 sigma^2.
def gaussian_elbo(x, x_hat, sigma, kl):
    squared = (x - x_hat).square().flatten(1)
    constants = squared.shape[1] * (torch.log(sigma) + 0.5 * math.log(2 * math.pi))
    return -squared.sum(dim=1) / (2 * sigma) - constants - kl


# %% cell="gaussian_elbo" name="no_half"
# You divide the squared distance by sigma^2. In the exponent of a Gaussian there is 2 sigma^2.
def gaussian_elbo(x, x_hat, sigma, kl):
    squared = (x - x_hat).square().flatten(1)
    constants = squared.shape[1] * (torch.log(sigma) + 0.5 * math.log(2 * math.pi))
    return -squared.sum(dim=1) / sigma**2 - constants - kl


# %% cell="gaussian_elbo" name="mean_over_values"
# You take the mean over the values of an example. The log-densities of all its values add up: sum over them.
def gaussian_elbo(x, x_hat, sigma, kl):
    scaled = ((x - x_hat) / sigma).flatten(1)
    log_p = -0.5 * scaled.square() - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p.mean(dim=1) - kl


# %% cell="gaussian_elbo" name="mean_of_the_squares_alone"
# You take the mean of the squared errors and d times the constants. The squared distance is a sum over the d values as
# well.
def gaussian_elbo(x, x_hat, sigma, kl):
    squared = (x - x_hat).square().flatten(1)
    constants = squared.shape[1] * (torch.log(sigma) + 0.5 * math.log(2 * math.pi))
    return -squared.mean(dim=1) / (2 * sigma**2) - constants - kl


# %% cell="gaussian_elbo" name="loss_for_bound"
# You return the loss, which is the negative of the bound. The bound is log p minus the divergence.
def gaussian_elbo(x, x_hat, sigma, kl):
    squared = (x - x_hat).square().flatten(1)
    constants = squared.shape[1] * (torch.log(sigma) + 0.5 * math.log(2 * math.pi))
    return squared.sum(dim=1) / (2 * sigma**2) + constants + kl


# %% cell="gaussian_elbo" name="d_of_one_axis"
# Your d is the length of one axis of x. For an image all pixels count: d is the number of all values of one example.
def gaussian_elbo(x, x_hat, sigma, kl):
    squared = (x - x_hat).square().flatten(1).sum(dim=1)
    constants = x.shape[1] * (torch.log(sigma) + 0.5 * math.log(2 * math.pi))
    return -squared / (2 * sigma**2) - constants - kl


# %% cell="active_units" name="n_minus_1"
# You divide by N - 1, as torch.var does unless you pass correction=0. Here the variance is the mean over the N examples.
def active_units(mu, logvar, threshold=0.01):
    return mu.var(dim=0) > threshold


# %% cell="active_units" name="at_least"
# A unit at the threshold is not active: its variance must be larger, and not at least as large.
def active_units(mu, logvar, threshold=0.01):
    return mu.var(dim=0, correction=0) >= threshold


# %% cell="active_units" name="standard_deviation"
# You compare the standard deviation with the threshold. The definition compares the variance, its square.
def active_units(mu, logvar, threshold=0.01):
    return mu.std(dim=0, correction=0) > threshold


# %% cell="active_units" name="price"
# You ask what a unit costs. A unit with the same mean for every example may be expensive and says nothing: look at how
# the means vary.
def active_units(mu, logvar, threshold=0.01):
    return 0.5 * (logvar.exp() + mu.square() - 1 - logvar).mean(dim=0) > threshold


# %% cell="active_units" name="width_of_the_cloud"
# You look at the posterior variances, that is how wide the clouds are. Active is a unit whose means move from example to
# example.
def active_units(mu, logvar, threshold=0.01):
    return logvar.exp().mean(dim=0) > threshold


# %% cell="active_units" name="not_centered"
# You average the squares of the means without subtracting their average. A unit with the mean 3 for every example would
# count.
def active_units(mu, logvar, threshold=0.01):
    return mu.square().mean(dim=0) > threshold


# %% cell="active_units" name="other_axis"
# You take the variance over the units of each example (dim=1). It is over the examples, for each unit: dim=0.
def active_units(mu, logvar, threshold=0.01):
    return mu.var(dim=1, correction=0) > threshold


# %% cell="active_units" name="number_of_them"
# You return how many units are active. The task asks which: True or False for each unit.
def active_units(mu, logvar, threshold=0.01):
    return (mu.var(dim=0, correction=0) > threshold).sum()


# %% cell="active_units" name="threshold_ignored"
# You compare with 0.01 whatever the threshold is. Use the argument.
def active_units(mu, logvar, threshold=0.01):
    return mu.var(dim=0, correction=0) > 0.01


# %% cell="generate" name="most_likely_values"
# You round the probabilities. That gives the most likely value and no draw: a pixel with p = 0.6 must be 0 in 40 % of the
# examples.
def generate(decoder, n, latent_dim, generator):
    z = torch.randn(n, latent_dim, generator=generator)
    return (torch.sigmoid(decoder(z)) > 0.5).double()


# %% cell="generate" name="means"
# You return probabilities, the means of the examples. The last step is missing: draw a 0 or a 1 with each of them.
def generate(decoder, n, latent_dim, generator):
    z = torch.randn(n, latent_dim, generator=generator)
    return torch.sigmoid(decoder(z))


# %% cell="generate" name="uniform_codes"
# You draw the codes with torch.rand, uniformly from 0 to 1. The prior is N(0, I): torch.randn.
def generate(decoder, n, latent_dim, generator):
    z = torch.rand(n, latent_dim, generator=generator)
    return torch.bernoulli(torch.sigmoid(decoder(z)), generator=generator)


# %% cell="generate" name="one_code_for_all"
# You draw one code and use it for all examples. Each example has a code of its own.
def generate(decoder, n, latent_dim, generator):
    z = torch.randn(1, latent_dim, generator=generator).repeat(n, 1)
    return torch.bernoulli(torch.sigmoid(decoder(z)), generator=generator)


# %% cell="generate" name="logits_for_probabilities"
# You take the decoder's output for probabilities. They are logits: the sigmoid is missing.
def generate(decoder, n, latent_dim, generator):
    z = torch.randn(n, latent_dim, generator=generator)
    return torch.bernoulli(decoder(z).clamp(0, 1), generator=generator)


# %% cell="generate" name="turned_around"
# You return a 1 where the uniform draw is above p, so zeros and ones are swapped. It is below p with probability p.
def generate(decoder, n, latent_dim, generator):
    p = torch.sigmoid(decoder(torch.randn(n, latent_dim, generator=generator)))
    return (torch.rand(p.shape, generator=generator) > p).double()


# %% cell="generate" name="global_generator"
# Your examples do not come from the generator that you are given. Pass generator=generator wherever you draw.
def generate(decoder, n, latent_dim, generator):
    return torch.bernoulli(torch.sigmoid(decoder(torch.randn(n, latent_dim))))


# %% cell="generate" name="one_draw_for_each_example"
# You compare all values of an example with one uniform draw. Given the code, the values are independent: draw one for
# each.
def generate(decoder, n, latent_dim, generator):
    p = torch.sigmoid(decoder(torch.randn(n, latent_dim, generator=generator)))
    return (torch.rand(n, 1, generator=generator) < p).double()


# %% cell="generate" name="codes_independent_of_each_other"
# You draw a new code for each value of an example. One code is shared by all its values: that is how they know of each
# other.
def generate(decoder, n, latent_dim, generator):
    p = torch.sigmoid(decoder(torch.randn(n, latent_dim, generator=generator)))
    p = torch.stack(
        [p[torch.randperm(n, generator=generator), j] for j in range(p.shape[1])], 1
    )
    return torch.bernoulli(p, generator=generator)


# %% cell="kl_price" name="maximum_before_mean"
# You take the maximum for each example and the mean afterwards. Take the mean over the batch first: free bits are for the
# unit.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min(step / max(warmup_steps, 1), 1)
    return beta * warmed_up * kl.clamp(min=free_bits).mean(dim=0).sum()


# %% cell="kl_price" name="free_bits_of_the_sum"
# You compare the sum over the units with the free bits. Each unit has its own: take the maximum first and the sum
# afterwards.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min(step / max(warmup_steps, 1), 1)
    return beta * warmed_up * kl.mean(dim=0).sum().clamp(min=free_bits)


# %% cell="kl_price" name="free_bits_subtracted"
# You subtract the free bits. The formula is the maximum of the two, so a unit above its free bits pays all that it costs.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min(step / max(warmup_steps, 1), 1)
    return beta * warmed_up * (kl.mean(dim=0) - free_bits).clamp(min=0).sum()


# %% cell="kl_price" name="minimum_for_maximum"
# You take the minimum, so a unit never pays more than its free bits. It is the maximum of the two.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min(step / max(warmup_steps, 1), 1)
    return beta * warmed_up * kl.mean(dim=0).clamp(max=free_bits).sum()


# %% cell="kl_price" name="cheap_units_for_nothing"
# You leave units below their free bits out. They pay the free bits themselves; that is a constant, so they have no
# gradient either.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min(step / max(warmup_steps, 1), 1)
    rates = kl.mean(dim=0)
    return beta * warmed_up * rates[rates > free_bits].sum()


# %% cell="kl_price" name="sum_over_the_batch"
# You sum over the examples. What a unit costs is the mean over the batch.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min(step / max(warmup_steps, 1), 1)
    return beta * warmed_up * kl.sum(dim=0).clamp(min=free_bits).sum()


# %% cell="kl_price" name="mean_over_the_units"
# You take the mean over the units. The prices of the units add up: sum over them.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min(step / max(warmup_steps, 1), 1)
    return beta * warmed_up * kl.mean(dim=0).clamp(min=free_bits).mean()


# %% cell="kl_price" name="steps_from_zero"
# Your warm-up is one step late. Steps are counted from 1: in step 1 the weight is beta / T, and in step T it is beta.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min((step - 1) / warmup_steps, 1) if warmup_steps else 1
    return beta * warmed_up * kl.mean(dim=0).clamp(min=free_bits).sum()


# %% cell="kl_price" name="never_warm"
# Your weight goes on rising after the warm-up. It stays at beta from step T on.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = step / warmup_steps if warmup_steps else 1
    return beta * warmed_up * kl.mean(dim=0).clamp(min=free_bits).sum()


# %% cell="kl_price" name="warm_up_to_one"
# You stop the warm-up at the weight 1. It ends at beta, which may be smaller or larger.
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    weight = min(beta * step / warmup_steps, 1) if warmup_steps else beta
    return weight * kl.mean(dim=0).clamp(min=free_bits).sum()


# %% cell="kl_price" name="no_gradient"
# Your price is right, but it has no gradient, so no unit would ever feel it. Stay with tensors: no detach(), item() or
# float().
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    warmed_up = min(step / max(warmup_steps, 1), 1)
    return beta * warmed_up * kl.detach().mean(dim=0).clamp(min=free_bits).sum()


# %% cell="log_mean_exp" name="straight_through"
# You compute the weights themselves. Weights such as exp(1000) are infinite on a computer and exp(-1000) is zero:
# subtract the largest logarithm of each row first.
def log_mean_exp(a):
    return a.exp().mean(dim=1).log()


# %% cell="log_mean_exp" name="sum_for_mean"
# You return the logarithm of the sum. The mean divides it by K.
def log_mean_exp(a):
    largest = a.amax(dim=1, keepdim=True)
    return largest.squeeze(1) + (a - largest).exp().sum(dim=1).log()


# %% cell="log_mean_exp" name="mean_of_logarithms"
# You average the logarithms. The logarithm of the mean is larger, and that is what tightens the bound.
def log_mean_exp(a):
    return a.mean(dim=1)


# %% cell="log_mean_exp" name="maximum_not_added"
# You subtract the largest logarithm of each row and do not add it again. Outside the logarithm it comes back as a summand.
def log_mean_exp(a):
    return (a - a.amax(dim=1, keepdim=True)).exp().mean(dim=1).log()


# %% cell="log_mean_exp" name="mean_subtracted"
# You subtract the mean of the row. An entry far above it still overflows: subtract the largest one.
def log_mean_exp(a):
    m = a.mean(dim=1, keepdim=True)
    return m.squeeze(1) + (a - m).exp().mean(dim=1).log()


# %% cell="log_mean_exp" name="one_maximum_for_all"
# You subtract the largest entry of the whole tensor. In a row that lies far below it all terms become zero: each row
# needs its own.
def log_mean_exp(a):
    return a.max() + (a - a.max()).exp().mean(dim=1).log()


# %% cell="log_mean_exp" name="other_axis"
# You average over the examples (dim=0). The mean is over the K weights of each example, dim=1.
def log_mean_exp(a):
    largest = a.amax(dim=0, keepdim=True)
    return largest.squeeze(0) + (a - largest).exp().mean(dim=0).log()


# %% cell="log_mean_exp" name="largest_alone"
# You return the largest entry. It leads the sum, but the others and the division by K count as well.
def log_mean_exp(a):
    return a.amax(dim=1)


# %% cell="log_mean_exp" name="divided_outside"
# You divide the logarithm by K. The sum inside the logarithm is divided by K, so log K is subtracted.
def log_mean_exp(a):
    largest = a.amax(dim=1, keepdim=True)
    return (largest.squeeze(1) + (a - largest).exp().sum(dim=1).log()) / a.shape[1]


# %% cell="importance_bound" name="mean_of_logarithms"
# You average the logarithms of the weights. That is the ELBO, whatever K: average the weights and take the logarithm of
# that.
def importance_bound(log_likelihood, z, mu, logvar):
    scaled = (z - mu[:, None]) * torch.exp(-0.5 * logvar)[:, None]
    log_p, log_q = -0.5 * z.square().sum(2), -0.5 * (scaled.square() + logvar[:, None]).sum(2)
    return (log_likelihood + log_p - log_q).mean(dim=1)


# %% cell="importance_bound" name="no_prior"
# You leave out the prior, log p(z). A weight is p(x | z) p(z) / q(z | x).
def importance_bound(log_likelihood, z, mu, logvar):
    scaled = (z - mu[:, None]) * torch.exp(-0.5 * logvar)[:, None]
    log_q = -0.5 * (scaled.square() + logvar[:, None] + math.log(2 * math.pi)).sum(2)
    log_w = log_likelihood - log_q
    return torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1])


# %% cell="importance_bound" name="likelihood_alone"
# You average the likelihoods alone. That is right for draws from the prior; yours come from q, and need the weights p(z)
# / q(z | x).
def importance_bound(log_likelihood, z, mu, logvar):
    return torch.logsumexp(log_likelihood, dim=1) - math.log(log_likelihood.shape[1])


# %% cell="importance_bound" name="ratio_turned_around"
# You multiply by q(z | x) and divide by p(z). It is the other way around: a draw that q likes more than the prior
# counts less.
def importance_bound(log_likelihood, z, mu, logvar):
    scaled = (z - mu[:, None]) * torch.exp(-0.5 * logvar)[:, None]
    log_p, log_q = -0.5 * z.square().sum(2), -0.5 * (scaled.square() + logvar[:, None]).sum(2)
    log_w = log_likelihood - log_p + log_q
    return torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1])


# %% cell="importance_bound" name="weights_underflow"
# You compute the weights themselves, and exp(-2000) is zero on a computer. Stay with logarithms: torch.logsumexp does.
def importance_bound(log_likelihood, z, mu, logvar):
    scaled = (z - mu[:, None]) * torch.exp(-0.5 * logvar)[:, None]
    log_p, log_q = -0.5 * z.square().sum(2), -0.5 * (scaled.square() + logvar[:, None]).sum(2)
    return (log_likelihood + log_p - log_q).exp().mean(dim=1).log()


# %% cell="importance_bound" name="sum_for_mean"
# You sum the weights. The bound has their mean: subtract log K.
def importance_bound(log_likelihood, z, mu, logvar):
    scaled = (z - mu[:, None]) * torch.exp(-0.5 * logvar)[:, None]
    log_p, log_q = -0.5 * z.square().sum(2), -0.5 * (scaled.square() + logvar[:, None]).sum(2)
    return torch.logsumexp(log_likelihood + log_p - log_q, dim=1)


# %% cell="importance_bound" name="no_log_determinant"
# Your density of q lacks the sum of logvar. A narrow cloud is high: log q has -1/2 log sigma^2 for each value of the
# code.
def importance_bound(log_likelihood, z, mu, logvar):
    scaled = (z - mu[:, None]) * torch.exp(-0.5 * logvar)[:, None]
    log_w = log_likelihood + 0.5 * (scaled.square() - z.square()).sum(2)
    return torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1])


# %% cell="importance_bound" name="log_variance_for_log_deviation"
# You take logvar for the logarithm of the standard deviation. It is that of the variance.
def importance_bound(log_likelihood, z, mu, logvar):
    scaled = (z - mu[:, None]) * torch.exp(-logvar)[:, None]
    log_p, log_q = (
        -0.5 * z.square().sum(2),
        -0.5 * (scaled.square() + 2 * logvar[:, None]).sum(2),
    )
    log_w = log_likelihood + log_p - log_q
    return torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1])


# %% cell="importance_bound" name="closed_form_price"
# You average the likelihoods and subtract the KL in closed form. That is no bound any more: each draw has a weight p(z) /
# q(z | x) of its own, inside the mean.
def importance_bound(log_likelihood, z, mu, logvar):
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    return torch.logsumexp(log_likelihood, dim=1) - math.log(log_likelihood.shape[1]) - kl


# %% cell="importance_bound" name="best_draw"
# You return the weight of the best draw. The bound has the mean of all K weights.
def importance_bound(log_likelihood, z, mu, logvar):
    scaled = (z - mu[:, None]) * torch.exp(-0.5 * logvar)[:, None]
    log_p, log_q = -0.5 * z.square().sum(2), -0.5 * (scaled.square() + logvar[:, None]).sum(2)
    return (log_likelihood + log_p - log_q).amax(dim=1)


# %% cell="training_step" name="old_gradients"
# You do not set the gradients to zero first, so those of earlier steps are added to the new ones: call
# optimizer.zero_grad() before backward().
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="bound_minimized"
# You minimize the bound, log p minus the price. The bound is to become large: the loss is its negative.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = -(nll + beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="price_subtracted"
# You subtract the price from the reconstruction loss, so a cloud far from the prior is rewarded. In the loss both have a
# plus.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll - beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="mean_over_values"
# You average the reconstruction over the values of an example and sum the price over the code. That trains with d times
# the beta that was asked for, and the code falls silent. Sum both.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = nll + beta * kl.mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="sum_over_the_batch"
# You sum over the batch. The loss is the mean over the examples, so that a step does not grow with the batch.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="no_beta"
# You leave out beta. It is the weight of the price: multiply the KL term by it.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="draw_detached"
# You detach the code before decoding it, so the encoder hears of the price and never of the reconstruction. Let the
# gradient through.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder((mu + torch.exp(0.5 * logvar) * eps).detach())
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="log_variance_for_log_deviation"
# You draw with exp(logvar) as the standard deviation, but pay for exp(logvar / 2). The cloud that is drawn is not the one
# that is paid for.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="halves_swapped"
# You read the encoder's output the wrong way around. The means come first, then the log-variances.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    logvar, mu = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="mean_decoded"
# You decode the mean and draw nothing. Without the noise the decoder never learns what lies around a code: use eps.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    nll = F.binary_cross_entropy_with_logits(decoder(mu), x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="own_optimizer"
# You make an optimizer of your own. Use the one that you are given: it knows the step size, and what it has learned in
# earlier steps.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cell="training_step" name="no_step"
# Your weights never change. The optimizer takes its step after backward(), and the gradients are set to zero before that,
# not in between.
def training_step(encoder, decoder, optimizer, x, eps, beta):
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    return loss.item()
