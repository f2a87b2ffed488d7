# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="center" name="loops"
def center(x):
    mean = torch.zeros(x.shape[1])
    for row in x:
        mean += row / len(x)
    return torch.stack([row - mean for row in x]), mean


# %% cell="covariance" name="loops"
def covariance(x_c):
    total = torch.zeros(x_c.shape[1], x_c.shape[1])
    for row in x_c:
        total += torch.outer(row, row)
    return total / len(x_c)


# %% cell="fit_1d" name="loops"
def fit_1d(S):
    # Power iteration, from a vector that is not orthogonal to the answer.
    w = torch.arange(1.0, len(S) + 1)
    for _ in range(300):
        w = S @ w
        w = w / w.norm()
    return w @ S @ w, -w


# %% cell="fit" name="loops"
def fit(S, k):
    # Power iteration with deflation, and a pair that is neither tied nor orthonormal.
    rows = []
    for _ in range(k):
        w = torch.linspace(1.0, 2.0, len(S))
        for _ in range(300):
            w = S @ w - sum((row @ S @ w) * row for row in rows)
            w = w / w.norm()
        rows.append(w)
    w_enc = torch.stack(rows)
    change = torch.eye(k) + torch.triu(torch.ones(k, k))
    return change @ w_enc, w_enc.T @ torch.linalg.inv(change)


# %% cell="wide" name="loops"
def wide(d, h):
    w_enc, w_dec = torch.zeros(h, d), torch.zeros(d, h)
    for j in range(d):
        w_enc[h - 1 - j, j] = 4.0
        w_dec[j, h - 1 - j] = 0.25
    return w_enc, w_dec


# %% cell="reconstruct" name="loops"
def reconstruct(x, mean, w_enc, w_dec):
    print("reconstructing", len(x), "examples")
    return torch.stack([mean + w_dec @ (w_enc @ (row - mean)) for row in x])


# %% cell="reconstruction_error" name="loops"
def reconstruction_error(x, x_hat):
    total = 0.0
    for row, row_hat in zip(x, x_hat):
        total += sum((a - b) ** 2 for a, b in zip(row.tolist(), row_hat.tolist()))
    return total / len(x)


# %% cell="discarded_variance" name="loops"
def discarded_variance(S, k):
    descending = sorted(torch.linalg.eigvalsh(S).tolist(), reverse=True)
    return torch.tensor(float(sum(descending[k:])))


# %% cell="explained_variance_ratio" name="loops"
def explained_variance_ratio(x_c):
    variances = sorted(torch.linalg.eigvalsh(torch.cov(x_c.T)).tolist(), reverse=True)
    return torch.tensor([variance / sum(variances) for variance in variances])


# %% cell="choose_k" name="loops"
def choose_k(ratio, share):
    for k in range(1, len(ratio) + 1):
        if ratio[:k].sum() >= share:
            return k
    return len(ratio)


# %% cell="center" name="numpy"
def center(x):
    array = x.numpy()
    mean = np.average(array, axis=0)
    return torch.from_numpy(array - mean), torch.from_numpy(mean)


# %% cell="covariance" name="numpy"
def covariance(x_c):
    import warnings

    warnings.warn("a warning never costs a mark", stacklevel=2)
    return torch.from_numpy(np.einsum("ni,nj->ij", x_c.numpy(), x_c.numpy()) / len(x_c))


# %% cell="fit_1d" name="numpy"
def fit_1d(S):
    values, vectors = np.linalg.eig(S.numpy())
    best = np.argmax(values)
    return torch.tensor(values[best].real), torch.tensor(vectors[:, best].real)


# %% cell="fit" name="numpy"
def fit(S, k):
    values, vectors = np.linalg.eigh(S.numpy())
    chosen = vectors[:, np.argsort(-values)[:k]]
    return torch.tensor(chosen.T), torch.tensor(chosen)


# %% cell="wide" name="numpy"
def wide(d, h):
    square = np.random.default_rng(0).normal(size=(h, h))
    return torch.tensor(np.linalg.inv(square)[:, :d]), torch.tensor(square[:d])


# %% cell="reconstruct" name="numpy"
def reconstruct(x, mean, w_enc, w_dec):
    product = w_dec.numpy() @ w_enc.numpy()
    return torch.from_numpy(
        np.einsum("ij,nj->ni", product, x.numpy() - mean.numpy()) + mean.numpy()
    )


# %% cell="reconstruction_error" name="numpy"
def reconstruction_error(x, x_hat):
    return torch.tensor(np.mean(np.linalg.norm(x.numpy() - x_hat.numpy(), axis=1) ** 2))


# %% cell="discarded_variance" name="numpy"
def discarded_variance(S, k):
    return torch.tensor(np.trace(S.numpy()) - np.linalg.eigvalsh(S.numpy())[-k:].sum())


# %% cell="explained_variance_ratio" name="numpy"
def explained_variance_ratio(x_c):
    variances = np.linalg.svd(x_c.numpy(), compute_uv=False) ** 2
    return torch.from_numpy(variances / variances.sum())


# %% cell="choose_k" name="numpy"
def choose_k(ratio, share):
    return np.searchsorted(np.cumsum(ratio.numpy()), share) + 1


# %% cell="center" name="svd"
def center(x):
    # The centering matrix I - 11^T/N.
    n = len(x)
    return (torch.eye(n) - torch.ones(n, n) / n) @ x, torch.ones(n) @ x / n


# %% cell="covariance" name="svd"
def covariance(x_c):
    _, s, vh = torch.linalg.svd(x_c, full_matrices=False)
    return vh.T @ torch.diag(s**2 / len(x_c)) @ vh


# %% cell="fit_1d" name="svd"
def fit_1d(S):
    _, s, vh = torch.linalg.svd(S)
    return s[0], vh[0]


# %% cell="fit" name="svd"
def fit(S, k):
    # An orthonormal basis of the subspace that is not made of eigenvectors.
    rotation = torch.linalg.qr(torch.vander(torch.arange(1.0, k + 1))).Q
    w_dec = torch.linalg.svd(S).U[:, :k] @ rotation
    return w_dec.T, w_dec


# %% cell="wide" name="svd"
def wide(d, h):
    # Orthonormal columns from a matrix of full rank, and the pseudoinverse.
    w_enc = torch.vander(torch.linspace(-1.0, 1.0, h), N=d) * 2
    return w_enc, torch.linalg.pinv(w_enc)


# %% cell="reconstruct" name="svd"
def reconstruct(x, mean, w_enc, w_dec):
    x -= mean
    return torch.addmm(mean, x, (w_dec @ w_enc).T)


# %% cell="reconstruction_error" name="svd"
def reconstruction_error(x, x_hat):
    return torch.nn.functional.mse_loss(x_hat, x) * x.shape[1]


# %% cell="discarded_variance" name="svd"
def discarded_variance(S, k):
    return torch.linalg.svdvals(S)[k:].sum()


# %% cell="explained_variance_ratio" name="svd"
def explained_variance_ratio(x_c):
    variances = torch.linalg.eigvalsh(x_c.T @ x_c).flip(0)
    return variances / torch.trace(x_c.T @ x_c)


# %% cell="choose_k" name="svd"
def choose_k(ratio, share):
    return torch.nonzero(ratio.cumsum(0) >= share)[0, 0] + 1
