# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="gaussian_noise" name="loops"
def gaussian_noise(x, sigma, generator):
    x_tilde = x.clone()
    for row in x_tilde:
        row += torch.normal(0.0, 1.0, row.shape, generator=generator) * sigma
    return x_tilde


# %% cell="masking_noise" name="loops"
def masking_noise(x, p, generator):
    rows = []
    for row in x:
        gone = torch.rand(row.shape, generator=generator) < p
        rows.append(row.masked_fill(gone, 0.0))
    return torch.stack(rows)


# %% cell="salt_and_pepper" name="loops"
def salt_and_pepper(x, p, low, high, generator):
    # One uniform number is enough if its ends are used.
    x_tilde = x.clone()
    for row in x_tilde:
        u = torch.rand(row.shape, generator=generator)
        row[u < p / 2] = low
        row[u >= 1 - p / 2] = high
    return x_tilde


# %% cell="denoising_loss" name="loops"
def denoising_loss(r, x, corrupt, generator):
    x_hat = r(corrupt(x, generator))
    total = 0
    for one, one_hat in zip(x, x_hat):
        for a, b in zip(one, one_hat):
            total = total + (a - b) ** 2 / 2 + 0.5 * math.log(2 * math.pi)
    return total / len(x)


# %% cell="linear_for_gaussian" name="loops"
def linear_for_gaussian(S, sigma):
    # One eigenvector at a time.
    W = torch.zeros_like(S)
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    for eigenvalue, u in zip(eigenvalues, eigenvectors.T):
        W += eigenvalue / (eigenvalue + sigma**2) * torch.outer(u, u)
    return W


# %% cell="linear_for_masking" name="loops"
def linear_for_masking(S, p):
    # The normal equations, with the mean over all masks.
    import itertools

    d = len(S)
    noisy, mixed = torch.zeros(d, d), torch.zeros(d, d)
    for mask in itertools.product([0.0, 1.0], repeat=d):
        m = torch.tensor(mask)
        chance = (1 - p) ** m.sum() * p ** (d - m.sum())
        noisy += chance * torch.outer(m, m) * S
        mixed += chance * S * m
    return mixed @ torch.linalg.inv(noisy)


# %% cell="score" name="loops"
def score(r, x_tilde, sigma):
    rows = [(r(one[None])[0] - one) / (sigma * sigma) for one in x_tilde]
    return torch.stack(rows)


# %% cell="walk" name="loops"
def walk(r, x, num_steps, eta):
    path = torch.empty(num_steps + 1, *x.shape)
    path[0] = x
    for t in range(num_steps):
        here = path[t].clone()
        path[t + 1] = (1 - eta) * here + eta * r(here).detach()
    return path


# %% cell="train" name="loops"
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = torch.zeros(num_steps)
    for step in range(num_steps):
        r.zero_grad()
        x_tilde = corrupt(x.clone(), generator)
        # Gradients of parts of the batch add up to that of the whole.
        for part, part_tilde in zip(x.chunk(3), x_tilde.chunk(3)):
            loss = ((r(part_tilde) - part) ** 2).sum() / len(x)
            loss.backward()
            losses[step] += loss.detach()
        optimizer.step()
    return losses


# %% cell="posterior_mean" name="loops"
def posterior_mean(x_tilde, weights, means, taus, sigma):
    answers = []
    for one in x_tilde:
        logs, places = [], []
        for weight, mean, tau in zip(weights.tolist(), means, taus.tolist()):
            v = tau**2 + sigma**2
            squared = float(((one - mean) ** 2).sum())
            logs.append(
                math.log(weight) - squared / (2 * v) - len(one) / 2 * math.log(2 * math.pi * v)
            )
            places.append((sigma**2 * mean + tau**2 * one) / v)
        shares = [math.exp(log - max(logs)) for log in logs]
        answers.append(sum(s * place for s, place in zip(shares, places)) / sum(shares))
    return torch.stack(answers)


# %% cell="gaussian_noise" name="numpy"
def gaussian_noise(x, sigma, generator):
    seed = int(torch.randint(2**31, (), generator=generator))
    eps = np.random.default_rng(seed).normal(size=tuple(x.shape))
    return torch.from_numpy(x.numpy() + sigma * eps)


# %% cell="masking_noise" name="numpy"
def masking_noise(x, p, generator):
    seed = int(torch.randint(2**31, (), generator=generator))
    gone = np.random.default_rng(seed).uniform(size=tuple(x.shape)) < p
    return torch.from_numpy(np.where(gone, 0.0, x.numpy()))


# %% cell="salt_and_pepper" name="numpy"
def salt_and_pepper(x, p, low, high, generator):
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    kind = rng.choice(3, size=tuple(x.shape), p=[p / 2, p / 2, 1 - p])
    return torch.from_numpy(np.choose(kind, [low, high, x.numpy()]))


# %% cell="linear_for_gaussian" name="numpy"
def linear_for_gaussian(S, sigma):
    A = S.numpy()
    return torch.from_numpy(np.linalg.solve(A + sigma**2 * np.eye(len(A)), A))


# %% cell="linear_for_masking" name="numpy"
def linear_for_masking(S, p):
    # W A = S is A W^T = S, as both A and S are symmetric.
    A = (1 - p) * S.numpy() + p * np.diag(np.diag(S.numpy()))
    return torch.from_numpy(np.linalg.solve(A, S.numpy()).T.copy())


# %% cell="walk" name="numpy"
def walk(r, x, num_steps, eta):
    place = x.numpy().copy()
    path = [place]
    for _ in range(num_steps):
        place = place + eta * (r(torch.from_numpy(place)).detach().numpy() - place)
        path.append(place)
    return torch.from_numpy(np.array(path))


# %% cell="posterior_mean" name="numpy"
def posterior_mean(x_tilde, weights, means, taus, sigma):
    from scipy.special import logsumexp
    from scipy.stats import multivariate_normal

    v = (taus**2 + sigma**2).numpy()
    at, d = x_tilde.numpy(), x_tilde.shape[1]
    log_joint = np.stack(
        [
            np.log(w) + np.reshape(multivariate_normal(m, c * np.eye(d)).logpdf(at), -1)
            for w, m, c in zip(weights.numpy(), means.numpy(), v)
        ],
        axis=1,
    )
    gamma = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    part = gamma * (taus.numpy() ** 2 / v)
    kept = gamma * (sigma**2 / v)
    return torch.from_numpy(part.sum(axis=1, keepdims=True) * at + kept @ means.numpy())


# %% cell="gaussian_noise" name="functional"
def gaussian_noise(x, sigma, generator):
    return torch.empty_like(x).normal_(0.0, 1.0, generator=generator).mul_(sigma).add_(x)


# %% cell="masking_noise" name="functional"
def masking_noise(x, p, generator):
    return x.masked_fill(
        torch.empty_like(x, dtype=torch.bool).bernoulli_(p, generator=generator), 0
    )


# %% cell="salt_and_pepper" name="functional"
def salt_and_pepper(x, p, low, high, generator):
    # Which of three: low, high, or the value itself.
    chances = torch.tensor([p / 2, p / 2, 1 - p])
    kind = torch.multinomial(chances, x.numel(), replacement=True, generator=generator)
    choices = torch.stack([torch.full_like(x, low), torch.full_like(x, high), x])
    return choices.gather(0, kind.reshape(1, *x.shape))[0]


# %% cell="denoising_loss" name="functional"
def denoising_loss(r, x, corrupt, generator):
    mean = r(corrupt(x, generator))
    return -torch.distributions.Normal(mean, 1.0).log_prob(x).sum() / len(x)


# %% cell="linear_for_gaussian" name="functional"
def linear_for_gaussian(S, sigma):
    eye = torch.eye(len(S))
    return eye - torch.linalg.inv(eye + S / sigma**2)


# %% cell="linear_for_masking" name="functional"
def linear_for_masking(S, p):
    A = torch.lerp(S, S.diagonal().diag(), p)
    return torch.linalg.solve(A, S, left=False)


# %% cell="score" name="functional"
def score(r, x_tilde, sigma):
    return torch.sub(r(x_tilde), x_tilde).mul(sigma**-2)


# %% cell="walk" name="functional"
def walk(r, x, num_steps, eta):
    @torch.no_grad()
    def from_here(here, left):
        return [here] + (from_here(torch.lerp(here, r(here), eta), left - 1) if left else [])

    return torch.stack(from_here(x, num_steps))


# %% cell="train" name="functional"
def train(r, optimizer, x, corrupt, num_steps, generator):
    def closure():
        optimizer.zero_grad()
        answers = r(corrupt(x, generator))
        loss = nn.functional.mse_loss(answers, x, reduction="sum") / x.shape[0]
        loss.backward()
        return loss

    return torch.stack([optimizer.step(closure).detach() for _ in range(num_steps)])


# %% cell="posterior_mean" name="functional"
def posterior_mean(x_tilde, weights, means, taus, sigma):
    # Tweedie: the noisy point and sigma^2 times the gradient of the logarithm of its density.
    at = x_tilde.detach().clone().requires_grad_()
    v = taus**2 + sigma**2
    logs = (
        weights.log()
        - (at[:, None] - means).pow(2).sum(-1) / (2 * v)
        - at.shape[1] / 2 * v.log()
    )
    (gradient,) = torch.autograd.grad(torch.logsumexp(logs, dim=1).sum(), at)
    return x_tilde + sigma**2 * gradient


# %% cell="train" name="class"
class Trainer:
    def __init__(self, r, optimizer, corrupt, generator):
        self.r, self.optimizer, self.corrupt, self.generator = r, optimizer, corrupt, generator

    def step(self, x):
        difference = self.r(self.corrupt(x, self.generator)) - x
        loss = torch.einsum("ij,ij->", difference, difference) / len(x)
        gradients = torch.autograd.grad(loss, list(self.r.parameters()))
        for parameter, gradient in zip(self.r.parameters(), gradients):
            parameter.grad = gradient
        self.optimizer.step()
        return float(loss)


def train(r, optimizer, x, corrupt, num_steps, generator):
    trainer = Trainer(r, optimizer, corrupt, generator)
    return [trainer.step(x) for _ in range(num_steps)]


# %% cell="denoising_loss" name="class"
class Loss(nn.Module):
    def __init__(self, r, corrupt):
        super().__init__()
        self.r, self.corrupt = r, corrupt

    def forward(self, x, generator):
        x_tilde = self.corrupt(x, generator)
        error = nn.functional.mse_loss(self.r(x_tilde), x) * x.shape[1] / 2
        return error + x.shape[1] * math.log(math.sqrt(2 * math.pi))


def denoising_loss(r, x, corrupt, generator):
    return Loss(r, corrupt)(x, generator)


# %% cell="posterior_mean" name="class"
class Component:
    def __init__(self, weight, mean, tau, sigma):
        self.mean, self.tau, self.sigma = mean, tau, sigma
        self.noisy = torch.distributions.Independent(
            torch.distributions.Normal(mean, torch.hypot(tau, torch.tensor(sigma))), 1
        )
        self.log_weight = weight.log()

    def log_joint(self, x_tilde):
        return self.log_weight + self.noisy.log_prob(x_tilde)

    def answer(self, x_tilde):
        part = self.tau**2 / (self.tau**2 + self.sigma**2)
        return (1 - part) * self.mean + part * x_tilde


def posterior_mean(x_tilde, weights, means, taus, sigma):
    parts = [Component(*one, sigma) for one in zip(weights, means, taus)]
    logs = torch.stack([part.log_joint(x_tilde) for part in parts])
    gamma = torch.exp(logs - torch.logsumexp(logs, dim=0))
    return torch.einsum("kn,knd->nd", gamma, torch.stack([p.answer(x_tilde) for p in parts]))


# %% cell="score" name="class"
class Arrows:
    def __init__(self, r, sigma):
        self.r, self.variance = r, sigma**2

    def __call__(self, x_tilde):
        return self.r(x_tilde) / self.variance - x_tilde / self.variance


def score(r, x_tilde, sigma):
    return Arrows(r, sigma)(x_tilde)
