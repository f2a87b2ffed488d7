# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="gaussian_nll" name="loops"
def gaussian_nll(x, x_hat, sigma):
    costs = []
    for row, row_hat in zip(x.tolist(), x_hat.tolist()):
        cost = 0.0
        for a, b in zip(row, row_hat):
            cost += ((a - b) / sigma) ** 2 / 2 + math.log(sigma * math.sqrt(2 * math.pi))
        costs.append(cost)
    return torch.tensor(costs)


# %% cell="best_sigma" name="loops"
def best_sigma(x, x_hat):
    squares = [(a - b) ** 2 for a, b in zip(x.flatten().tolist(), x_hat.flatten().tolist())]
    return math.sqrt(sum(squares) / len(squares))


# %% cell="mse_to_nats" name="loops"
def mse_to_nats(mse, event_shape, sigma):
    d = 1
    for size in event_shape:
        d *= size
    return sum(
        0.5 * mse / sigma**2 + math.log(sigma) + 0.5 * math.log(2 * math.pi) for _ in range(d)
    )


# %% cell="bernoulli_nll" name="loops"
def bernoulli_nll(x, logits):
    costs = []
    for row, row_logits in zip(x, logits):
        cost = torch.zeros(())
        for value, a in zip(row.flatten(), row_logits.flatten()):
            cost = cost + a.clamp(min=0) + torch.log1p(torch.exp(-a.abs())) - value * a
        costs.append(cost)
    return torch.stack(costs)


# %% cell="categorical_nll" name="loops"
def categorical_nll(x, logits):
    costs = torch.zeros(len(x))
    for n in range(x.shape[0]):
        for j in range(x.shape[1]):
            beliefs = logits[n, :, j] - logits[n, :, j].max()
            costs[n] += beliefs.exp().sum().log() - beliefs[x[n, j]]
    return costs


# %% cell="forward" name="loops"
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.stack([torch.tanh(w_enc @ row + b_enc) for row in x])
    return z, torch.stack([w_dec @ code + b_dec for code in z])


# %% cell="backward" name="loops"
def backward(x, w_enc, b_enc, w_dec, b_dec):
    totals = [torch.zeros(p.shape) for p in (w_enc, b_enc, w_dec, b_dec)]
    for row in x:
        z = torch.tanh(w_enc @ row + b_enc)
        e = w_dec @ z + b_dec - row
        delta = (w_dec.T @ e) * (1 - z * z)
        for total, one in zip(totals, (torch.outer(delta, row), delta, torch.outer(e, z), e)):
            total += one
    return [total / len(x) for total in totals]


# %% cell="central_difference" name="loops"
def central_difference(f, theta, h):
    slope = torch.zeros(theta.shape)
    for place in np.ndindex(*theta.shape):
        above, below = theta.clone(), theta.clone()
        above[place] += h
        below[place] -= h
        slope[place] = (float(f(above)) - float(f(below))) / (2 * h)
    return slope


# %% cell="momentum_step" name="loops"
def momentum_step(theta, m, g, lr, rho):
    new_m = torch.zeros(m.shape)
    new_theta = theta.clone()
    for place in np.ndindex(*theta.shape):
        new_m[place] = rho * m[place] + g[place]
        new_theta[place] -= lr * new_m[place]
    return new_theta, new_m


# %% cell="train" name="loops"
def train(gradients, x, params, lr, epochs, batch_size, generator):
    params = [p.clone() for p in params]
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=generator).tolist()
        start = 0
        while start < len(order):
            batch = torch.stack([x[row] for row in order[start : start + batch_size]])
            slopes = gradients(batch, params)
            for i, slope in enumerate(slopes):
                params[i] -= lr * slope
            start += batch_size
        print("epoch", epoch, "is done")
    return tuple(params)


# %% cell="gaussian_nll" name="numpy"
def gaussian_nll(x, x_hat, sigma):
    scaled = (x.numpy() - x_hat.numpy()) / sigma
    constant = np.log(2 * np.pi * sigma**2)
    return torch.from_numpy(0.5 * np.sum(scaled**2 + constant, axis=1))


# %% cell="best_sigma" name="numpy"
def best_sigma(x, x_hat):
    return np.linalg.norm(x.numpy() - x_hat.numpy()) / np.sqrt(x.numel())


# %% cell="mse_to_nats" name="numpy"
def mse_to_nats(mse, event_shape, sigma):
    return np.prod(event_shape) * (0.5 * mse / sigma**2 + np.log(sigma) + np.log(2 * np.pi) / 2)


# %% cell="categorical_nll" name="numpy"
def categorical_nll(x, logits):
    a = logits.numpy()
    chosen = np.take_along_axis(a, x.numpy()[:, None, :], axis=1)
    return torch.from_numpy((np.logaddexp.reduce(a, axis=1) - chosen[:, 0]).sum(axis=1))


# %% cell="forward" name="numpy"
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = np.tanh(np.einsum("nj,kj->nk", x.numpy(), w_enc.numpy()) + b_enc.numpy())
    x_hat = np.einsum("nk,jk->nj", z, w_dec.numpy()) + b_dec.numpy()
    return [torch.from_numpy(z), torch.from_numpy(x_hat)]


# %% cell="backward" name="numpy"
def backward(x, w_enc, b_enc, w_dec, b_dec):
    array, up = x.numpy(), w_dec.numpy()
    z = np.tanh(array @ w_enc.numpy().T + b_enc.numpy())
    e = z @ up.T + b_dec.numpy() - array
    delta = e @ up / np.cosh(array @ w_enc.numpy().T + b_enc.numpy()) ** 2
    n = len(array)
    found = delta.T @ array / n, delta.mean(axis=0), e.T @ z / n, e.mean(axis=0)
    return tuple(torch.from_numpy(one) for one in found)


# %% cell="central_difference" name="numpy"
def central_difference(f, theta, h):
    point = theta.numpy().ravel()
    slope = np.empty(point.size)
    for j in range(point.size):
        ends = []
        for sign in (1, -1):
            moved = point.copy()
            moved[j] += sign * h
            ends.append(float(f(torch.from_numpy(moved.reshape(tuple(theta.shape))))))
        slope[j] = (ends[0] - ends[1]) / h / 2
    return torch.from_numpy(slope.reshape(tuple(theta.shape)))


# %% cell="momentum_step" name="numpy"
def momentum_step(theta, m, g, lr, rho):
    new = rho * m.numpy() + g.numpy()
    return torch.from_numpy(theta.numpy() - lr * new), torch.from_numpy(new)


# %% cell="train" name="numpy"
def train(gradients, x, params, lr, epochs, batch_size, generator):
    chance = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    for _ in range(epochs):
        order = chance.permutation(len(x))
        for rows in np.split(order, range(batch_size, len(x), batch_size)):
            slopes = gradients(x[torch.from_numpy(rows)], params)
            params = [
                torch.from_numpy(p.numpy() - lr * g.numpy()) for p, g in zip(params, slopes)
            ]
    return params


# %% cell="gaussian_nll" name="torch"
def gaussian_nll(x, x_hat, sigma):
    variance = torch.tensor(sigma) ** 2
    squares = torch.cdist(
        x[:, None], x_hat[:, None], compute_mode="donot_use_mm_for_euclid_dist"
    )
    return (
        squares.flatten() ** 2 / variance + x.shape[1] * torch.log(2 * torch.pi * variance)
    ) / 2


# %% cell="best_sigma" name="torch"
def best_sigma(x, x_hat):
    # Where the mean of the loss is smallest, by its derivative.
    error = torch.nn.functional.mse_loss(x_hat, x, reduction="sum") / len(x)
    return torch.exp(0.5 * torch.log(error / x.shape[1]))


# %% cell="mse_to_nats" name="torch"
def mse_to_nats(mse, event_shape, sigma):
    d = torch.zeros(event_shape).numel()
    return torch.tensor(mse * d / (2 * sigma**2) + d * math.log(math.sqrt(2 * math.pi) * sigma))


# %% cell="bernoulli_nll" name="torch"
def bernoulli_nll(x, logits):
    cost = x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)
    return -cost.reshape(len(x), -1).sum(dim=-1)


# %% cell="categorical_nll" name="torch"
def categorical_nll(x, logits):
    happened = F.one_hot(x, logits.shape[1]).permute(0, 2, 1)
    return -(happened * logits.log_softmax(dim=1)).sum(dim=(1, 2))


# %% cell="forward" name="torch"
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = F.linear(x, w_enc, b_enc).tanh()
    return z, torch.addmm(b_dec, z, w_dec.T)


# %% cell="backward" name="torch"
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = F.linear(x, w_enc, b_enc).tanh()
    e = F.linear(z, w_dec, b_dec) - x
    delta = torch.einsum("nj,jk,nk->nk", e, w_dec, (1 + z) * (1 - z))
    w_enc_gradient = torch.einsum("nk,nj->nkj", delta, x).mean(dim=0)
    w_dec_gradient = torch.einsum("nj,nk->njk", e, z).mean(dim=0)
    return w_enc_gradient, delta.mean(dim=0), w_dec_gradient, e.mean(dim=0)


# %% cell="central_difference" name="torch"
def central_difference(f, theta, h):
    # A tensor that is changed and put back, exactly.
    moved = theta.clone()
    slope = torch.empty_like(moved)
    for place in torch.cartesian_prod(*map(torch.arange, theta.shape)).reshape(
        theta.numel(), -1
    ):
        at = tuple(place.tolist())
        kept = moved[at].clone()
        moved[at] = kept + h
        slope[at] = f(moved)
        moved[at] = kept - h
        slope[at] -= f(moved)
        moved[at] = kept
    return slope / (2 * h)


# %% cell="momentum_step" name="torch"
def momentum_step(theta, m, g, lr, rho):
    new = torch.add(g, m, alpha=rho)
    return torch.sub(theta, new, alpha=lr), new


# %% cell="train" name="torch"
def train(gradients, x, params, lr, epochs, batch_size, generator):
    from torch.utils.data import DataLoader

    loader = DataLoader(x, batch_size=batch_size, shuffle=True, generator=generator)
    for _ in range(epochs):
        for batch in loader:
            slopes = gradients(batch, params)
            params = [torch.lerp(p, p - g, lr) for p, g in zip(params, slopes)]
    return params


# %% cell="bernoulli_nll" name="numpy"
def bernoulli_nll(x, logits):
    # Written as with numpy, but with torch, so that it can be differentiated.
    costs = torch.logaddexp(torch.zeros_like(logits), logits) - x * logits
    return torch.einsum("ni->n", costs.reshape(x.shape[0], -1))
