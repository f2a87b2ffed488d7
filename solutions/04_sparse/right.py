# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="l1_penalty" name="loops"
def l1_penalty(z):
    total = 0.0
    for row in z:
        for value in row:
            total = total + (value if value > 0 else -value)
    return total / len(z)


# %% cell="l0" name="loops"
def l0(z, threshold=0.0):
    counts = [sum(abs(value) > threshold for value in row) for row in z.tolist()]
    return sum(counts) / len(counts)


# %% cell="dead_units" name="loops"
def dead_units(z, threshold=0.0):
    return [j for j in range(z.shape[1]) if all(abs(row[j]) <= threshold for row in z.tolist())]


# %% cell="soft_threshold" name="loops"
def soft_threshold(a, price):
    def one(value):
        if value > price:
            return value - price
        return value + price if value < -price else 0 * value

    return torch.stack([one(value) for value in a.flatten()]).reshape(a.shape)


# %% cell="rate_penalty" name="loops"
def rate_penalty(z, rho):
    total = 0.0
    for j in range(z.shape[1]):
        rate = sum(z[:, j]) / len(z)
        rate = torch.clamp(rate, 1e-6, 0.999999)
        total = total + rho * (np.log(rho) - rate.log())
        total = total + (1 - rho) * (np.log(1 - rho) - (1 - rate).log())
    return total


# %% cell="top_k" name="loops"
def top_k(a, s):
    # The largest of what is left, s times, in each row.
    z = torch.zeros_like(a)
    for n, row in enumerate(a.detach()):
        left = row.clone()
        for _ in range(s):
            j = int(left.argmax())
            if left[j] > 0:
                z[n, j] = a[n, j]
            left[j] = -torch.inf
    return z


# %% cell="batch_top_k" name="loops"
def batch_top_k(a, s):
    n, k = a.shape
    places = sorted(
        ((i, j) for i in range(n) for j in range(k)), key=lambda place: -float(a[place])
    )
    keep = torch.zeros(n, k)
    for place in places[: n * s]:
        keep[place] = 1.0
    return keep * torch.relu(a)


# %% cell="rescale" name="loops"
def rescale(w_enc, b_enc, w_dec):
    w_enc, b_enc, w_dec = w_enc.clone(), b_enc.clone(), w_dec.clone()
    for j in range(len(b_enc)):
        length = sum(value**2 for value in w_dec[:, j].tolist()) ** 0.5
        w_enc[j] *= length
        b_enc[j] *= length
        w_dec[:, j] /= length
    return [w_enc, b_enc, w_dec]


# %% cell="ista" name="loops"
def ista(x, w_dec, price, steps):
    # One example after the other, with the step size from the eigenvalues, as the formula has it.
    L = torch.linalg.eigvalsh(w_dec.T @ w_dec).max()
    codes = []
    for row in x:
        z = torch.zeros(w_dec.shape[1])
        for _ in range(steps):
            a = z - w_dec.T @ (w_dec @ z - row) / L
            z = torch.where(
                a > price / L, a - price / L, torch.where(a < -price / L, a + price / L, 0.0)
            )
        codes.append(z)
    return torch.stack(codes)


# %% cell="train" name="loops"
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    # Mini-batches, and columns that are divided one after the other.
    weights = [torch.nn.Parameter(start.clone()) for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr / 2)
    print("training", len(x), "examples")
    for _ in range(steps):
        for batch in x.split(150):
            optimizer.zero_grad()
            z = encode(batch, weights[0], weights[1])
            x_hat = z @ weights[2].T
            loss = ((batch - x_hat) ** 2).sum() / (2 * len(batch)) + price * z.sum() / len(
                batch
            )
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for column in weights[2].T:
                    column.div_(column.norm())
    return [weight.data for weight in weights]


# %% cell="l1_penalty" name="numpy"
def l1_penalty(z):
    # numpy knows the signs; the gradient is torch's.
    signs = torch.from_numpy(np.sign(z.detach().numpy()))
    return torch.einsum("nj,nj->", z, signs) / len(z)


# %% cell="l0" name="numpy"
def l0(z, threshold=0.0):
    return np.count_nonzero(np.abs(z.numpy()) > threshold) / len(z)


# %% cell="dead_units" name="numpy"
def dead_units(z, threshold=0.0):
    return torch.from_numpy(np.flatnonzero(np.abs(z.numpy()).max(axis=0) <= threshold))


# %% cell="soft_threshold" name="numpy"
def soft_threshold(a, price):
    # What is cut away is the part inside [-price, price].
    return a - a.clamp(-price, price)


# %% cell="rate_penalty" name="numpy"
def rate_penalty(z, rho):
    import warnings

    warnings.warn("a warning never costs a mark", stacklevel=2)
    # The cross-entropy of the rate minus the entropy of the target.
    rates = torch.clip(z.mean(0), 1e-6, 1 - 1e-6)
    targets = torch.full_like(rates, rho)
    entropy = -(rho * np.log(rho) + (1 - rho) * np.log1p(-rho))
    cross = torch.nn.functional.binary_cross_entropy(rates, targets, reduction="sum")
    return cross - len(rates) * entropy


# %% cell="top_k" name="numpy"
def top_k(a, s):
    order = np.argsort(-a.detach().numpy(), axis=1, kind="stable")
    keep = np.zeros(a.shape)
    np.put_along_axis(keep, order[:, :s], 1.0, axis=1)
    return torch.from_numpy(keep) * torch.relu(a)


# %% cell="batch_top_k" name="numpy"
def batch_top_k(a, s):
    order = np.argsort(a.detach().numpy(), axis=None)
    keep = np.zeros(a.numel())
    keep[order[a.numel() - len(a) * s :]] = 1.0
    return torch.from_numpy(keep.reshape(a.shape)) * torch.relu(a)


# %% cell="rescale" name="numpy"
def rescale(w_enc, b_enc, w_dec):
    lengths = np.sqrt(np.einsum("ij,ij->j", w_dec.numpy(), w_dec.numpy()))
    return (
        torch.from_numpy(np.diag(lengths) @ w_enc.numpy()),
        torch.from_numpy(lengths * b_enc.numpy()),
        torch.from_numpy(w_dec.numpy() @ np.diag(1 / lengths)),
    )


# %% cell="ista" name="numpy"
def ista(x, w_dec, price, steps):
    # With the two matrices that stay the same computed once.
    W, X = w_dec.numpy(), x.numpy()
    L = np.linalg.svd(W, compute_uv=False)[0] ** 2
    keep, fixed = np.eye(W.shape[1]) - W.T @ W / L, X @ W / L
    Z = np.zeros((len(X), W.shape[1]))
    for _ in range(steps):
        A = Z @ keep + fixed
        Z = A - np.clip(A, -price / L, price / L)
    return torch.from_numpy(Z)


# %% cell="train" name="numpy"
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    # Gradients by hand, and plain gradient descent with momentum.
    X, W, b, D = x.numpy(), w_enc.numpy().copy(), b_enc.numpy().copy(), w_dec.numpy().copy()
    speed = [np.zeros_like(weight) for weight in (W, b, D)]
    for _ in range(3 * steps):
        Z = np.maximum(X @ W.T + b, 0)
        residual = (Z @ D.T - X) / len(X)
        back = (residual @ D + price / len(X)) * (Z > 0)
        for old, weight, slope in zip(
            speed, (W, b, D), (back.T @ X, back.sum(0), residual.T @ Z)
        ):
            old *= 0.8
            old -= 0.1 * slope
            weight += old
        D /= np.linalg.norm(D, axis=0)
    return torch.from_numpy(W), torch.from_numpy(b), torch.from_numpy(D)


# %% cell="l1_penalty" name="functional"
def l1_penalty(z):
    return torch.nn.functional.l1_loss(z, torch.zeros_like(z), reduction="sum") / z.shape[0]


# %% cell="l0" name="functional"
def l0(z, threshold=0.0):
    # In single precision: a mean of small whole numbers loses nothing that is tested.
    return torch.linalg.vector_norm((z.abs() > threshold).float(), ord=0, dim=1).mean()


# %% cell="dead_units" name="functional"
def dead_units(z, threshold=0.0):
    return torch.where((z.abs() > threshold).sum(dim=0) == 0)[0]


# %% cell="soft_threshold" name="functional"
def soft_threshold(a, price):
    return torch.nn.functional.relu(a - price) - torch.nn.functional.relu(-a - price)


# %% cell="rate_penalty" name="functional"
def rate_penalty(z, rho):
    def divergence(rate):
        rate = torch.minimum(torch.maximum(rate, torch.tensor(1e-6)), torch.tensor(1 - 1e-6))
        target = torch.tensor(rho)
        return torch.special.xlogy(target, target / rate) + torch.special.xlogy(
            1 - target, (1 - target) / (1 - rate)
        )

    return torch.vmap(divergence)(z.mean(0)).sum()


# %% cell="top_k" name="functional"
def top_k(a, s):
    # The rank of a value: how many are larger, and how many equal ones stand before it.
    before = torch.ones(a.shape[1], a.shape[1]).triu(1).T.bool()
    others, own = a[:, None, :], a[:, :, None]
    rank = ((others > own) | ((others == own) & before)).sum(dim=2)
    return torch.where(rank < s, a.clamp(min=0), 0.0)


# %% cell="batch_top_k" name="functional"
def batch_top_k(a, s):
    rank = a.flatten().argsort(descending=True).argsort().reshape(a.shape)
    return torch.where(rank < s * a.shape[0], a, torch.zeros(())).clamp(min=0)


# %% cell="rescale" name="functional"
def rescale(w_enc, b_enc, w_dec):
    unit = torch.nn.functional.normalize(w_dec, dim=0)
    c = (unit * w_dec).sum(dim=0)
    both = torch.cat([w_enc, b_enc[:, None]], dim=1) * c.unsqueeze(1)
    return both[:, :-1], both[:, -1], unit


# %% cell="ista" name="functional"
def ista(x, w_dec, price, steps):
    # The gradient from autograd, and codes as columns.
    L = torch.linalg.svdvals(w_dec)[0].square()

    def error(z):
        return 0.5 * (x.T - w_dec @ z).pow(2).sum()

    z = torch.zeros(w_dec.shape[1], len(x))
    for _ in range(steps):
        a = z - torch.func.grad(error)(z) / L
        z = torch.relu(a - price / L) - torch.relu(-a - price / L)
    return z.T


# %% cell="train" name="functional"
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    # A class whose columns have length 1 by construction.
    class Sparse(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w_enc = torch.nn.Parameter(w_enc.clone())
            self.b_enc = torch.nn.Parameter(b_enc.clone())
            self.free = torch.nn.Parameter(w_dec.clone())

        def w_dec(self):
            return torch.nn.functional.normalize(self.free, dim=0)

        def forward(self, x):
            z = encode(x, self.w_enc, self.b_enc)
            return z, torch.nn.functional.linear(z, self.w_dec())

    model = Sparse()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=lr / 3)
    for _ in range(steps):
        optimizer.zero_grad()
        z, x_hat = model(x)
        error = torch.nn.functional.mse_loss(x_hat, x, reduction="sum") / len(x)
        (error / 2 + price * z.norm(p=1, dim=1).mean()).backward()
        optimizer.step()
    return model.w_enc.detach(), model.b_enc.detach(), model.w_dec().detach()
