# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="nearest" name="loops"
def nearest(tokens, codebook):
    found = []
    for token in tokens:
        distances = [float(((token - entry) ** 2).sum()) for entry in codebook]
        found.append(distances.index(min(distances)))
    return torch.tensor(found)


# %% cell="straight_through" name="loops"
def straight_through(z_e, z_q):
    return torch.stack([e - e.detach() + q.detach() for e, q in zip(z_e, z_q)])


# %% cell="vq_terms" name="loops"
def vq_terms(z_e, z_q):
    commitment, codebook = 0.0, 0.0
    for e, q in zip(z_e, z_q):
        commitment = commitment + sum((a - b.detach()) ** 2 for a, b in zip(e, q)) / len(z_e)
        codebook = codebook + sum((b - a.detach()) ** 2 for a, b in zip(e, q)) / len(z_e)
    return commitment, codebook


# %% cell="usage" name="loops"
def usage(indices, num_codes):
    found = indices.reshape(-1).tolist()
    shares = [found.count(code) / len(found) for code in range(num_codes)]
    perplexity = math.prod(share**-share for share in shares if share > 0)
    return torch.tensor(perplexity), sum(share == 0 for share in shares)


# %% cell="ema_step" name="loops"
def ema_step(codebook, counts, sums, tokens, indices, decay):
    codebook, counts, sums = codebook.clone(), counts * decay, sums * decay
    for token, j in zip(tokens, indices.tolist()):
        counts[j] += 1 - decay
        sums[j] += (1 - decay) * token
    for j in range(len(codebook)):
        if counts[j] > 0:
            codebook[j] = sums[j] / counts[j]
    return codebook, counts, sums


# %% cell="kernels" name="loops"
def kernels(squared, scale):
    rbf, imq = torch.empty_like(squared), torch.empty_like(squared)
    for place in np.ndindex(tuple(squared.shape)):
        rbf[place] = math.exp(-0.5 * float(squared[place]) / scale**2)
        imq[place] = 1 / (1 + float(squared[place]) / scale**2)
    return rbf, imq


# %% cell="mmd" name="loops"
def mmd(a, b, kernel):
    def k(u, v):
        return kernel(((u - v) ** 2).sum())

    n, m = len(a), len(b)
    within_a = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j)
    within_b = sum(k(b[i], b[j]) for i in range(m) for j in range(i)) * 2
    across = sum(k(u, v) for u in a for v in b)
    return within_a / (n * n - n) + within_b / (m * m - m) - 2 * across / (n * m)


# %% cell="disc_loss" name="loops"
def disc_loss(prior_logits, code_logits):
    loss = torch.zeros(())
    for logit in prior_logits:
        loss = loss - F.logsigmoid(logit).sum() / len(prior_logits)
    for logit in code_logits:
        loss = loss - F.logsigmoid(-logit).sum() / len(code_logits)
    return loss


# %% cell="encoder_loss" name="loops"
def encoder_loss(code_logits, saturating=False):
    total = 0.0
    for logit in code_logits.reshape(-1):
        total = total + (F.logsigmoid(-logit) if saturating else -F.logsigmoid(logit))
    return total / code_logits.numel()


# %% cell="adversarial_step" name="loops"
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    # The batch in small pieces; gradients add up.
    disc_optimizer.zero_grad()
    disc, recon, adv = 0.0, 0.0, 0.0
    with torch.no_grad():
        codes = encoder(x)
    for some, draws in zip(codes.split(40), z_prior.split(40)):
        loss = (F.softplus(critic(some)).sum() + F.softplus(-critic(draws)).sum()) / len(x)
        loss.backward()
        disc += loss.item()
    disc_optimizer.step()
    ae_optimizer.zero_grad()
    for some in x.split(40):
        z = encoder(some)
        error = ((some - decoder(z)) ** 2).sum() / len(x)
        pull = -F.logsigmoid(critic(z)).sum() / len(x)
        (error + weight * pull).backward()
        recon, adv = recon + error.item(), adv + pull.item()
    ae_optimizer.step()
    return disc, recon, adv


# %% cell="nearest" name="numpy"
def nearest(tokens, codebook):
    differences = tokens.numpy()[:, None] - codebook.numpy()[None]
    return torch.from_numpy(np.argmin(np.linalg.norm(differences, axis=-1), axis=-1))


# %% cell="usage" name="numpy"
def usage(indices, num_codes):
    # A small number in the logarithm is right here: it is multiplied by p = 0.
    _, counts = np.unique(indices.numpy(), return_counts=True)
    p = np.zeros(num_codes)
    p[: len(counts)] = counts / counts.sum()
    return torch.tensor(np.exp(-(p * np.log(p + 1e-12)).sum())), num_codes - len(counts)


# %% cell="ema_step" name="numpy"
def ema_step(codebook, counts, sums, tokens, indices, decay):
    n = np.bincount(indices.numpy(), minlength=len(codebook))
    s = np.zeros(codebook.shape)
    np.add.at(s, indices.numpy(), tokens.numpy())
    new_counts = decay * counts.numpy() + (1 - decay) * n
    new_sums = decay * sums.numpy() + (1 - decay) * s
    entries = codebook.numpy().copy()
    np.divide(new_sums, new_counts[:, None], out=entries, where=new_counts[:, None] > 0)
    return torch.from_numpy(entries), torch.from_numpy(new_counts), torch.from_numpy(new_sums)


# %% cell="kernels" name="numpy"
def kernels(squared, scale):
    array = squared.numpy()
    rbf, imq = np.exp(-array / (2 * scale * scale)), scale * scale / (scale * scale + array)
    return torch.as_tensor(rbf), torch.as_tensor(imq)


# %% cell="nearest" name="functional"
def nearest(tokens, codebook):
    # |z - e|^2 without |z|^2, which is the same for all entries.
    return (codebook.square().sum(1) / 2 - tokens @ codebook.T).argmin(1)


# %% cell="straight_through" name="functional"
class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z_e, z_q):
        return z_q.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def straight_through(z_e, z_q):
    return _StraightThrough.apply(z_e, z_q)


# %% cell="vq_terms" name="functional"
def vq_terms(z_e, z_q):
    k = z_e.shape[1]
    return k * F.mse_loss(z_e, z_q.detach()), k * F.mse_loss(z_q, z_e.detach())


# %% cell="usage" name="functional"
def usage(indices, num_codes):
    p = F.one_hot(indices.reshape(-1), num_codes).double().mean(dim=0)
    used = p[p > 0]
    return torch.exp(torch.special.entr(used).sum()), torch.tensor(num_codes - len(used))


# %% cell="ema_step" name="functional"
def ema_step(codebook, counts, sums, tokens, indices, decay):
    # A gradient step toward the mean of the cell, with a step size for each entry.
    n = torch.zeros_like(counts).index_add(0, indices, torch.ones(len(tokens)))
    s = torch.zeros_like(sums).index_add(0, indices, tokens)
    new = torch.lerp(counts, n, 1 - decay)
    rate = torch.where(new > 0, (1 - decay) / new.clamp(min=1e-300), 0.0)
    moved = codebook + rate[:, None] * (s - n[:, None] * codebook)
    return moved, new, torch.lerp(sums, s, 1 - decay)


# %% cell="kernels" name="functional"
def kernels(squared, scale):
    ratio = squared / scale**2
    return torch.exp(ratio).rsqrt(), torch.reciprocal(1 + ratio)


# %% cell="mmd" name="functional"
def mmd(a, b, kernel):
    # One matrix of all pairs, with the weights of the three means.
    n, m = len(a), len(b)
    both = torch.cat([a, b])
    k = kernel(torch.pow(both.unsqueeze(0) - both.unsqueeze(1), 2).sum(-1))
    weights = torch.full_like(k, -1 / (n * m))
    weights[:n, :n], weights[n:, n:] = 1 / (n * (n - 1)), 1 / (m * (m - 1))
    weights.fill_diagonal_(0)
    return (weights * k).sum()


# %% cell="disc_loss" name="functional"
def disc_loss(prior_logits, code_logits):
    bce = F.binary_cross_entropy_with_logits
    right = bce(prior_logits, torch.ones_like(prior_logits))
    return right + bce(code_logits, torch.zeros_like(code_logits))


# %% cell="encoder_loss" name="functional"
def encoder_loss(code_logits, saturating=False):
    label = torch.full_like(code_logits, 0.0 if saturating else 1.0)
    sign = -1 if saturating else 1
    return sign * F.binary_cross_entropy_with_logits(code_logits, label)


# %% cell="adversarial_step" name="functional"
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    def disc_loss_():
        disc_optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            z = encoder(x)
        logits = critic(torch.cat([z_prior, z]))
        label = torch.cat([torch.ones(len(z_prior), 1), torch.zeros(len(z), 1)])
        loss = 2 * F.binary_cross_entropy_with_logits(logits, label)
        loss.backward()
        return loss

    disc = disc_optimizer.step(disc_loss_)
    z = encoder(x)
    recon = F.mse_loss(decoder(z), x, reduction="sum") / len(x)
    adv = -F.logsigmoid(critic(z)).mean()
    parameters = [p for group in ae_optimizer.param_groups for p in group["params"]]
    for p, gradient in zip(parameters, torch.autograd.grad(recon + weight * adv, parameters)):
        p.grad = gradient
    ae_optimizer.step()
    return float(disc), float(recon), float(adv)


# %% cell="nearest" name="cdist"
def nearest(tokens, codebook):
    return (
        torch.cdist(tokens, codebook, compute_mode="donot_use_mm_for_euclid_dist")
        .min(1)
        .indices
    )


# %% cell="mmd" name="cdist"
def mmd(a, b, kernel):
    def within(u):
        k = kernel(torch.cdist(u, u).square())
        return k[~torch.eye(len(u), dtype=torch.bool)].mean()

    return within(a) + within(b) - 2 * kernel(torch.cdist(a, b) ** 2).mean()


# %% cell="adversarial_step" name="cdist"
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    # The discriminator is switched off in the second phase, which is not needed and does no harm.
    z = encoder(x)
    disc = F.softplus(critic(z.detach())).mean() - F.logsigmoid(critic(z_prior)).mean()
    critic.zero_grad()
    disc.backward()
    disc_optimizer.step()
    critic.requires_grad_(False)
    recon = torch.linalg.vector_norm(x - decoder(z), dim=1).pow(2).mean()
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    loss = recon + weight * adv
    loss.backward()
    ae_optimizer.step()
    critic.requires_grad_(True)
    return disc.item(), recon.item(), adv.item()
