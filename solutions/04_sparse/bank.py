# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="l1_penalty" name="sum_over_examples"
# You sum over the examples too, so that the price grows with the batch. Sum over the units, and take the mean over the
# examples.
def l1_penalty(z):
    return z.abs().sum()


# %% cell="l1_penalty" name="mean_over_units"
# You take the mean over the units as well, which makes the price smaller by a factor of k. Sum over the units of an example.
def l1_penalty(z):
    return z.abs().mean()


# %% cell="l1_penalty" name="no_absolute_values"
# You sum the values with their signs, so that positive and negative ones cancel. The L1 norm sums absolute values.
def l1_penalty(z):
    return z.sum(dim=1).mean()


# %% cell="l1_penalty" name="squares"
# You sum squares. They shrink large values and make hardly any value zero; the price of a unit of activation is its absolute
# value.
def l1_penalty(z):
    return z.square().sum(dim=1).mean()


# %% cell="l1_penalty" name="one_for_each_example"
# You return one price for each example. The price of the batch is their mean.
def l1_penalty(z):
    return z.abs().sum(dim=1)


# %% cell="l1_penalty" name="axes_swapped"
# You sum over the examples and take the mean over the units. It is the other way round: a row is an example, so sum along
# dim=1.
def l1_penalty(z):
    return z.abs().sum(dim=0).mean()


# %% cell="l0" name="negative_values_off"
# You count positive values only. A unit is active if its absolute value is larger than the threshold.
def l0(z, threshold=0.0):
    return (z > threshold).double().sum(dim=1).mean()


# %% cell="l0" name="at_least"
# You also count values that are exactly at the threshold. Active means larger than it; with the threshold 0 you count every
# unit.
def l0(z, threshold=0.0):
    return (z.abs() >= threshold).double().sum(dim=1).mean()


# %% cell="l0" name="share"
# You return the share of the units that are active. L0 is their number: sum over the units of an example, then the mean.
def l0(z, threshold=0.0):
    return (z.abs() > threshold).double().mean()


# %% cell="l0" name="total"
# You return the number of active units in the whole batch. Divide by the number of examples.
def l0(z, threshold=0.0):
    return (z.abs() > threshold).sum()


# %% cell="l0" name="threshold_not_used"
# You count all values that are not zero, whatever the threshold is. Compare the absolute values with it.
def l0(z, threshold=0.0):
    return (z != 0).double().sum(dim=1).mean()


# %% cell="l0" name="l1_of_the_active"
# You add up the values of the active units. L0 counts them: each active unit counts 1, however strong it is.
def l0(z, threshold=0.0):
    return torch.where(z.abs() > threshold, z.abs(), 0.0).sum(dim=1).mean()


# %% cell="l0" name="axes_swapped"
# You count for each unit the examples that use it. L0 counts for each example the units that it uses: sum along dim=1.
def l0(z, threshold=0.0):
    return (z.abs() > threshold).double().sum(dim=0).mean()


# %% cell="dead_units" name="sometimes_off"
# You return the units that are off for some example. In a sparse code that is nearly all of them; a dead unit is off for
# every example.
def dead_units(z, threshold=0.0):
    return (z.abs() <= threshold).any(dim=0).nonzero().squeeze(1)


# %% cell="dead_units" name="mask"
# You return True or False for each unit. The task asks for the numbers of the dead units: nonzero() turns a mask into them.
def dead_units(z, threshold=0.0):
    return ~(z.abs() > threshold).any(dim=0)


# %% cell="dead_units" name="living"
# You return the units that are alive. The dead ones are all the others.
def dead_units(z, threshold=0.0):
    return (z.abs() > threshold).any(dim=0).nonzero().squeeze(1)


# %% cell="dead_units" name="negative_values_off"
# You treat negative values as off. A unit is active if its absolute value is larger than the threshold.
def dead_units(z, threshold=0.0):
    return (~(z > threshold).any(dim=0)).nonzero().squeeze(1)


# %% cell="dead_units" name="examples"
# You return examples that use no unit. A unit is a column: look along dim=0 for an example that uses it.
def dead_units(z, threshold=0.0):
    return (~(z.abs() > threshold).any(dim=1)).nonzero().squeeze(1)


# %% cell="dead_units" name="small_mean"
# You compare the mean of a unit with the threshold. A unit that is strong for a few examples is rare and not dead: one is
# enough.
def dead_units(z, threshold=0.0):
    return (z.abs().mean(dim=0) <= threshold).nonzero().squeeze(1)


# %% cell="dead_units" name="at_least"
# You call a value at the threshold active. Active means larger than it; with the threshold 0 no unit would ever be dead.
def dead_units(z, threshold=0.0):
    return (~(z.abs() >= threshold).any(dim=0)).nonzero().squeeze(1)


# %% cell="dead_units" name="how_many"
# You return how many units are dead. The task asks which ones: their numbers, in a vector.
def dead_units(z, threshold=0.0):
    return (~(z.abs() > threshold).any(dim=0)).sum()


# %% cell="soft_threshold" name="hard"
# You keep large values as they are: that is a budget's or a hard threshold. A price also moves what is kept toward zero by w.
def soft_threshold(a, price):
    return torch.where(a.abs() > price, a, 0.0)


# %% cell="soft_threshold" name="one_sided"
# Your formula is the one for z of at least zero, and loses all negative values. Here z may have either sign.
def soft_threshold(a, price):
    return torch.relu(a - price)


# %% cell="soft_threshold" name="nothing_is_zero"
# You subtract the price from small values too, and they come out on the other side of zero. Where |a| is below the price, z
# is 0.
def soft_threshold(a, price):
    return a.sign() * (a.abs() - price)


# %% cell="soft_threshold" name="sign_lost"
# Your results are never negative. Give each value the sign back that it had.
def soft_threshold(a, price):
    return (a.abs() - price).clamp(min=0)


# %% cell="soft_threshold" name="half_the_price"
# You move values by half of the price. With the factor 1/2 before the square, the derivative is z - a + w, so they move by
# all of it.
def soft_threshold(a, price):
    return a.sign() * (a.abs() - price / 2).clamp(min=0)


# %% cell="soft_threshold" name="moved_only_down"
# You subtract the price from negative values as well, which makes them larger in size. They move up, toward zero.
def soft_threshold(a, price):
    return torch.where(a.abs() > price, a - price, 0.0)


# %% cell="soft_threshold" name="no_gradient"
# Your values are right, but they are cut off from the input, and an encoder below them would never learn. Do not detach.
def soft_threshold(a, price):
    a = a.detach()
    return a.sign() * (a.abs() - price).clamp(min=0)


# %% cell="rate_penalty" name="reversed"
# You compute KL(rho_hat || rho). The target comes first: KL(rho || rho_hat) weights the logarithms with rho and 1 - rho.
def rate_penalty(z, rho):
    rates = z.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    on = rates * torch.log(rates / rho)
    off = (1 - rates) * torch.log((1 - rates) / (1 - rho))
    return (on + off).sum()


# %% cell="rate_penalty" name="mean_over_units"
# You take the mean over the units. The penalty is their sum, as all losses here sum over the values of a code.
def rate_penalty(z, rho):
    rates = z.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    on = rho * torch.log(rho / rates)
    off = (1 - rho) * torch.log((1 - rho) / (1 - rates))
    return (on + off).mean()


# %% cell="rate_penalty" name="mean_of_each_example"
# You take the mean over the units of each example. The rate of a unit is its mean over the examples, dim=0.
def rate_penalty(z, rho):
    rates = z.mean(dim=1).clamp(1e-6, 1 - 1e-6)
    on = rho * torch.log(rho / rates)
    off = (1 - rho) * torch.log((1 - rho) / (1 - rates))
    return (on + off).sum()


# %% cell="rate_penalty" name="divergence_of_each_value"
# You compute a divergence for each single value and average those. That asks every value to be at rho; take the mean of a
# unit first.
def rate_penalty(z, rho):
    held = z.clamp(1e-6, 1 - 1e-6)
    on = rho * torch.log(rho / held)
    off = (1 - rho) * torch.log((1 - rho) / (1 - held))
    return (on + off).sum(dim=1).mean()


# %% cell="rate_penalty" name="only_on"
# You left out the second term, for the share of the time that a unit is off. Without it the cheapest unit is one that is always
# on.
def rate_penalty(z, rho):
    rates = z.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    return (rho * torch.log(rho / rates)).sum()


# %% cell="rate_penalty" name="not_held"
# Your penalty is infinite or not a number if a unit is 0 or 1 for the whole batch. Hold the rates inside the interval first.
def rate_penalty(z, rho):
    rates = z.mean(dim=0)
    on = rho * torch.log(rho / rates)
    off = (1 - rho) * torch.log((1 - rho) / (1 - rates))
    return (on + off).sum()


# %% cell="rate_penalty" name="values_held"
# You hold the single values inside the interval, and then take the mean. Take the mean first, and hold the rate.
def rate_penalty(z, rho):
    rates = z.clamp(0.01, 0.99).mean(dim=0)
    on = rho * torch.log(rho / rates)
    off = (1 - rho) * torch.log((1 - rho) / (1 - rates))
    return (on + off).sum()


# %% cell="rate_penalty" name="bits"
# You use the logarithm to base 2 and get bits. Losses here are in nats: use the natural logarithm.
def rate_penalty(z, rho):
    rates = z.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    on = rho * torch.log2(rho / rates)
    off = (1 - rho) * torch.log2((1 - rho) / (1 - rates))
    return (on + off).sum()


# %% cell="top_k" name="ties_kept"
# You keep all values that are as large as the s-th largest. Where values tie at the cut these are more than s.
def top_k(a, s):
    a = torch.relu(a)
    cut = a.sort(dim=1, descending=True).values[:, s - 1 : s]
    return torch.where(a >= cut, a, 0.0)


# %% cell="top_k" name="above_the_cut"
# You keep only what is larger than the s-th largest value, and so lose that value itself.
def top_k(a, s):
    a = torch.relu(a)
    cut = a.sort(dim=1, descending=True).values[:, s - 1 : s]
    return torch.where(a > cut, a, 0.0)


# %% cell="top_k" name="negative_values_kept"
# You keep negative values where an example has fewer than s positive ones. Take the largest of relu(a): what is negative
# becomes zero.
def top_k(a, s):
    values, places = a.topk(s, dim=1)
    return torch.zeros_like(a).scatter(1, places, values)


# %% cell="top_k" name="largest_magnitude"
# You rank values by magnitude, so that a large negative value takes a place of the budget. Rank relu(a).
def top_k(a, s):
    places = a.abs().topk(s, dim=1).indices
    return torch.zeros_like(a).scatter(1, places, torch.relu(a).gather(1, places))


# %% cell="top_k" name="columns"
# You give the budget to each unit and not to each example. An example is a row: choose along dim=1.
def top_k(a, s):
    a = torch.relu(a)
    rank = a.argsort(dim=0, descending=True).argsort(dim=0)
    return torch.where(rank < s, a, 0.0)


# %% cell="top_k" name="ones"
# You return 1 where a value is kept. The value itself is kept, as it is.
def top_k(a, s):
    values, places = torch.relu(a).topk(s, dim=1)
    return torch.zeros_like(a).scatter(1, places, (values > 0).double()) + 0 * a


# %% cell="top_k" name="only_the_values"
# You return the s largest values, but not at their places. The code has all k units, most of them zero.
def top_k(a, s):
    return torch.relu(a).topk(s, dim=1).values


# %% cell="top_k" name="no_gradient"
# Your codes are right, but they are cut off from the input, and the encoder would never learn. Do not detach.
def top_k(a, s):
    values, places = torch.relu(a.detach()).topk(s, dim=1)
    return torch.zeros_like(a).scatter(1, places, values)


# %% cell="top_k" name="whole_batch"
# You share one budget between all examples. Here each example has a budget of its own.
def top_k(a, s):
    values, places = torch.relu(a).flatten().topk(len(a) * s)
    return torch.zeros(a.numel()).scatter(0, places, values).reshape(a.shape)


# %% cell="batch_top_k" name="each_example"
# You give each example a budget of its own. Here the batch shares one: rank all of its values together.
def batch_top_k(a, s):
    values, places = torch.relu(a).topk(s, dim=1)
    return torch.zeros_like(a).scatter(1, places, values)


# %% cell="batch_top_k" name="s_for_the_batch"
# You keep s values in the whole batch. The budget is s for each example on average, so N s in all.
def batch_top_k(a, s):
    values, places = torch.relu(a).flatten().topk(s)
    return torch.zeros(a.numel()).scatter(0, places, values).reshape(a.shape)


# %% cell="batch_top_k" name="negative_values_kept"
# You keep negative values where the batch has fewer than N s positive ones. Take the largest of relu(a).
def batch_top_k(a, s):
    values, places = a.flatten().topk(len(a) * s)
    return torch.zeros(a.numel()).scatter(0, places, values).reshape(a.shape)


# %% cell="batch_top_k" name="flat"
# You return one long row. Bring it back to the shape of a, with one example a row.
def batch_top_k(a, s):
    values, places = torch.relu(a).flatten().topk(len(a) * s)
    return torch.zeros(a.numel()).scatter(0, places, values)


# %% cell="batch_top_k" name="ties_kept"
# You keep all values that are as large as the smallest one of the budget. Where values tie at the cut these are more than N s.
def batch_top_k(a, s):
    a = torch.relu(a)
    cut = a.flatten().sort(descending=True).values[len(a) * s - 1]
    return torch.where(a >= cut, a, 0.0)


# %% cell="batch_top_k" name="each_unit"
# You give each unit a budget of N s / k examples. Neither units nor examples have budgets of their own here: rank all values
# together.
def batch_top_k(a, s):
    a = torch.relu(a)
    rank = a.argsort(dim=0, descending=True).argsort(dim=0)
    return torch.where(rank < max(len(a) * s // a.shape[1], 1), a, 0.0)


# %% cell="batch_top_k" name="mean_cut"
# You take the mean of the cuts of all examples as one cut for the batch. That does not keep N s values: rank all of them
# together.
def batch_top_k(a, s):
    a = torch.relu(a)
    cut = a.sort(dim=1, descending=True).values[:, s - 1].mean()
    return torch.where(a >= cut, a, 0.0)


# %% cell="rescale" name="only_the_decoder"
# You shorten the columns and leave the encoder as it is, so that every reconstruction changes. The code must grow by the same
# factors.
def rescale(w_enc, b_enc, w_dec):
    return w_enc.clone(), b_enc.clone(), w_dec / w_dec.norm(dim=0)


# %% cell="rescale" name="biases_forgotten"
# You scale the encoder's weights and forget its biases. The whole of W_enc x + b_enc must grow by the factor.
def rescale(w_enc, b_enc, w_dec):
    lengths = w_dec.norm(dim=0)
    return w_enc * lengths[:, None], b_enc.clone(), w_dec / lengths


# %% cell="rescale" name="encoder_divided"
# You divide the encoder by the lengths as well. Where columns get shorter, the code must get larger: multiply.
def rescale(w_enc, b_enc, w_dec):
    lengths = w_dec.norm(dim=0)
    return w_enc / lengths[:, None], b_enc / lengths, w_dec / lengths


# %% cell="rescale" name="rows"
# You give the rows of the decoder the length 1. What one unit adds is a column: take norms along dim=0.
def rescale(w_enc, b_enc, w_dec):
    return w_enc.clone(), b_enc.clone(), w_dec / w_dec.norm(dim=1, keepdim=True)


# %% cell="rescale" name="whole_matrix"
# You divide by the norm of the whole matrix. Each column has a length of its own.
def rescale(w_enc, b_enc, w_dec):
    length = w_dec.norm()
    return w_enc * length, b_enc * length, w_dec / length


# %% cell="rescale" name="squared_lengths"
# You divide by the squared lengths. Take the square root first: a column divided by its length has length 1.
def rescale(w_enc, b_enc, w_dec):
    squares = w_dec.square().sum(dim=0)
    return w_enc * squares[:, None], b_enc * squares, w_dec / squares


# %% cell="rescale" name="in_place"
# Your results are right, but you overwrite the tensors that you were given. Make new ones: a = a * c and not a *= c.
def rescale(w_enc, b_enc, w_dec):
    lengths = w_dec.norm(dim=0)
    w_enc *= lengths[:, None]
    b_enc *= lengths
    w_dec /= lengths
    return w_enc, b_enc, w_dec


# %% cell="rescale" name="encoder_normalized"
# You also give the encoder's rows the length 1. They must take up what the columns lose: multiply each by the length of its
# column.
def rescale(w_enc, b_enc, w_dec):
    return w_enc / w_enc.norm(dim=1, keepdim=True), b_enc.clone(), w_dec / w_dec.norm(dim=0)


# %% cell="ista" name="no_threshold"
# You go down the gradient of the error and never apply the soft threshold, so no value becomes zero.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec, ord=2) ** 2
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps):
        z = z - (z @ w_dec.T - x) @ w_dec / L
    return z


# %% cell="ista" name="threshold_not_divided"
# Your threshold is w. A step of size 1/L pays the price for that step alone: the threshold is w/L.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec, ord=2) ** 2
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps):
        a = z - (z @ w_dec.T - x) @ w_dec / L
        z = a.sign() * (a.abs() - price).clamp(min=0)
    return z


# %% cell="ista" name="singular_value_not_squared"
# Your L is the largest singular value of W. The largest eigenvalue of the product of W transposed and W is its square.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec, ord=2)
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps):
        a = z - (z @ w_dec.T - x) @ w_dec / L
        z = a.sign() * (a.abs() - price / L).clamp(min=0)
    return z


# %% cell="ista" name="frobenius"
# Your L is the sum of all eigenvalues (the squared Frobenius norm). That is safe but slow; the task asks for the largest one:
# ord=2.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec) ** 2
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps):
        a = z - (z @ w_dec.T - x) @ w_dec / L
        z = a.sign() * (a.abs() - price / L).clamp(min=0)
    return z


# %% cell="ista" name="one_sided"
# You allow no negative values. Here codes may have either sign: use the sign and the absolute value.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec, ord=2) ** 2
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps):
        z = torch.relu(z - (z @ w_dec.T - x) @ w_dec / L - price / L)
    return z


# %% cell="ista" name="other_start"
# You start from the inner products of x and the columns. The task starts from z = 0, and the codes after a few steps depend
# on it.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec, ord=2) ** 2
    z = x @ w_dec
    for _ in range(steps):
        a = z - (z @ w_dec.T - x) @ w_dec / L
        z = a.sign() * (a.abs() - price / L).clamp(min=0)
    return z


# %% cell="ista" name="up_the_gradient"
# You go up the gradient, and the error grows. Subtract the step, or add one along x - W z.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec, ord=2) ** 2
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps):
        a = z + (z @ w_dec.T - x) @ w_dec / L
        z = a.sign() * (a.abs() - price / L).clamp(min=0)
    return z


# %% cell="ista" name="threshold_only_at_the_end"
# You apply the soft threshold once, after all steps. It belongs to every step: gradient, threshold, gradient, threshold.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec, ord=2) ** 2
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps):
        z = z - (z @ w_dec.T - x) @ w_dec / L
    return z.sign() * (z.abs() - price / L).clamp(min=0)


# %% cell="ista" name="one_step_more"
# You do one step too many: with no step at all, the codes are zero.
def ista(x, w_dec, price, steps):
    L = torch.linalg.matrix_norm(w_dec, ord=2) ** 2
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps + 1):
        a = z - (z @ w_dec.T - x) @ w_dec / L
        z = a.sign() * (a.abs() - price / L).clamp(min=0)
    return z


# %% cell="train" name="free_columns"
# You never divide the columns by their length. The code gets small, the columns get long, and nobody pays the price.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="columns_at_the_end"
# You give the columns length 1 only after the training. Until then they grow and the price is evaded: do it after every update.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
    w_enc, b_enc, w_dec = (weight.detach() for weight in weights)
    lengths = w_dec.norm(dim=0)
    return w_enc * lengths[:, None], b_enc * lengths, w_dec / lengths


# %% cell="train" name="rows"
# You give the rows of the decoder the length 1. What one unit adds is a column: take norms along dim=0.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            weights[2] /= weights[2].norm(dim=1, keepdim=True)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="mean_over_features"
# You take the mean of the squared error over the features too, as mse_loss does, and the price weighs too much against it. Sum
# over the features of an example, and take half of it.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = torch.nn.functional.mse_loss(z @ weights[2].T, x)
        optimizer.zero_grad()
        (error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            weights[2] /= weights[2].norm(dim=0)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="price_over_units"
# You take the mean of the code over its units, so that the price is k times too small. Sum over the units of an example.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * z.mean()).backward()
        optimizer.step()
        with torch.no_grad():
            weights[2] /= weights[2].norm(dim=0)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="half_forgotten"
# You leave out the factor 1/2 of the squared error. Against it the price is only half as large, and codes come out too large.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            weights[2] /= weights[2].norm(dim=0)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="no_zero_grad"
# You never clear the gradients, and backward() adds to them: each update follows the sum of all earlier ones. Call zero_grad
# first.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        (0.5 * error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            weights[2] /= weights[2].norm(dim=0)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="price_detached"
# The price in your loss has no gradient, because the code in it is detached: it changes the number, and nothing is learned
# from it.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * z.detach().sum(dim=1).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            weights[2] /= weights[2].norm(dim=0)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="price_on_weights"
# You put the price on the weights of the encoder. It is the code that shall be sparse: sum the values of z.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * weights[0].abs().sum()).backward()
        optimizer.step()
        with torch.no_grad():
            weights[2] /= weights[2].norm(dim=0)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="decoder_left_out"
# You train the encoder alone, and the decoder stays as it was. Give the optimizer all three tensors.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, *weights)
        error = (x - z @ w_dec.T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
    return weights[0].detach(), weights[1].detach(), w_dec.clone()


# %% cell="train" name="one_update"
# You update the weights once. Training repeats the update, with a new loss and new gradients each time.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    z = encode(x, weights[0], weights[1])
    error = (x - z @ weights[2].T).square().sum(dim=1).mean()
    (0.5 * error + price * z.sum(dim=1).mean()).backward()
    optimizer.step()
    with torch.no_grad():
        weights[2] /= weights[2].norm(dim=0)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="weights_overwritten"
# Your training is right, but it changes the weights that you were given: detach() shares its memory with them. Start from a
# clone().
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.detach().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            weights[2] /= weights[2].norm(dim=0)
    return tuple(weight.detach() for weight in weights)


# %% cell="train" name="encoder_rescaled"
# After each update you also multiply the encoder by the lengths, as in task 8. That undoes what the price has just done: divide
# the columns, and leave the encoder alone.
def train(x, w_enc, b_enc, w_dec, price, steps, lr):
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        z = encode(x, weights[0], weights[1])
        error = (x - z @ weights[2].T).square().sum(dim=1).mean()
        optimizer.zero_grad()
        (0.5 * error + price * z.sum(dim=1).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            lengths = weights[2].norm(dim=0)
            weights[0] *= lengths[:, None]
            weights[1] *= lengths
            weights[2] /= lengths
    return tuple(weight.detach() for weight in weights)
