# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="windows" name="loops"
def windows(series, length, past):
    def cut(start, end):
        return torch.stack([series[t : t + length] for t in range(start, end - length + 1)])

    return cut(0, past), cut(past, len(series))


# %% cell="standardize" name="loops"
def standardize(series, past, period):
    x = torch.zeros(len(series))
    for t in range(len(series)):
        same = [float(series[u]) for u in range(past) if u % period == t % period]
        x[t] = series[t] - sum(same) / len(same)
    return x / math.sqrt(sum(float(value) ** 2 for value in x[:past]) / past)


# %% cell="pca_scores" name="loops"
def pca_scores(train, x, k):
    # One direction after the other, taken off again.
    mean = train.mean(dim=0)
    rest, off, along = (train - mean).clone(), (x - mean).clone(), torch.zeros(len(x))
    for _ in range(k):
        eigenvalues, eigenvectors = torch.linalg.eigh(rest.T @ rest / len(rest))
        u = eigenvectors[:, -1]
        along += (off @ u) ** 2 / eigenvalues[-1]
        rest -= torch.outer(rest @ u, u)
        off -= torch.outer(off @ u, u)
    return torch.stack([row @ row for row in off]), along


# %% cell="train" name="loops"
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = torch.zeros(epochs)
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=generator).tolist()
        while order:
            taken, order = order[:batch_size], order[batch_size:]
            batch = torch.stack([x[row] for row in taken])
            model.zero_grad()
            total = 0
            for one, one_hat in zip(batch, model(batch)):
                total = total + (one - one_hat) @ (one - one_hat)
            (total / len(taken)).backward()
            optimizer.step()
        for one, one_hat in zip(held_out, model(held_out).detach()):
            errors[epoch] += float((one - one_hat) @ (one - one_hat)) / len(held_out)
    return errors


# %% cell="threshold" name="loops"
def threshold(normal, rate):
    # The lowest score that may be the threshold, from the top.
    best, n = math.inf, len(normal)
    for rank, score in enumerate(sorted(normal.tolist(), reverse=True), start=1):
        if rank <= rate * (n + 1) + 1e-9:
            best = score
    return best


# %% cell="auroc" name="loops"
def auroc(normal, anomalous):
    won = 0.0
    for odd in anomalous.tolist():
        for calm in normal.tolist():
            won += 1.0 if odd > calm else 0.5 if odd == calm else 0.0
    return won / (len(normal) * len(anomalous))


# %% cell="precision" name="loops"
def precision(found, false_alarms, share):
    answers = []
    for tpr, fpr, pi in zip(found.tolist(), false_alarms.tolist(), share.tolist()):
        real, false = 1000 * pi * tpr, 1000 * (1 - pi) * fpr
        answers.append(real / (real + false))
    return torch.tensor(answers)


# %% cell="quantize" name="loops"
def quantize(z, steps):
    rows = [[round(v / s) for v, s in zip(row, steps.tolist())] for row in z.tolist()]
    levels = torch.tensor(rows, dtype=torch.int64)
    return levels, torch.stack([row * steps for row in levels])


# %% cell="entropy_bits" name="loops"
def entropy_bits(levels):
    from collections import Counter

    bits = []
    for unit in levels.T.tolist():
        counts = Counter(unit)
        bits.append(sum(c / len(unit) * math.log2(len(unit) / c) for c in counts.values()))
    return torch.tensor(bits)


# %% cell="rate_point" name="loops"
def rate_point(x, z, decode, step, coder):
    levels = torch.tensor([[round(v / step) for v in row] for row in z.tolist()])
    x_hat = decode(torch.stack([row * step for row in levels]))
    squares = [(a - b) ** 2 for a, b in zip(x.flatten().tolist(), x_hat.flatten().tolist())]
    return coder(levels) / len(squares), sum(squares) / len(squares)


# %% cell="windows" name="numpy"
def windows(series, length, past):
    every = np.lib.stride_tricks.sliding_window_view(series.numpy(), length)
    return torch.tensor(every[: past - length + 1]), torch.tensor(every[past:])


# %% cell="standardize" name="numpy"
def standardize(series, past, period):
    s = series.numpy()
    season = s[:past].reshape(-1, period).mean(axis=0)
    a = s - np.resize(season, len(s))
    return torch.from_numpy(a / a[:past].std())


# %% cell="pca_scores" name="numpy"
def pca_scores(train, x, k):
    # Singular values: the variances are their squares by M.
    mean = train.numpy().mean(axis=0)
    _, s, vh = np.linalg.svd(train.numpy() - mean, full_matrices=False)
    z = (x.numpy() - mean) @ vh.T
    length = ((x.numpy() - mean) ** 2).sum(axis=1)
    off = np.maximum(length - (z[:, :k] ** 2).sum(axis=1), 0)
    along = (z[:, :k] ** 2 / (s[:k] ** 2 / len(train))).sum(axis=1)
    return torch.from_numpy(off), torch.from_numpy(along)


# %% cell="train" name="numpy"
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    # An order from NumPy, with a seed from the generator, and losses as numbers.
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    errors = []
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(len(x)))
        for begin in range(0, len(x), batch_size):
            batch = x[order[begin : begin + batch_size]]
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(batch), batch) * x.shape[1]
            loss.backward()
            optimizer.step()
        errors.append(((held_out - model(held_out)) ** 2).sum().item() / len(held_out))
    return torch.tensor(errors)


# %% cell="threshold" name="numpy"
def threshold(normal, rate):
    from decimal import Decimal

    rank = int(Decimal(repr(rate)) * (len(normal) + 1))
    return np.sort(normal.numpy())[-rank] if rank else np.inf


# %% cell="auroc" name="numpy"
def auroc(normal, anomalous):
    # Where each anomaly would be put in among the sorted normal scores, from both sides of a tie.
    calm = np.sort(normal.numpy())
    below = np.searchsorted(calm, anomalous.numpy(), side="left")
    not_above = np.searchsorted(calm, anomalous.numpy(), side="right")
    return np.mean((below + not_above) / 2) / len(calm)


# %% cell="precision" name="numpy"
def precision(found, false_alarms, share):
    # One minus the share of false ones, through the odds where they are finite.
    real, false = share.numpy() * found.numpy(), (1 - share.numpy()) * false_alarms.numpy()
    return torch.from_numpy(1 - false / (real + false))


# %% cell="quantize" name="numpy"
def quantize(z, steps):
    levels = np.rint(z.numpy() / steps.numpy()).astype(np.int64)
    return torch.from_numpy(levels), torch.from_numpy(levels * steps.numpy())


# %% cell="entropy_bits" name="numpy"
def entropy_bits(levels):
    bits = []
    for unit in levels.numpy().T:
        f = np.unique(unit, return_counts=True)[1] / len(unit)
        bits.append(np.log2(len(unit)) - (f * np.log2(f * len(unit))).sum())
    return torch.tensor(np.array(bits))


# %% cell="rate_point" name="numpy"
def rate_point(x, z, decode, step, coder):
    levels = np.rint(z.numpy() / step).astype(np.int64)
    x_hat = decode(torch.from_numpy(levels * step)).numpy()
    return coder(torch.from_numpy(levels)) / x.numpy().size, np.mean((x.numpy() - x_hat) ** 2)


# %% cell="windows" name="functional"
def windows(series, length, past):
    # The positions of all values in all windows.
    positions = torch.arange(len(series) - length + 1)[:, None] + torch.arange(length)
    every = series[positions]
    first = positions[:, 0]
    return every[first + length <= past], every[first >= past]


# %% cell="standardize" name="functional"
def standardize(series, past, period):
    # The season by least squares on indicators of the months.
    indicators = nn.functional.one_hot(torch.arange(len(series)) % period, period).double()
    season = torch.linalg.lstsq(indicators[:past], series[:past, None]).solution
    a = series - (indicators @ season)[:, 0]
    return a / a[:past].square().mean().sqrt()


# %% cell="pca_scores" name="functional"
def pca_scores(train, x, k):
    # By the projector, and by whitening with a pseudoinverse of rank k.
    centered, mean = train - train.mean(dim=0), train.mean(dim=0)
    U = torch.linalg.svd(centered.T @ centered).U[:, :k]
    within = torch.linalg.inv(U.T @ (centered.T @ centered / len(train)) @ U)
    code, outside = (x - mean) @ U, (x - mean) @ (torch.eye(x.shape[1]) - U @ U.T)
    return torch.linalg.vector_norm(outside, dim=1) ** 2, torch.einsum(
        "ni,ij,nj->n", code, within, code
    )


# %% cell="train" name="functional"
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(x), batch_size, shuffle=True, generator=generator)
    errors = []
    for _ in range(epochs):
        model.train()
        for (batch,) in loader:
            optimizer.zero_grad(set_to_none=False)
            torch.cdist(batch[:, None], model(batch)[:, None]).square().mean().backward()
            optimizer.step()
        model.eval()
        errors.append((model(held_out) - held_out).pow(2).sum(1).mean().item())
    return torch.tensor(errors)


# %% cell="threshold" name="functional"
def threshold(normal, rate):
    rank = math.floor(round(rate * (len(normal) + 1), 9))
    return torch.cat([torch.tensor([math.inf]), normal]).topk(rank + 1).values[-1]


# %% cell="auroc" name="functional"
def auroc(normal, anomalous):
    return torch.heaviside(anomalous[:, None] - normal, torch.tensor(0.5)).mean()


# %% cell="precision" name="functional"
def precision(found, false_alarms, share):
    alarms = torch.lerp(false_alarms, found, share)
    return share * found / alarms


# %% cell="quantize" name="functional"
def quantize(z, steps):
    levels = torch.floor(z / steps + 0.5).to(torch.int64)
    return levels, torch.einsum("nk,k->nk", levels.double(), steps)


# %% cell="entropy_bits" name="functional"
def entropy_bits(levels):
    # Each example's own cost, averaged: how many others have the same level.
    same = (levels[:, None] == levels[None]).double().mean(dim=1)
    return -same.log2().mean(dim=0)


# %% cell="rate_point" name="functional"
def rate_point(x, z, decode, step, coder):
    levels = torch.floor(z / step + 0.5).to(torch.int64)
    x_hat = decode(levels.double() * step)
    bits = torch.as_tensor(coder(levels), dtype=torch.float64)
    return bits / x.numel(), nn.functional.mse_loss(x_hat, x)
