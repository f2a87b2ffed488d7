# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.


# %% cell="count_parameters" name="loops"
def count_parameters(sizes):
    total = 0
    for widths in (sizes, sizes[::-1]):
        for layer in range(len(widths) - 1):
            total += (widths[layer] + 1) * widths[layer + 1]
    return total


# %% cell="explained_variance" name="loops"
def explained_variance(x, x_hat):
    mean = x.sum(dim=0) / len(x)
    error = variance = 0.0
    for row, row_hat in zip(x, x_hat):
        error += float((row - row_hat) @ (row - row_hat))
        variance += float((row - mean) @ (row - mean))
    return (variance - error) / variance


# %% cell="autoencoder" name="loops"
class Half(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, x):
        for number, layer in enumerate(self.layers):
            x = layer(torch.clamp(x, min=0) if number else x)
        return x


def autoencoder(sizes):
    return Half(sizes), Half(list(reversed(sizes)))


# %% cell="memorized" name="loops"
def memorized(x, x_hat, train):
    count = 0
    for row, row_hat in zip(x, x_hat):
        own = (row - row_hat).square().sum()
        count += any((row_hat - other).square().sum() < own for other in train)
    return count / len(x)


# %% cell="intrinsic_dimension" name="loops"
def intrinsic_dimension(x):
    total = 0.0
    for i in range(len(x)):
        others = torch.cat([x[:i], x[i + 1 :]])
        first, second = (others - x[i]).norm(dim=1).sort().values[:2].tolist()
        total += math.log(second) - math.log(first)
    return len(x) / total


# %% cell="weight_penalty" name="loops"
def weight_penalty(model, l1, l2):
    total = torch.zeros(())
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            total = total + l1 * layer.weight.norm(1) + l2 * 0.5 * layer.weight.norm() ** 2
    return total


# %% cell="dropout" name="loops"
def dropout(z, p, training, generator):
    if not training:
        return z
    rows = []
    for row in z:
        drop = torch.rand(len(row), generator=generator) < p
        rows.append((row / (1 - p)).masked_fill(drop, 0.0))
    return torch.stack(rows)


# %% cell="folds" name="loops"
def folds(n, num_folds, generator):
    order = torch.randperm(n, generator=generator).tolist()
    pairs = []
    for part in range(num_folds):
        held_out = order[part::num_folds]
        train = [i for i in order if i not in held_out]
        pairs.append((torch.tensor(train), torch.tensor(held_out)))
    return pairs


# %% cell="early_stopping" name="loops"
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    losses, states = [], []
    waited = 0
    while waited < patience and len(losses) < max_epochs:
        train_epoch(model)
        loss = float(validate(model))
        waited = 0 if not losses or loss < min(losses) else waited + 1
        losses.append(loss)
        states.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
    best = losses.index(min(losses))
    model.load_state_dict(states[best])
    return best


# %% cell="train" name="loops"
def train(model, x, mu, lr, steps):
    # Adam by hand.
    parameters = list(model.parameters())
    means = [torch.zeros_like(p) for p in parameters]
    squares = [torch.zeros_like(p) for p in parameters]
    losses = []
    model.train(True)
    for step in range(1, steps + 1):
        loss = 0.5 * (model(x) - x).pow(2).sum() / len(x)
        for p in parameters:
            loss = loss + (mu / 2 * (p * p).sum() if p.dim() == 2 else 0.0)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, gradient, m, v in zip(parameters, gradients, means, squares):
                m.mul_(0.9).add_(0.1 * gradient)
                v.mul_(0.999).add_(0.001 * gradient**2)
                p -= lr * m / (1 - 0.9**step) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
        losses.append(loss.detach())
    model.train(False)
    return losses


# %% cell="count_parameters" name="numpy"
def count_parameters(sizes):
    a, b = np.array(sizes[:-1]), np.array(sizes[1:])
    return 2 * np.dot(a, b) + a.sum() + b.sum()


# %% cell="explained_variance" name="numpy"
def explained_variance(x, x_hat):
    array, answer = x.numpy(), x_hat.numpy()
    return torch.tensor(1 - np.mean((array - answer) ** 2) / np.var(array, axis=0).mean())


# %% cell="memorized" name="numpy"
def memorized(x, x_hat, train):
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=1).fit(train.numpy()).kneighbors(x_hat.numpy())[0]
    return np.mean(nearest[:, 0] < np.linalg.norm(x.numpy() - x_hat.numpy(), axis=1))


# %% cell="intrinsic_dimension" name="numpy"
def intrinsic_dimension(x):
    from sklearn.neighbors import NearestNeighbors

    # Without points to look up, a point is not its own neighbor.
    distances = NearestNeighbors(n_neighbors=2).fit(x.numpy()).kneighbors()[0]
    return torch.tensor(1 / np.log(distances[:, 1] / distances[:, 0]).mean())


# %% cell="dropout" name="numpy"
def dropout(z, p, training, generator):
    if training:
        seed = int(torch.randint(2**31, (), generator=generator))
        kept = np.random.default_rng(seed).binomial(1, 1 - p, size=tuple(z.shape))
        z = z * torch.from_numpy(kept) * (1 / (1 - p))
    return z


# %% cell="folds" name="numpy"
def folds(n, num_folds, generator):
    seed = int(torch.randint(2**31, (), generator=generator))
    number = np.random.default_rng(seed).permutation(np.arange(n) % num_folds)
    positions = np.arange(n)
    return [
        (torch.from_numpy(positions[number != f]), torch.from_numpy(positions[number == f]))
        for f in range(num_folds)
    ]


# %% cell="early_stopping" name="numpy"
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    import io

    losses = []
    for _ in range(max_epochs):
        train_epoch(model)
        losses.append(validate(model))
        if np.argmin(losses) == len(losses) - 1:
            file = io.BytesIO()
            torch.save(model.state_dict(), file)
        if len(losses) - 1 - np.argmin(losses) == patience:
            break
    file.seek(0)
    model.load_state_dict(torch.load(file))
    return np.argmin(losses)


# %% cell="train" name="numpy"
def train(model, x, mu, lr, steps):
    # The optimizer charges for the matrices alone, and the loss is computed with them for the record.
    matrices = [p for p in model.parameters() if p.ndim == 2]
    free = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": matrices, "weight_decay": mu}, {"params": free, "weight_decay": 0.0}]
    optimizer = torch.optim.Adam(groups, lr=lr)
    losses = np.zeros(steps)
    model.train()
    for step in range(steps):
        optimizer.zero_grad()
        half = nn.functional.mse_loss(model(x), x, reduction="sum") / (2 * len(x))
        half.backward()
        losses[step] = half.item() + mu / 2 * sum(
            float(w.detach().norm() ** 2) for w in matrices
        )
        optimizer.step()
    model.eval()
    return losses


# %% cell="count_parameters" name="other"
def count_parameters(sizes):
    layers = [nn.Linear(a, b) for w in (sizes, sizes[::-1]) for a, b in pairwise(w)]
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


# %% cell="explained_variance" name="other"
def explained_variance(x, x_hat):
    return 1 - (x - x_hat).square().mean() / x.var(dim=0, correction=0).mean()


# %% cell="autoencoder" name="other"
def autoencoder(sizes):
    def half(widths):
        net = nn.Sequential(nn.Linear(widths[0], widths[1]))
        for a, b in pairwise(widths[1:]):
            net.append(nn.LeakyReLU(negative_slope=0.0))
            net.append(nn.Linear(a, b))
        return net

    return [half(tuple(sizes)), half(tuple(sizes)[::-1])]


# %% cell="memorized" name="other"
def memorized(x, x_hat, train):
    squares = (x_hat[:, None, :] - train[None, :, :]).pow(2).sum(dim=-1)
    nearer = squares.min(dim=1).values < (x - x_hat).pow(2).sum(dim=-1)
    return torch.count_nonzero(nearer) / len(x)


# %% cell="intrinsic_dimension" name="other"
def intrinsic_dimension(x):
    distances = (x[:, None] - x[None]).norm(dim=2)
    distances = distances + torch.diag(torch.full((len(x),), math.inf))
    first, second = distances.kthvalue(1, dim=1).values, distances.kthvalue(2, dim=1).values
    return 1 / (second.log() - first.log()).mean()


# %% cell="weight_penalty" name="other"
def weight_penalty(model, l1, l2):
    weights = torch.cat([p.flatten() for p in model.parameters() if len(p.shape) == 2])
    return l1 * torch.linalg.vector_norm(weights, 1) + l2 * (weights @ weights) / 2


# %% cell="dropout" name="other"
def dropout(z, p, training, generator):
    stays = torch.full_like(z, 1 - p).bernoulli(generator=generator)
    return (
        torch.where(stays.bool(), z / (1 - p), torch.zeros_like(z)) if training else z.clone()
    )


# %% cell="folds" name="other"
def folds(n, num_folds, generator):
    keys = torch.rand(n, generator=generator)
    part = torch.empty(n, dtype=torch.long)
    part[keys.argsort()] = torch.arange(n) % num_folds
    return tuple(
        [(part != f).nonzero()[:, 0], (part == f).nonzero()[:, 0]] for f in range(num_folds)
    )


# %% cell="train" name="other"
def train(model, x, mu, lr, steps):
    # Another way to the same minimum.
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3, line_search_fn="strong_wolfe")
    weights = [p for p in model.parameters() if p.ndim > 1]

    def closure():
        optimizer.zero_grad()
        value = (x - model(x)).norm(dim=1).square().mean() + mu * sum(
            w.square().sum() for w in weights
        )
        (value / 2).backward()
        return value / 2

    model.train()
    losses = [float(optimizer.step(closure)) for _ in range(steps)]
    model.eval()
    return losses
