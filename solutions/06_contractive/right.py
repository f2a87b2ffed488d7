# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="jacobian" name="loops"
def jacobian(x, W, b):
    J = torch.empty(len(x), *W.shape)
    for n, row in enumerate(x):
        for j in range(len(W)):
            h = torch.sigmoid(W[j] @ row + b[j])
            J[n, j] = h * (1 - h) * W[j]
    return J


# %% cell="squared_norm" name="loops"
def squared_norm(h, W):
    norms = []
    for code in h.tolist():
        entries = [
            value * (1 - value) * weight
            for value, row in zip(code, W.tolist())
            for weight in row
        ]
        norms.append(sum(entry**2 for entry in entries))
    return torch.tensor(norms)


# %% cell="contractive_loss" name="loops"
def contractive_loss(x, W, b, c, weight):
    total = 0.0
    for row in x:
        h = torch.sigmoid(W @ row + b)
        difference = row - W.T @ h - c
        total = (
            total + difference @ difference / 2 + len(row) * math.log(math.sqrt(2 * math.pi))
        )
        for value, weights in zip(h, W):
            total = total + weight * (value * (1 - value)) ** 2 * (weights @ weights)
    return total / len(x)


# %% cell="moved_by_noise" name="loops"
def moved_by_noise(encoder, x, eps, sigma):
    moved = []
    for n in range(len(x)):
        z = encoder(x[n : n + 1])
        distances = [
            torch.dist(encoder(x[n : n + 1] + sigma * noise), z) ** 2 for noise in eps[:, n]
        ]
        moved.append(sum(distances).item() / (len(eps) * sigma * sigma))
    return torch.tensor(moved)


# %% cell="denoising_error" name="loops"
def denoising_error(x, M, c, sigma):
    total = 0.0
    for row in x:
        r = M @ row + c
        total += sum((a - b) ** 2 for a, b in zip(row.tolist(), r.tolist()))
    return total / len(x) + sigma**2 * sum(entry**2 for row in M.tolist() for entry in row)


# %% cell="directions" name="loops"
def directions(J, r):
    values, vectors = [], []
    for one in J:
        _, s, vh = torch.linalg.svd(one, full_matrices=False)
        values.append(s[:r])
        vectors.append(-vh[:r])
    return torch.stack(values), torch.stack(vectors)


# %% cell="exact_norm" name="loops"
def exact_norm(encoder, x):
    norms = []
    for row in x:
        leaf = row.clone().requires_grad_()
        z = encoder(leaf[None])[0]
        rows = [torch.autograd.grad(value, leaf, create_graph=True)[0] for value in z]
        norms.append(sum(row @ row for row in rows))
    return torch.stack(norms)


# %% cell="estimated_norm" name="loops"
def estimated_norm(encoder, x, u):
    norms = []
    for n in range(len(x)):
        leaf = x[n].clone().requires_grad_()
        total = 0.0
        for draw_of_u in u[:, n]:
            number = encoder(leaf[None])[0] @ draw_of_u
            total = total + torch.autograd.grad(number, leaf, create_graph=True)[0].pow(2).sum()
        norms.append(total / u.shape[0])
    return torch.stack(norms)


# %% cell="train" name="loops"
def train(encoder, decoder, optimizer, x, weight, signs):
    # One backward pass for each example, whose gradients add up.
    losses = []
    for u in signs:
        optimizer.zero_grad()
        total = 0.0
        for row, one in zip(x, u):
            leaf = row[None].clone().requires_grad_()
            z = encoder(leaf)
            (pulled,) = torch.autograd.grad((z[0] * one).sum(), leaf, create_graph=True)
            loss = 0.5 * ((row - decoder(z)) ** 2).sum() + weight * (pulled**2).sum()
            (loss / len(x)).backward()
            total += float(loss) / len(x)
        optimizer.step()
        losses.append(total)
    return losses


# %% cell="jacobian" name="numpy"
def jacobian(x, W, b):
    from scipy.special import expit

    h = expit(x.numpy() @ W.numpy().T + b.numpy())
    return torch.from_numpy(np.einsum("nj,ji->nji", h - h**2, W.numpy()))


# %% cell="squared_norm" name="numpy"
def squared_norm(h, W):
    h, W = h.numpy(), W.numpy()
    return torch.from_numpy(np.einsum("nj,ji->n", (h * (1 - h)) ** 2, W**2))


# %% cell="moved_by_noise" name="numpy"
def moved_by_noise(encoder, x, eps, sigma):
    with torch.no_grad():
        noisy = encoder((x + sigma * eps).reshape(-1, x.shape[1])).numpy()
        clean = encoder(x).numpy()
    changes = np.linalg.norm(noisy.reshape(len(eps), *clean.shape) - clean, axis=2) / sigma
    return torch.from_numpy(np.mean(changes**2, axis=0))


# %% cell="denoising_error" name="numpy"
def denoising_error(x, M, c, sigma):
    away = x.numpy() - (x.numpy() @ M.numpy().T + c.numpy())
    return np.mean(np.sum(away**2, axis=1)) + (sigma * np.linalg.norm(M.numpy())) ** 2


# %% cell="directions" name="numpy"
def directions(J, r):
    _, s, vh = np.linalg.svd(J.numpy(), full_matrices=False)
    return torch.from_numpy(s[:, :r].copy()), torch.from_numpy(vh[:, :r].copy())


# %% cell="jacobian" name="functional"
def jacobian(x, W, b):
    # sigmoid(a) (1 - sigmoid(a)) = sigmoid(a) sigmoid(-a), and a product with a diagonal matrix.
    a = torch.nn.functional.linear(x, W, b)
    return torch.diag_embed(torch.sigmoid(a) * torch.sigmoid(-a)) @ W


# %% cell="squared_norm" name="functional"
def squared_norm(h, W):
    # The trace of J J^T, from the Jacobian itself.
    J = (h - h * h)[:, :, None] * W
    return torch.einsum("njj->n", J @ J.transpose(1, 2))


# %% cell="contractive_loss" name="functional"
def contractive_loss(x, W, b, c, weight):
    h = torch.nn.functional.linear(x, W, b).sigmoid()
    x_hat = torch.nn.functional.linear(h, W.T, c)
    error = torch.nn.functional.mse_loss(x_hat, x, reduction="sum") / (2 * len(x))
    norm = torch.linalg.matrix_norm((h * (1 - h))[:, :, None] * W).pow(2).mean()
    return error + x.shape[1] * math.log(2 * math.pi) / 2 + weight * norm


# %% cell="moved_by_noise" name="functional"
def moved_by_noise(encoder, x, eps, sigma):
    changes = torch.func.vmap(lambda noise: (encoder(x + sigma * noise) - encoder(x)) / sigma)(
        eps
    )
    return (changes**2).sum(-1).mean(0)


# %% cell="denoising_error" name="functional"
def denoising_error(x, M, c, sigma):
    print("denoising", len(x), "examples")
    identity = torch.eye(len(M))
    clean = torch.nn.functional.mse_loss(torch.addmm(-c, x, (identity - M).T), 0 * x)
    return clean * x.shape[1] + sigma**2 * torch.trace(M @ M.T)


# %% cell="directions" name="functional"
def directions(J, r):
    # Eigenvectors of J^T J, whose eigenvalues are the squared singular values.
    values, vectors = torch.linalg.eigh(J.mT @ J)
    return values.flip(-1)[:, :r].clamp(min=0).sqrt(), vectors.flip(-1)[..., :r].mT


# %% cell="exact_norm" name="functional"
def exact_norm(encoder, x):
    rows = torch.func.jacrev(lambda x: encoder(x).sum(dim=0))(x)
    return rows.square().sum(dim=(0, 2))


# %% cell="estimated_norm" name="functional"
def estimated_norm(encoder, x, u):
    _, pull = torch.func.vjp(encoder, x)
    return torch.func.vmap(pull)(u)[0].square().sum(dim=2).mean(dim=0)


# %% cell="train" name="functional"
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        z, pull = torch.func.vjp(encoder, x)
        loss = ((x - decoder(z)).square().sum() / 2 + weight * pull(u)[0].square().sum()) / len(
            x
        )
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    return losses


# %% cell="exact_norm" name="class"
class ExactNorm:
    """Columns of the Jacobian by forward mode, one for each feature."""

    def __call__(self, encoder, x):
        total = 0.0
        for i in range(x.shape[1]):
            step = torch.zeros_like(x)
            step[:, i] = 1
            _, column = torch.func.jvp(encoder, (x,), (step,))
            total = total + column.square().sum(dim=1)
        return total


exact_norm = ExactNorm()


# %% cell="estimated_norm" name="class"
class EstimatedNorm:
    """All draws in one pass: the batch is repeated once for each draw."""

    def __call__(self, encoder, x, u):
        m, n, k = u.shape
        leaf = x.repeat(m, 1).requires_grad_()
        number = torch.sum(encoder(leaf) * u.reshape(m * n, k))
        (pulled,) = torch.autograd.grad(number, leaf, create_graph=True)
        return pulled.pow(2).sum(dim=1).reshape(m, n).mean(dim=0)


estimated_norm = EstimatedNorm()


# %% cell="train" name="class"
class Trainer:
    """The training loop, with the gradients set by hand."""

    def loss(self, encoder, decoder, x, weight, u):
        leaf = x.clone().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad(z, leaf, grad_outputs=u, create_graph=True)
        per_example = 0.5 * (decoder(z) - x).pow(2).sum(-1) + weight * pulled.pow(2).sum(-1)
        return torch.mean(per_example)

    def __call__(self, encoder, decoder, optimizer, x, weight, signs):
        parameters = [*encoder.parameters(), *decoder.parameters()]
        losses = []
        for u in signs:
            loss = self.loss(encoder, decoder, x, weight, u)
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
            for parameter, gradient in zip(parameters, gradients):
                parameter.grad = gradient
            optimizer.step()
            losses.append(loss.item())
        return losses


train = Trainer()
