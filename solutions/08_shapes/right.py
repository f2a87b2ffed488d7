# %% [markdown]
# Right answers that look different from the model's. Each must earn every mark.

# %% cell="sizes" name="loops"
def sizes(n, k, s, p):
    starts = [start for start in range(0, n + 2 * p, s) if start + k <= n + 2 * p]
    end = starts[-1] + k
    return len(starts), n + 2 * p - end


# %% cell="valid_steps" name="loops"
def valid_steps(lengths, num_steps):
    mask = torch.zeros(len(lengths), num_steps, dtype=torch.bool)
    for row, length in zip(mask, lengths):
        row[:length] = True
    return mask


# %% cell="masked_loss" name="loops"
def masked_loss(x, x_hat, mask):
    total = 0.0
    for sequence, rebuilt, there in zip(x, x_hat, mask):
        for t in range(len(there)):
            if there[t]:
                total = total + (sequence[t] - rebuilt[t]).pow(2).sum()
    return total / len(x)


# %% cell="last_state" name="loops"
def last_state(h, lengths):
    return torch.stack([states[length - 1] for states, length in zip(h, lengths.tolist())])


# %% cell="packing_order" name="loops"
def packing_order(lengths):
    # Among equal lengths the last one comes first.
    order = sorted(range(len(lengths)), key=lambda i: (int(lengths[i]), i), reverse=True)
    inverse = [0] * len(order)
    for position, row in enumerate(order):
        inverse[row] = position
    return torch.tensor(order), torch.tensor(inverse)


# %% cell="causal_mask" name="loops"
def causal_mask(lengths, num_steps):
    mask = torch.zeros(len(lengths), num_steps, num_steps, dtype=torch.bool)
    for i, length in enumerate(lengths.tolist()):
        for t in range(num_steps):
            mask[i, t, : min(t + 1, length)] = True
    return mask


# %% cell="attention" name="loops"
def attention(q, k, v, mask):
    rows = []
    for i in range(len(q)):
        for t in range(q.shape[1]):
            may = mask[i, t]
            scores = (k[i][may] * q[i, t]).sum(dim=1) / q.shape[2] ** 0.5
            weights = torch.exp(scores - scores.max().detach())
            rows.append((weights[:, None] * v[i][may]).sum(dim=0) / weights.sum())
    return torch.stack(rows).reshape(*q.shape[:2], v.shape[2])


# %% cell="conv2d" name="loops"
def conv2d(x, w, b, stride, padding):
    k = w.shape[2]
    height, width = ((side + 2 * padding - k) // stride + 1 for side in x.shape[2:])
    padded = torch.zeros(*x.shape[:2], x.shape[2] + 2 * padding, x.shape[3] + 2 * padding)
    padded[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]] = x
    y = torch.zeros(len(x), len(w), height, width)
    for i in range(height):
        for j in range(width):
            patch = padded[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
            y[:, :, i, j] = patch.flatten(1) @ w.flatten(1).T + b
    return y


# %% cell="conv_transpose2d" name="loops"
def conv_transpose2d(y, w, stride, padding, size):
    # Over the pixels of the kernel: each adds a strided copy of the maps.
    channels, k = w.shape[1:3]
    rows, columns = y.shape[2:]
    image = torch.zeros(len(y), channels, *(side + 2 * padding + stride for side in size))
    for u in range(k):
        for v in range(k):
            window = image[
                :, :, u : u + stride * rows : stride, v : v + stride * columns : stride
            ]
            window += (y.movedim(1, 3) @ w[:, :, u, v]).movedim(3, 1)
    return image[:, :, padding:, padding:][:, :, : size[0], : size[1]]


# %% cell="train" name="loops"
def train(model, x, mask, epochs, batch_size, lr, seed):
    draw_order = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(list(model.parameters()), lr)
    history = []
    for epoch in range(epochs):
        order = draw_order.permutation(len(x))
        losses = []
        for start in range(0, len(x), batch_size):
            batch = torch.tensor(order[start : start + batch_size])
            x_hat = model(x[batch], mask[batch])
            per_sequence = [
                (a[there] - b[there]).square().sum()
                for a, b, there in zip(x[batch], x_hat, mask[batch])
            ]
            sum(per_sequence).div(len(batch)).backward()
            optimizer.step()
            optimizer.zero_grad()
            losses += [float(one) for one in per_sequence]
        print(f"epoch {epoch}: {np.mean(losses):.3f}")
        history.append(np.mean(losses))
    return history


# %% cell="sizes" name="numpy"
def sizes(n, k, s, p):
    steps, rest = np.divmod(n + 2 * p - k, s)
    return np.int64(steps + 1), rest


# %% cell="valid_steps" name="numpy"
def valid_steps(lengths, num_steps):
    table = np.tri(num_steps + 1, num_steps, k=-1, dtype=bool)
    return torch.from_numpy(table[lengths.numpy()])


# %% cell="masked_loss" name="numpy"
def masked_loss(x, x_hat, mask):
    # Pick the valid steps, of which there are as many as there are True.
    import warnings

    warnings.warn("a warning never costs a mark", stacklevel=2)
    difference = x_hat[mask] - x[mask]
    return torch.einsum("nc,nc->", difference, difference) / x.shape[0]


# %% cell="last_state" name="numpy"
def last_state(h, lengths):
    last = (lengths - 1).reshape(-1, 1, 1).expand(-1, 1, h.shape[2])
    return h.gather(1, last).squeeze(1)


# %% cell="packing_order" name="numpy"
def packing_order(lengths):
    order = np.argsort(-lengths.numpy(), kind="stable")
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    return torch.from_numpy(order), torch.from_numpy(inverse)


# %% cell="causal_mask" name="numpy"
def causal_mask(lengths, num_steps):
    t = np.arange(num_steps)
    ends = np.minimum(t[None, :] + 1, lengths.numpy()[:, None])
    return torch.from_numpy(t < ends[:, :, None])


# %% cell="attention" name="numpy"
def attention(q, k, v, mask):
    # The weights by their logarithms.
    scores = torch.einsum("ntd,nsd->nts", q, k) / np.sqrt(q.shape[2])
    scores = torch.where(mask, scores, torch.tensor(-torch.inf))
    log_weights = scores - torch.logsumexp(scores, dim=2, keepdim=True)
    return torch.einsum("nts,nse->nte", log_weights.exp(), v)


# %% cell="conv2d" name="numpy"
def conv2d(x, w, b, stride, padding):
    k = w.shape[3]
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    y = np.tensordot(windows, w.numpy(), axes=([1, 4, 5], [1, 2, 3]))
    return torch.from_numpy(np.moveaxis(y + b.numpy(), 3, 1))


# %% cell="conv_transpose2d" name="numpy"
def conv_transpose2d(y, w, stride, padding, size):
    # The matrix of the convolution along one axis, for each pixel of the kernel: 1 where it meets.
    def meets(side, places):
        pixel, place, u = np.ogrid[:side, :places, : w.shape[2]]
        return (place * stride + u - padding == pixel).astype(float)

    rows, columns = meets(size[0], y.shape[2]), meets(size[1], y.shape[3])
    return torch.from_numpy(
        np.einsum("noij,ocuv,hiu,wjv->nchw", y.numpy(), w.numpy(), rows, columns, optimize=True)
    )


# %% cell="train" name="numpy"
def train(model, x, mask, epochs, batch_size, lr, seed):
    clean = torch.where(mask[:, :, None], x, 0.0)
    generator = torch.Generator()
    generator.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = torch.zeros(epochs, len(x))
    for epoch in range(epochs):
        batches = torch.utils.data.DataLoader(
            torch.arange(len(x)), batch_size=batch_size, shuffle=True, generator=generator
        )
        for rows in batches:
            model.zero_grad()
            x_hat = model(clean[rows], mask[rows])
            each = ((clean[rows] - x_hat).square() * mask[rows, :, None]).sum(dim=(1, 2))
            each.mean().backward()
            optimizer.step()
            losses[epoch, rows] = each.detach()
    return losses.mean(dim=1).tolist()


# %% cell="sizes" name="functional"
def sizes(n, k, s, p):
    # Without the formulas: the smallest image with the same number of values, and what is more.
    small = -(-(n + 2 * p - k + 1) // s)
    return torch.tensor(small), float((n + 2 * p - k) % s)


# %% cell="valid_steps" name="functional"
def valid_steps(lengths, num_steps):
    ends = F.one_hot(lengths - 1, num_steps)
    return ends.flip(1).cumsum(1).flip(1).bool()


# %% cell="masked_loss" name="functional"
def masked_loss(x, x_hat, mask):
    x, x_hat = (one.masked_fill(~mask.unsqueeze(-1), 0) for one in (x, x_hat))
    return F.mse_loss(x_hat, x, reduction="none").flatten(1).sum(1).mean()


# %% cell="last_state" name="functional"
def last_state(h, lengths):
    is_last = F.one_hot(lengths - 1, h.shape[1]).to(h.dtype)
    return torch.einsum("nt,ntm->nm", is_last, h)


# %% cell="packing_order" name="functional"
def packing_order(lengths):
    order = lengths.sort(descending=True, stable=True).indices
    inverse = torch.zeros_like(order).scatter(0, order, torch.arange(len(order)))
    return order, inverse


# %% cell="causal_mask" name="functional"
def causal_mask(lengths, num_steps):
    full = torch.ones(len(lengths), num_steps, num_steps, dtype=torch.bool)
    hidden = torch.arange(num_steps).expand(len(lengths), -1) >= lengths.unsqueeze(1)
    return full.tril().masked_fill(hidden.unsqueeze(1), False)


# %% cell="attention" name="functional"
def attention(q, k, v, mask):
    scores = torch.bmm(q * q.size(-1) ** -0.5, k.transpose(1, 2)) + torch.where(
        mask, 0.0, -1e15
    )
    return torch.bmm(F.softmax(scores, -1), v)


# %% cell="conv2d" name="functional"
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    height, width = ((side + 2 * padding - k) // stride + 1 for side in x.shape[2:])
    columns = F.unfold(x, k, padding=padding, stride=stride)
    return (w.flatten(1) @ columns + b[:, None]).unflatten(2, (height, width))


# %% cell="conv_transpose2d" name="functional"
def conv_transpose2d(y, w, stride, padding, size):
    columns = w.flatten(1).T @ y.flatten(2)
    return F.fold(columns, size, w.shape[-1], padding=padding, stride=stride)


# %% cell="train" name="functional"
def train(model, x, mask, epochs, batch_size, lr, seed):
    class Trainer:
        def __init__(self):
            self.generator = torch.Generator().manual_seed(2 * seed + 1)
            self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)

        def step(self, x, mask):
            parameters = list(model.parameters())
            difference = torch.masked_select(x - model(x, mask), mask[..., None])
            loss = difference.dot(difference) / len(x)
            for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
                parameter.grad = gradient
            self.optimizer.step()
            return loss.detach() * len(x)

        def epoch(self):
            order = torch.argsort(torch.rand(len(x), generator=self.generator))
            losses = [self.step(x[rows], mask[rows]) for rows in order.split(batch_size)]
            return float(torch.stack(losses).sum()) / len(x)

    trainer = Trainer()
    return torch.tensor([trainer.epoch() for _ in range(epochs)])
