# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="reparameterize" name="loops"
def reparameterize(mu, logvar, eps):
    flat = eps.reshape(-1, *mu.shape)
    z = torch.stack([mu + logvar.exp().sqrt() * one for one in flat])
    return z.reshape(eps.shape)


# %% cell="gaussian_kl" name="loops"
def gaussian_kl(mu, logvar):
    totals = []
    for m, v in zip(mu, logvar):
        total = torch.zeros(())
        for j in range(len(m)):
            total = total + 0.5 * (torch.exp(v[j]) + m[j] ** 2 - 1 - v[j])
        totals.append(total)
    return torch.stack(totals)


# %% cell="bernoulli_elbo" name="loops"
def bernoulli_elbo(x, logits, kl):
    bounds = []
    for one, a, price in zip(x, logits, kl):
        sure = torch.where(one == 1, F.logsigmoid(a), F.logsigmoid(-a))
        bounds.append(sure.sum() - price)
    return torch.stack(bounds)


# %% cell="gaussian_elbo" name="loops"
def gaussian_elbo(x, x_hat, sigma, kl):
    bounds = []
    for one, mean, price in zip(x, x_hat, kl):
        scaled = (one - mean).flatten() / sigma
        density = -0.5 * scaled @ scaled
        for _ in range(len(scaled)):
            density = density - torch.log(sigma * math.sqrt(2 * math.pi))
        bounds.append(density - price)
    return torch.stack(bounds)


# %% cell="active_units" name="loops"
def active_units(mu, logvar, threshold=0.01):
    found = []
    for unit in mu.T.tolist():
        mean = sum(unit) / len(unit)
        found.append(sum((value - mean) ** 2 for value in unit) / len(unit) > threshold)
    return torch.tensor(found)


# %% cell="generate" name="loops"
def generate(decoder, n, latent_dim, generator):
    # Codes one by one, values by comparing uniform draws; the examples are not those of the model.
    z = torch.cat([torch.randn(1, latent_dim, generator=generator) for _ in range(n)])
    p = torch.sigmoid(decoder(z)).detach()
    return torch.stack([(torch.rand(len(row), generator=generator) < row).long() for row in p])


# %% cell="kl_price" name="loops"
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    weight = beta
    if step < warmup_steps:
        weight = beta * step / warmup_steps
    price = torch.zeros(())
    for unit in kl.T:
        rate = sum(unit) / len(unit)
        price = price + (rate if rate > free_bits else torch.tensor(free_bits))
    return weight * price


# %% cell="log_mean_exp" name="loops"
def log_mean_exp(a):
    found = []
    for row in a:
        m = max(row.tolist())
        found.append(m + torch.log(sum(torch.exp(value - m) for value in row) / len(row)))
    return torch.stack(found)


# %% cell="importance_bound" name="loops"
def importance_bound(log_likelihood, z, mu, logvar):
    bounds = []
    for b in range(len(z)):
        log_w = []
        for i in range(z.shape[1]):
            log_p = sum(-0.5 * v**2 - 0.5 * math.log(2 * math.pi) for v in z[b, i])
            log_q = sum(
                -0.5 * (v - m) ** 2 / torch.exp(s) - 0.5 * s - 0.5 * math.log(2 * math.pi)
                for v, m, s in zip(z[b, i], mu[b], logvar[b])
            )
            log_w.append(log_likelihood[b, i] + log_p - log_q)
        largest = max(w.item() for w in log_w)
        mean = sum(torch.exp(w - largest) for w in log_w) / len(log_w)
        bounds.append(largest + torch.log(mean))
    return torch.stack(bounds)


# %% cell="training_step" name="loops"
def training_step(encoder, decoder, optimizer, x, eps, beta):
    # The loss of each example on its own.
    optimizer.zero_grad()
    total = 0.0
    for one, noise in zip(x, eps):
        out = encoder(one[None])[0]
        k = len(out) // 2
        m, v = out[:k], out[k:]
        a = decoder((m + v.exp().sqrt() * noise)[None])[0]
        nll = -(one * F.logsigmoid(a) + (1 - one) * F.logsigmoid(-a)).sum()
        total = total + nll + beta * 0.5 * (v.exp() + m**2 - 1 - v).sum()
    (total / len(x)).backward()
    optimizer.step()
    return float(total / len(x))


# %% cell="reparameterize" name="functional"
def reparameterize(mu, logvar, eps):
    return torch.addcmul(mu.expand_as(eps), torch.sqrt(torch.exp(logvar)).expand_as(eps), eps)


# %% cell="gaussian_kl" name="functional"
def gaussian_kl(mu, logvar):
    # expm1 is more exact for variances near 1.
    return torch.einsum("bk->b", torch.expm1(logvar) - logvar + mu**2) / 2


# %% cell="bernoulli_elbo" name="functional"
def bernoulli_elbo(x, logits, kl):
    # x a - log(1 + exp(a)), all axes but the first.
    log_p = x * logits - F.softplus(logits)
    return log_p.sum(dim=tuple(range(1, x.ndim))) - kl


# %% cell="gaussian_elbo" name="functional"
def gaussian_elbo(x, x_hat, sigma, kl):
    rest = tuple(range(1, x.ndim))
    log_density = -((x - x_hat) ** 2) / (2 * sigma**2) - 0.5 * torch.log(2 * math.pi * sigma**2)
    return log_density.sum(dim=rest) - kl


# %% cell="active_units" name="functional"
def active_units(mu, logvar, threshold=0.01):
    return torch.cov(mu.T, correction=0).reshape(mu.shape[1], -1).diagonal().gt(threshold)


# %% cell="generate" name="functional"
def generate(decoder, n, latent_dim, generator):
    z = torch.empty(n, latent_dim).normal_(generator=generator)
    logits = decoder(z)
    # The logistic trick: u < sigmoid(a) exactly where logit(u) < a.
    return torch.where(torch.rand(logits.shape, generator=generator).logit() < logits, 1.0, 0.0)


# %% cell="kl_price" name="functional"
def kl_price(kl, step, beta=1.0, warmup_steps=0, free_bits=0.0):
    weight = 1.0 if warmup_steps == 0 else float(np.clip(step / warmup_steps, 0, 1))
    return weight * beta * (F.relu(kl.mean(0) - free_bits) + free_bits).sum()


# %% cell="log_mean_exp" name="functional"
def log_mean_exp(a):
    # The largest entry as a constant: the gradient is the same.
    largest = a.detach().max(dim=1).values
    return torch.log(torch.exp(a - largest[:, None]).sum(1)) + largest - math.log(a.size(1))


# %% cell="importance_bound" name="functional"
def importance_bound(log_likelihood, z, mu, logvar):
    mu, logvar = mu[:, None], logvar[:, None]
    log_ratio = 0.5 * ((z - mu) ** 2 / logvar.exp() + logvar - z**2)
    log_w = log_likelihood + log_ratio.sum(-1)
    return torch.logsumexp(log_w - math.log(z.size(1)), -1)


# %% cell="training_step" name="functional"
def training_step(encoder, decoder, optimizer, x, eps, beta):
    def loss():
        optimizer.zero_grad(set_to_none=False)
        out = encoder(x)
        k = out.shape[1] // 2
        a = decoder(out[:, :k] + torch.exp(out[:, k:] / 2) * eps)
        price = (out[:, k:].exp() + out[:, :k] ** 2 - out[:, k:] - 1).sum() / 2
        value = (F.softplus(a).sum() - (x * a).sum() + beta * price) / x.shape[0]
        value.backward()
        return value

    return float(optimizer.step(loss))


# %% cell="bernoulli_elbo" name="distributions"
def bernoulli_elbo(x, logits, kl):
    p = torch.distributions.Independent(
        torch.distributions.Bernoulli(logits=logits), x.ndim - 1
    )
    return p.log_prob(x) - kl


# %% cell="active_units" name="distributions"
def active_units(mu, logvar, threshold=0.01):
    return torch.from_numpy(np.var(mu.numpy(), axis=0)) > threshold


# %% cell="generate" name="distributions"
def generate(decoder, n, latent_dim, generator):
    # Through the numbers of numpy, seeded by a number from the generator; float32 at the end.
    chance = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    logits = decoder(torch.from_numpy(chance.standard_normal((n, latent_dim)))).detach().numpy()
    return torch.from_numpy(chance.binomial(1, 1 / (1 + np.exp(-logits)))).float()


# %% cell="training_step" name="distributions"
def training_step(encoder, decoder, optimizer, x, eps, beta):
    from torch.distributions import Bernoulli, Normal, kl_divergence

    mu, logvar = torch.split(encoder(x), eps.shape[1], dim=1)
    q = Normal(mu, torch.exp(logvar / 2))
    likelihood = Bernoulli(logits=decoder(q.loc + q.scale * eps))
    price = kl_divergence(q, Normal(0.0, 1.0)).sum(1)
    loss = torch.mean(beta * price - likelihood.log_prob(x).sum(1))
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
        parameter.grad = gradient
    optimizer.step()
    return loss.detach().numpy().item()
