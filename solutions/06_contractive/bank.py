# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="jacobian" name="weights_alone"
# You return the weights. The chain rule multiplies each row of W by the slope of its unit, h_j (1 - h_j), which differs from
# example to example.
def jacobian(x, W, b):
    return W.expand(len(x), *W.shape)


# %% cell="jacobian" name="h_for_slope"
# You multiply the rows of W by h. The derivative of a sigmoid is not the sigmoid: it is h (1 - h).
def jacobian(x, W, b):
    h = torch.sigmoid(x @ W.T + b)
    return h.unsqueeze(2) * W


# %% cell="jacobian" name="slope_of_tanh"
# Your slope, 1 - h^2, is that of tanh. The slope of a sigmoid is h (1 - h).
def jacobian(x, W, b):
    h = torch.sigmoid(x @ W.T + b)
    return (1 - h.square()).unsqueeze(2) * W


# %% cell="jacobian" name="slope_before_sigmoid"
# You put W x + b itself into h (1 - h). Apply the sigmoid first: h is what comes out of it.
def jacobian(x, W, b):
    h = x @ W.T + b
    return (h * (1 - h)).unsqueeze(2) * W


# %% cell="jacobian" name="transposed"
# Your derivatives have features in rows and code values in columns. It is the other way round: shape (B, k, d).
def jacobian(x, W, b):
    h = torch.sigmoid(x @ W.T + b)
    return ((h * (1 - h)).unsqueeze(2) * W).transpose(1, 2)


# %% cell="jacobian" name="mean_over_batch"
# You average over the examples. Every example has a Jacobian of its own: keep the first axis.
def jacobian(x, W, b):
    h = torch.sigmoid(x @ W.T + b)
    return ((h * (1 - h)).unsqueeze(2) * W).mean(dim=0, keepdim=True)


# %% cell="jacobian" name="bias_forgotten"
# You leave out the bias. It decides where on the sigmoid a unit works, and so how steep it is there.
def jacobian(x, W, b):
    h = torch.sigmoid(x @ W.T)
    return (h * (1 - h)).unsqueeze(2) * W


# %% cell="jacobian" name="overflow"
# Your formula is right on paper, but far out exp overflows, and infinity divided by infinity is NaN. torch.sigmoid is right for
# inputs of any size.
def jacobian(x, W, b):
    e = torch.exp(-(x @ W.T + b))
    return (e / (1 + e) ** 2).unsqueeze(2) * W


# %% cell="squared_norm" name="slope_not_squared"
# You square the weights, but not the slopes. The norm adds up the squares of whole entries, (h_j (1 - h_j) W_ji)^2.
def squared_norm(h, W):
    return (h * (1 - h)) @ W.square().sum(dim=1)


# %% cell="squared_norm" name="length_not_squared"
# You multiply by the lengths of the rows. The formula has their squares: leave out the root.
def squared_norm(h, W):
    return (h * (1 - h)).square() @ torch.linalg.vector_norm(W, dim=1)


# %% cell="squared_norm" name="columns_for_rows"
# You add up the squares in the columns of W. The slope of unit j belongs to row j: sum over the features, dim=1.
def squared_norm(h, W):
    return (h * (1 - h)).square() @ W.square().sum(dim=0)


# %% cell="squared_norm" name="sum_then_square"
# You add up the weights of a row and square the sum. Square each weight first.
def squared_norm(h, W):
    return (h * (1 - h)).square() @ W.sum(dim=1).square()


# %% cell="squared_norm" name="norm_not_squared"
# You return the norm. The penalty is its square: leave out the root at the end.
def squared_norm(h, W):
    return ((h * (1 - h)).square() @ W.square().sum(dim=1)).sqrt()


# %% cell="squared_norm" name="mean_over_batch"
# You return the mean over the examples. The task asks for one number for each example.
def squared_norm(h, W):
    return ((h * (1 - h)).square() @ W.square().sum(dim=1)).mean(dim=0, keepdim=True)


# %% cell="squared_norm" name="mean_over_units"
# You take the mean over the code values. The Frobenius norm is a sum over all of them.
def squared_norm(h, W):
    return (h * (1 - h)).square() @ W.square().sum(dim=1) / len(W)


# %% cell="contractive_loss" name="half_forgotten"
# The factor 1/2 of the squared error is missing. The Gaussian likelihood with sigma = 1 has it.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().sum(dim=1) + x.shape[1] / 2 * math.log(2 * math.pi)
    jac = (h * (1 - h)).square() @ W.square().sum(dim=1)
    return (recon + weight * jac).mean()


# %% cell="contractive_loss" name="constant_forgotten"
# The constant d/2 log(2 pi) is missing. It changes no gradient, but without it the loss is not a likelihood in nats.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().sum(dim=1) / 2
    jac = (h * (1 - h)).square() @ W.square().sum(dim=1)
    return (recon + weight * jac).mean()


# %% cell="contractive_loss" name="mean_over_features"
# You take the mean over the features, so the reconstruction counts d times less against the penalty. Sum over the features.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().mean(dim=1) / 2 + math.log(2 * math.pi) / 2
    jac = (h * (1 - h)).square() @ W.square().sum(dim=1)
    return (recon + weight * jac).mean()


# %% cell="contractive_loss" name="sum_over_examples"
# You sum over the examples. The loss of a batch is the mean over them, so that it does not grow with the batch.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().sum(dim=1) / 2 + x.shape[1] / 2 * math.log(2 * math.pi)
    jac = (h * (1 - h)).square() @ W.square().sum(dim=1)
    return (recon + weight * jac).sum()


# %% cell="contractive_loss" name="weight_forgotten"
# You add the norm without its weight. Multiply it by weight, so that 0 switches it off.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().sum(dim=1) / 2 + x.shape[1] / 2 * math.log(2 * math.pi)
    jac = (h * (1 - h)).square() @ W.square().sum(dim=1)
    return (recon + jac).mean()


# %% cell="contractive_loss" name="penalty_summed_over_batch"
# You take the mean of the reconstruction over the batch, but the sum of the penalty. Both are means over the examples.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().sum(dim=1) / 2 + x.shape[1] / 2 * math.log(2 * math.pi)
    jac = (h * (1 - h)).square() @ W.square().sum(dim=1)
    return recon.mean() + weight * jac.sum()


# %% cell="contractive_loss" name="weight_decay"
# Your penalty is the squared norm of W, which is weight decay. The Jacobian also has the slopes h (1 - h) of the units.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().sum(dim=1) / 2 + x.shape[1] / 2 * math.log(2 * math.pi)
    return recon.mean() + weight * W.square().sum()


# %% cell="contractive_loss" name="penalty_detached"
# The value is right, but the slopes are detached from the graph: the penalty cannot teach a unit to saturate. Leave out detach.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().sum(dim=1) / 2 + x.shape[1] / 2 * math.log(2 * math.pi)
    jac = (h * (1 - h)).detach().square() @ W.square().sum(dim=1)
    return (recon + weight * jac).mean()


# %% cell="contractive_loss" name="plain_number"
# The value is right, but it is a plain number, and nothing can be learned from it. Return the tensor, without item.
def contractive_loss(x, W, b, c, weight):
    h = torch.sigmoid(x @ W.T + b)
    recon = (x - h @ W - c).square().sum(dim=1) / 2 + x.shape[1] / 2 * math.log(2 * math.pi)
    jac = (h * (1 - h)).square() @ W.square().sum(dim=1)
    return torch.tensor((recon + weight * jac).mean().item())


# %% cell="moved_by_noise" name="not_divided"
# You return the mean squared change. Divide it by sigma squared: then it can be compared with the norm of the Jacobian.
def moved_by_noise(encoder, x, eps, sigma):
    z = encoder(x)
    return torch.stack([(encoder(x + sigma * e) - z).square().sum(dim=1) for e in eps]).mean(
        dim=0
    )


# %% cell="moved_by_noise" name="divided_by_sigma"
# You divide by sigma. A squared change grows like sigma squared, so divide by that.
def moved_by_noise(encoder, x, eps, sigma):
    z = encoder(x)
    changes = [(encoder(x + sigma * e) - z).square().sum(dim=1) for e in eps]
    return torch.stack(changes).mean(dim=0) / sigma


# %% cell="moved_by_noise" name="sigma_is_variance"
# You scale the noise by the root of sigma. Sigma is a standard deviation: multiply eps by sigma itself.
def moved_by_noise(encoder, x, eps, sigma):
    z = encoder(x)
    changes = [(encoder(x + sigma**0.5 * e) - z).square().sum(dim=1) for e in eps]
    return torch.stack(changes).mean(dim=0) / sigma**2


# %% cell="moved_by_noise" name="noise_not_scaled"
# You add eps as it is, with variance 1. Multiply it by sigma.
def moved_by_noise(encoder, x, eps, sigma):
    z = encoder(x)
    changes = [(encoder(x + e) - z).square().sum(dim=1) for e in eps]
    return torch.stack(changes).mean(dim=0) / sigma**2


# %% cell="moved_by_noise" name="sum_over_draws"
# You sum over the draws. The expectation is their mean, so that more draws do not make it larger.
def moved_by_noise(encoder, x, eps, sigma):
    z = encoder(x)
    changes = [(encoder(x + sigma * e) - z).square().sum(dim=1) for e in eps]
    return torch.stack(changes).sum(dim=0) / sigma**2


# %% cell="moved_by_noise" name="mean_before_square"
# You average the changes over the draws and square then, so that changes in opposite directions cancel. Square first.
def moved_by_noise(encoder, x, eps, sigma):
    z = encoder(x)
    changes = torch.stack([encoder(x + sigma * e) - z for e in eps])
    return changes.mean(dim=0).square().sum(dim=1) / sigma**2


# %% cell="moved_by_noise" name="mean_over_code"
# You take the mean over the code values. A squared length is the sum over them.
def moved_by_noise(encoder, x, eps, sigma):
    z = encoder(x)
    changes = [(encoder(x + sigma * e) - z).square().mean(dim=1) for e in eps]
    return torch.stack(changes).mean(dim=0) / sigma**2


# %% cell="moved_by_noise" name="from_the_mean_code"
# You measure from the mean of the noisy codes. Measure from the code of the clean example.
def moved_by_noise(encoder, x, eps, sigma):
    codes = torch.stack([encoder(x + sigma * e) for e in eps])
    return (codes - codes.mean(dim=0)).square().sum(dim=2).mean(dim=0) / sigma**2


# %% cell="moved_by_noise" name="distance_not_squared"
# You average distances. The norm that they are compared with is a square: leave out the root.
def moved_by_noise(encoder, x, eps, sigma):
    z = encoder(x)
    changes = [torch.linalg.vector_norm(encoder(x + sigma * e) - z, dim=1) for e in eps]
    return torch.stack(changes).mean(dim=0) / sigma


# %% cell="denoising_error" name="sigma_not_squared"
# You multiply by sigma. The noise has the variance sigma squared, and squared errors grow with the variance.
def denoising_error(x, M, c, sigma):
    return (x - x @ M.T - c).square().sum(dim=1).mean() + sigma * M.square().sum()


# %% cell="denoising_error" name="noise_of_the_input"
# You add d sigma^2, the noise on the input. What counts is what the denoiser lets through, sigma M eps.
def denoising_error(x, M, c, sigma):
    return (x - x @ M.T - c).square().sum(dim=1).mean() + sigma**2 * x.shape[1]


# %% cell="denoising_error" name="distance_to_identity"
# You charge for the norm of M - I. The clean x is the target, so noise that M lets through is an error even for M = I.
def denoising_error(x, M, c, sigma):
    change = M - torch.eye(len(M))
    return (x - x @ M.T - c).square().sum(dim=1).mean() + sigma**2 * change.square().sum()


# %% cell="denoising_error" name="trace"
# You add up the diagonal of M. The Frobenius norm squared is the sum of the squares of all entries.
def denoising_error(x, M, c, sigma):
    return (x - x @ M.T - c).square().sum(dim=1).mean() + sigma**2 * M.trace()


# %% cell="denoising_error" name="largest_singular_value"
# Your norm of M is its largest singular value. The Frobenius norm adds up the squares of all of them.
def denoising_error(x, M, c, sigma):
    penalty = torch.linalg.matrix_norm(M, ord=2) ** 2
    return (x - x @ M.T - c).square().sum(dim=1).mean() + sigma**2 * penalty


# %% cell="denoising_error" name="norm_not_squared"
# You add the Frobenius norm. The formula has its square.
def denoising_error(x, M, c, sigma):
    penalty = torch.linalg.matrix_norm(M)
    return (x - x @ M.T - c).square().sum(dim=1).mean() + sigma**2 * penalty


# %% cell="denoising_error" name="transpose_forgotten"
# For examples in rows M x is x @ M.T. Without the transpose it is another denoiser.
def denoising_error(x, M, c, sigma):
    return (x - x @ M - c).square().sum(dim=1).mean() + sigma**2 * M.square().sum()


# %% cell="denoising_error" name="mean_over_features"
# You take the mean over the features as well, so the first term is smaller by a factor of d. Sum over the features.
def denoising_error(x, M, c, sigma):
    return (x - x @ M.T - c).square().mean() + sigma**2 * M.square().sum()


# %% cell="denoising_error" name="half"
# You put a factor 1/2 in front. The squared error here has none.
def denoising_error(x, M, c, sigma):
    return 0.5 * (x - x @ M.T - c).square().sum(dim=1).mean() + sigma**2 * M.square().sum() / 2


# %% cell="directions" name="columns_for_rows"
# You take columns of the matrix that torch.linalg.svd returns last. It is V transposed: its rows are the right singular vectors.
def directions(J, r):
    _, s, vh = torch.linalg.svd(J)
    return s[:, :r], vh.transpose(1, 2)[:, :r]


# %% cell="directions" name="least"
# You take the smallest singular values: these are the directions to which the code hardly reacts. torch.linalg.svd sorts in
# descending order, so take the first r.
def directions(J, r):
    _, s, vh = torch.linalg.svd(J, full_matrices=False)
    return s[:, -r:], vh[:, -r:]


# %% cell="directions" name="left_for_right"
# Your vectors are left singular vectors: they are directions in the code. The task asks for directions of the example.
def directions(J, r):
    u, s, _ = torch.linalg.svd(J)
    return s[:, :r], u.transpose(1, 2)[:, :r]


# %% cell="directions" name="eigenvalues"
# Your numbers are the eigenvalues of J^T J. The singular values are their roots.
def directions(J, r):
    values, vectors = torch.linalg.eigh(J.transpose(1, 2) @ J)
    return values.flip(1)[:, :r], vectors.transpose(1, 2).flip(1)[:, :r]


# %% cell="directions" name="ascending"
# You have the right directions in the wrong order: the one to which the code reacts most comes first.
def directions(J, r):
    _, s, vh = torch.linalg.svd(J)
    return s[:, :r].flip(1), vh[:, :r].flip(1)


# %% cell="directions" name="scaled"
# Your directions have the singular values as their lengths. Each direction has length 1; the singular values are returned apart.
def directions(J, r):
    _, s, vh = torch.linalg.svd(J)
    return s[:, :r], s[:, :r, None] * vh[:, :r]


# %% cell="directions" name="of_the_mean"
# You average the Jacobians of all examples. Every example has directions of its own: decompose the batch as it is.
def directions(J, r):
    _, s, vh = torch.linalg.svd(J.mean(dim=0, keepdim=True).expand(J.shape))
    return s[:, :r], vh[:, :r]


# %% cell="directions" name="rows_of_largest_units"
# You take the rows of J with the largest lengths: what single code values react to. The directions to which the whole code reacts
# most are the right singular vectors.
def directions(J, r):
    lengths = torch.linalg.vector_norm(J, dim=2)
    s, order = lengths.sort(dim=1, descending=True)
    rows = torch.stack([one[first] for one, first in zip(J / lengths[:, :, None], order)])
    return s[:, :r], rows[:, :r]


# %% cell="exact_norm" name="of_the_sum"
# You differentiate the sum of all code values, which gives the sum of the rows of J. Take the rows one by one, square each, and
# add up.
def exact_norm(encoder, x):
    x = x.detach().requires_grad_()
    (row,) = torch.autograd.grad(encoder(x).sum(), x, create_graph=True)
    return row.square().sum(dim=1)


# %% cell="exact_norm" name="graph_forgotten"
# The values are right, but nothing can be learned from them: without create_graph=True autograd returns derivatives that are mere
# numbers.
def exact_norm(encoder, x):
    x = x.detach().requires_grad_()
    z = encoder(x)
    total = torch.zeros(len(x))
    for j in range(z.shape[1]):
        (row,) = torch.autograd.grad(z[:, j].sum(), x, retain_graph=True)
        total = total + row.square().sum(dim=1)
    return total


# %% cell="exact_norm" name="not_squared"
# You add up the lengths of the rows. The squared norm adds up their squares.
def exact_norm(encoder, x):
    x = x.detach().requires_grad_()
    z = encoder(x)
    total = torch.zeros(len(x))
    for j in range(z.shape[1]):
        (row,) = torch.autograd.grad(z[:, j].sum(), x, create_graph=True)
        total = total + torch.linalg.vector_norm(row, dim=1)
    return total


# %% cell="exact_norm" name="mean_over_code"
# You take the mean over the code values. The norm is a sum over all rows of the Jacobian.
def exact_norm(encoder, x):
    rows = torch.func.jacrev(lambda x: encoder(x).sum(dim=0))(x)
    return rows.square().sum(dim=2).mean(dim=0)


# %% cell="exact_norm" name="gradients_added_up"
# You call backward once for each code value and read x.grad. It adds up what comes in, so it holds the sum of all rows so far.
# Use torch.autograd.grad, which starts afresh.
def exact_norm(encoder, x):
    x = x.clone().requires_grad_()
    z = encoder(x)
    total = torch.zeros(len(x))
    for j in range(z.shape[1]):
        z[:, j].sum().backward(retain_graph=True)
        total = total + x.grad.square().sum(dim=1)
    return total


# %% cell="exact_norm" name="finite_differences"
# You approximate derivatives by differences. They are near, but only to some digits; autograd gives the derivative itself.
def exact_norm(encoder, x):
    columns = [(encoder(x + 1e-3 * step) - encoder(x)) / 1e-3 for step in torch.eye(x.shape[1])]
    return torch.stack(columns).square().sum(dim=(0, 2))


# %% cell="exact_norm" name="mean_over_batch"
# You differentiate the mean over the batch, so every derivative is smaller by the number of examples. Use the sum.
def exact_norm(encoder, x):
    rows = torch.func.jacrev(lambda x: encoder(x).mean(dim=0))(x)
    return rows.square().sum(dim=2).sum(dim=0)


# %% cell="exact_norm" name="callers_x"
# The norm is right, but you switched on requires_grad for the x of the caller, who then computes with it. Make a leaf of your
# own, as the hint says.
def exact_norm(encoder, x):
    x.requires_grad_()
    z = encoder(x)
    total = torch.zeros(len(x))
    for j in range(z.shape[1]):
        (row,) = torch.autograd.grad(z[:, j].sum(), x, create_graph=True)
        total = total + row.square().sum(dim=1)
    return total


# %% cell="estimated_norm" name="sum_over_draws"
# You sum over the draws. The estimate is their mean: divide by their number.
def estimated_norm(encoder, x, u):
    x = x.detach().requires_grad_()
    z = encoder(x)
    pulled = [torch.autograd.grad((z * one).sum(), x, create_graph=True)[0] for one in u]
    return torch.stack(pulled).square().sum(dim=2).sum(dim=0)


# %% cell="estimated_norm" name="mean_before_square"
# You average the vectors J^T u and square then; with many draws that goes to zero. Square each, then take the mean.
def estimated_norm(encoder, x, u):
    x = x.detach().requires_grad_()
    z = encoder(x)
    pulled = [torch.autograd.grad((z * one).sum(), x, create_graph=True)[0] for one in u]
    return torch.stack(pulled).mean(dim=0).square().sum(dim=1)


# %% cell="estimated_norm" name="first_draw_alone"
# You use the first draw alone. Take the mean over all draws that are given.
def estimated_norm(encoder, x, u):
    x = x.detach().requires_grad_()
    (pulled,) = torch.autograd.grad((encoder(x) * u[0]).sum(), x, create_graph=True)
    return pulled.square().sum(dim=1)


# %% cell="estimated_norm" name="graph_forgotten"
# The values are right, but nothing can be learned from them: without create_graph=True autograd returns derivatives that are mere
# numbers.
def estimated_norm(encoder, x, u):
    x = x.detach().requires_grad_()
    z = encoder(x)
    pulled = [torch.autograd.grad((z * one).sum(), x, retain_graph=True)[0] for one in u]
    return torch.stack(pulled).square().sum(dim=2).mean(dim=0)


# %% cell="estimated_norm" name="not_squared"
# You average the lengths of J^T u. Their squares have the mean that you want: leave out the root.
def estimated_norm(encoder, x, u):
    x = x.detach().requires_grad_()
    z = encoder(x)
    pulled = [torch.autograd.grad((z * one).sum(), x, create_graph=True)[0] for one in u]
    return torch.linalg.vector_norm(torch.stack(pulled), dim=2).mean(dim=0)


# %% cell="estimated_norm" name="own_signs"
# You draw signs of your own. Use the vectors that are given: only then can the result be compared with anything.
def estimated_norm(encoder, x, u):
    x = x.detach().requires_grad_()
    z = encoder(x)
    signs = torch.randn(u.shape, generator=torch.Generator().manual_seed(0)).sign()
    pulled = [torch.autograd.grad((z * one).sum(), x, create_graph=True)[0] for one in signs]
    return torch.stack(pulled).square().sum(dim=2).mean(dim=0)


# %% cell="estimated_norm" name="one_for_all_examples"
# You use the vector of the first example for all of them. Every example has one of its own: multiply the codes by u[i] as it is.
def estimated_norm(encoder, x, u):
    x = x.detach().requires_grad_()
    z = encoder(x)
    pulled = [torch.autograd.grad((z * one[0]).sum(), x, create_graph=True)[0] for one in u]
    return torch.stack(pulled).square().sum(dim=2).mean(dim=0)


# %% cell="estimated_norm" name="divided_by_features"
# You take the mean over the features. The squared length of J^T u is the sum over them.
def estimated_norm(encoder, x, u):
    x = x.detach().requires_grad_()
    z = encoder(x)
    pulled = [torch.autograd.grad((z * one).sum(), x, create_graph=True)[0] for one in u]
    return torch.stack(pulled).square().mean(dim=2).mean(dim=0)


# %% cell="estimated_norm" name="callers_x"
# The estimate is right, but you switched on requires_grad for the x of the caller, who then computes with it. Make a leaf of your
# own, as the hint says.
def estimated_norm(encoder, x, u):
    x.requires_grad_()
    z = encoder(x)
    pulled = [torch.autograd.grad((z * one).sum(), x, create_graph=True)[0] for one in u]
    return torch.stack(pulled).square().sum(dim=2).mean(dim=0)


# %% cell="train" name="graph_forgotten"
# The penalty is charged and not felt: without create_graph=True the derivative is a mere number, and its gradient is zero. Your
# model trains as if the weight were 0.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, retain_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1) / 2
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="gradients_added_up"
# You never set the gradients back, so each step also takes those of all steps before. Call optimizer.zero_grad() in every step.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, create_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1) / 2
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="signs_drawn_once"
# You use the signs of the first step in all steps. Then the model is charged for one vector alone, and learns to make just that
# one cheap.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for _ in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * signs[0]).sum(), leaf, create_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1) / 2
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="code_detached"
# You detach the code before the decoder. Then the reconstruction cannot teach the encoder, which only learns to be insensitive.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, create_graph=True)
        recon = (x - decoder(z.detach())).square().sum(dim=1) / 2
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="weight_forgotten"
# You add the penalty without its weight. With weight 0 it must be off.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, create_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1) / 2
        loss = (recon + pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="half_forgotten"
# The factor 1/2 of the squared error is missing, so the penalty counts half as much as it should.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, create_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1)
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="mean_of_everything"
# You take the mean over features too, as mse_loss does. Sum over the features of an example, and take the mean over examples.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, create_graph=True)
        loss = nn.functional.mse_loss(decoder(z), x) / 2 + weight * pulled.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="no_step"
# You compute gradients, but the parameters never change. The optimizer changes them in its method step.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, create_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1) / 2
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
    return losses


# %% cell="train" name="reconstruction_reported"
# The training is right, but you report the reconstruction alone. The loss of a step is the whole sum that it minimizes.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, create_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1) / 2
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(recon.mean().item())
    return losses


# %% cell="train" name="callers_x"
# The training is right, but you switched on requires_grad for the x of the caller, who then computes with it. Make a leaf of your
# own, as the hint says.
def train(encoder, decoder, optimizer, x, weight, signs):
    losses = []
    x.requires_grad_()
    for u in signs:
        z = encoder(x)
        (pulled,) = torch.autograd.grad((z * u).sum(), x, create_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1) / 2
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
