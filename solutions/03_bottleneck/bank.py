# %% [markdown]
# Wrong solutions that students write, each with the message that would help.


# %% cell="count_parameters" name="no_biases"
# You count the weights and forget the biases: each layer has one bias for each of its outputs.
def count_parameters(sizes):
    return sum(2 * a * b for a, b in pairwise(sizes))


# %% cell="count_parameters" name="encoder_only"
# You count the encoder alone. The decoder has layers of its own, with weights and biases.
def count_parameters(sizes):
    return sum(a * b + b for a, b in pairwise(sizes))


# %% cell="count_parameters" name="twice_the_encoder"
# You count the encoder twice. The weights of the decoder are as many, but its layers end in other widths, so its biases are not.
def count_parameters(sizes):
    return 2 * sum(a * b + b for a, b in pairwise(sizes))


# %% cell="count_parameters" name="one_bias_a_layer"
# You count one bias for each layer. A layer has one for each of its outputs.
def count_parameters(sizes):
    return sum(2 * a * b + 2 for a, b in pairwise(sizes))


# %% cell="count_parameters" name="first_and_last"
# You count one layer from the data straight to the code. There is a layer between any two neighboring widths.
def count_parameters(sizes):
    a, b = sizes[0], sizes[-1]
    return 2 * a * b + a + b + sum(sizes[1:-1])


# %% cell="count_parameters" name="units"
# You count the units, which are values and not parameters. A layer from a to b values has a weight for each pair of them.
def count_parameters(sizes):
    return 2 * sum(sizes)


# %% cell="explained_variance" name="share_lost"
# You return the share that is lost. What is kept is one minus that.
def explained_variance(x, x_hat):
    return (x - x_hat).square().sum() / (x - x.mean(dim=0)).square().sum()


# %% cell="explained_variance" name="grand_mean"
# You compare with one number, the mean of all entries. The mean of the examples has one number for each feature.
def explained_variance(x, x_hat):
    return 1 - (x - x_hat).square().sum() / (x - x.mean()).square().sum()


# %% cell="explained_variance" name="each_feature"
# You average the shares of the single features, so that a feature that hardly varies counts as much as any other. Add up errors
# and variances over all features first, then divide once.
def explained_variance(x, x_hat):
    lost = (x - x_hat).square().sum(dim=0) / (x - x.mean(dim=0)).square().sum(dim=0)
    return (1 - lost).mean()


# %% cell="explained_variance" name="n_minus_1"
# torch.var divides by N - 1 and your error by N, so the two are not on one scale. Use the same divisor, or sums, for both.
def explained_variance(x, x_hat):
    return 1 - (x - x_hat).square().sum(dim=1).mean() / x.var(dim=0).sum()


# %% cell="explained_variance" name="variance_of_residuals"
# You take the variance of x - x_hat, which forgives any shift that is the same for all examples. The error is the mean of the
# squared distances themselves.
def explained_variance(x, x_hat):
    residuals = x - x_hat
    residuals = residuals - residuals.mean(dim=0)
    return 1 - residuals.square().sum() / (x - x.mean(dim=0)).square().sum()


# %% cell="explained_variance" name="not_centered"
# You divide by the squared length of the examples. Subtract their mean first: the comparison is with the mean as an answer.
def explained_variance(x, x_hat):
    return 1 - (x - x_hat).square().sum() / x.square().sum()


# %% cell="explained_variance" name="not_squared"
# You add up distances and not their squares.
def explained_variance(x, x_hat):
    return 1 - (x - x_hat).norm(dim=1).sum() / (x - x.mean(dim=0)).norm(dim=1).sum()


# %% cell="autoencoder" name="relu_on_code"
# Your encoder ends in a ReLU, so a code can never be negative. The code has no activation: leave out the last one.
def autoencoder(sizes):
    def half(widths):
        layers = []
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b), nn.ReLU()]
        return nn.Sequential(*layers)

    return half(sizes), half(sizes[::-1])[:-1]


# %% cell="autoencoder" name="relu_on_output"
# Your decoder ends in a ReLU, so a reconstruction can never be negative. The output has no activation: leave out the last one.
def autoencoder(sizes):
    def half(widths):
        layers = []
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b), nn.ReLU()]
        return nn.Sequential(*layers)

    return half(sizes)[:-1], half(sizes[::-1])


# %% cell="autoencoder" name="no_activation"
# There is no activation between your layers. A chain of affine layers is only one affine map, as in a linear autoencoder.
def autoencoder(sizes):
    def half(widths):
        return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(widths)))

    return half(sizes), half(sizes[::-1])


# %% cell="autoencoder" name="decoder_not_reversed"
# Your decoder goes from the code to the data in one layer. It has the hidden layers of the encoder, in reverse order.
def autoencoder(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1]), nn.Linear(sizes[-1], sizes[0])


# %% cell="autoencoder" name="no_biases"
# Your layers have no biases. An affine layer is W x + b.
def autoencoder(sizes):
    def half(widths):
        layers = []
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b, bias=False), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return half(sizes), half(sizes[::-1])


# %% cell="autoencoder" name="relu_first"
# Your activation comes before each layer, so it acts on the data and on the code. It stands between layers only.
def autoencoder(sizes):
    def half(widths):
        layers = []
        for a, b in pairwise(widths):
            layers += [nn.ReLU(), nn.Linear(a, b)]
        return nn.Sequential(*layers)

    return half(sizes), half(sizes[::-1])


# %% cell="memorized" name="example_for_reconstruction"
# You measure how near the examples are to training examples. What the model says, the reconstructions, are to be compared.
def memorized(x, x_hat, train):
    own = (x - x_hat).norm(dim=1)
    return (torch.cdist(x, train).amin(dim=1) < own).double().mean()


# %% cell="memorized" name="mean_distance"
# You average the distances to all training examples. The nearest one counts: take the smallest.
def memorized(x, x_hat, train):
    own = (x - x_hat).norm(dim=1)
    return (torch.cdist(x_hat, train).mean(dim=1) < own).double().mean()


# %% cell="memorized" name="wrong_axis"
# You look for the reconstruction nearest to each training example. Turn it round: rows of torch.cdist(x_hat, train) belong to
# reconstructions, so the smallest is over dim=1.
def memorized(x, x_hat, train):
    own = (x - x_hat).norm(dim=1)
    return (torch.cdist(x_hat, train).amin(dim=0) < own).double().mean()


# %% cell="memorized" name="count"
# You return how many there are. The task asks for the share: divide by the number of held-out examples.
def memorized(x, x_hat, train):
    own = (x - x_hat).norm(dim=1)
    return (torch.cdist(x_hat, train).amin(dim=1) < own).sum()


# %% cell="memorized" name="ties_count"
# You count equal distances. Only a reconstruction that is strictly nearer to a training example counts.
def memorized(x, x_hat, train):
    own = (x - x_hat).norm(dim=1)
    return (torch.cdist(x_hat, train).amin(dim=1) <= own).double().mean()


# %% cell="memorized" name="squared_on_one_side"
# You compare a squared distance with a distance. Square both or neither.
def memorized(x, x_hat, train):
    own = (x - x_hat).square().sum(dim=1)
    return (torch.cdist(x_hat, train).amin(dim=1) < own).double().mean()


# %% cell="memorized" name="turned_round"
# You return the share of reconstructions that are nearer to their own example: those that are fine. The task asks for the others.
def memorized(x, x_hat, train):
    own = (x - x_hat).norm(dim=1)
    return (own < torch.cdist(x_hat, train).amin(dim=1)).double().mean()


# %% cell="intrinsic_dimension" name="self_counted"
# You take each point as its own nearest neighbor, with a distance of zero. The neighbors are other points: skip the first
# distance in each sorted row.
def intrinsic_dimension(x):
    distances = (x[:, None] - x[None]).norm(dim=2).sort(dim=1).values
    return len(x) / (distances[:, 1] / distances[:, 0]).log().sum()


# %% cell="intrinsic_dimension" name="no_logarithm"
# You add up the ratios themselves. The sum is over their logarithms.
def intrinsic_dimension(x):
    distances = torch.cdist(x, x).sort(dim=1).values
    return len(x) / (distances[:, 2] / distances[:, 1]).sum()


# %% cell="intrinsic_dimension" name="mean_of_inverses"
# You average one over the logarithms. Average the logarithms first, then take one over the result: a few ratios near 1 have huge
# inverses.
def intrinsic_dimension(x):
    distances = torch.cdist(x, x).sort(dim=1).values
    return (1 / (distances[:, 2] / distances[:, 1]).log()).mean()


# %% cell="intrinsic_dimension" name="squared_distances"
# Your distances are squared, which doubles the logarithms and halves the dimension. Take the square root.
def intrinsic_dimension(x):
    distances = (x[:, None] - x[None]).square().sum(dim=2).sort(dim=1).values
    return len(x) / (distances[:, 2] / distances[:, 1]).log().sum()


# %% cell="intrinsic_dimension" name="ratio_turned_round"
# Your ratio is r1 / r2, which is below 1 and has a negative logarithm. Divide the larger distance by the smaller.
def intrinsic_dimension(x):
    distances = torch.cdist(x, x).sort(dim=1).values
    return len(x) / (distances[:, 1] / distances[:, 2]).log().sum()


# %% cell="intrinsic_dimension" name="rounded"
# You round to a whole number. The estimate need not be one: return it as it is.
def intrinsic_dimension(x):
    distances = torch.cdist(x, x).sort(dim=1).values
    return (len(x) / (distances[:, 2] / distances[:, 1]).log().sum()).round()


# %% cell="weight_penalty" name="biases_too"
# You charge for the biases and for normalization layers as well. Only weight matrices cost something: they have two dimensions.
def weight_penalty(model, l1, l2):
    return sum(l1 * p.abs().sum() + l2 / 2 * p.square().sum() for p in model.parameters())


# %% cell="weight_penalty" name="by_name"
# You choose the parameters that are called "weight". So are the factors of normalization layers, which are free. Look at the
# number of dimensions.
def weight_penalty(model, l1, l2):
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")]
    return sum(l1 * w.abs().sum() + l2 / 2 * w.square().sum() for w in weights)


# %% cell="weight_penalty" name="no_half"
# The 1/2 of the squares is missing. With it the derivative of the L2 part is l2 times the weight.
def weight_penalty(model, l1, l2):
    weights = [p for p in model.parameters() if p.ndim > 1]
    return sum(l1 * w.abs().sum() + l2 * w.square().sum() for w in weights)


# %% cell="weight_penalty" name="norm_not_squared"
# You charge for the length of each matrix. The price is on the sum of its squares: square the norm.
def weight_penalty(model, l1, l2):
    weights = [p for p in model.parameters() if p.ndim > 1]
    return sum(l1 * w.abs().sum() + l2 / 2 * w.norm() for w in weights)


# %% cell="weight_penalty" name="no_absolute_value"
# You add up the weights with their signs for L1, so that negative ones are rewarded. Take absolute values.
def weight_penalty(model, l1, l2):
    weights = [p for p in model.parameters() if p.ndim > 1]
    return sum(l1 * w.sum() + l2 / 2 * w.square().sum() for w in weights)


# %% cell="weight_penalty" name="mean_for_sum"
# You take means over each matrix, so that a large matrix costs no more than a small one. Both parts are sums.
def weight_penalty(model, l1, l2):
    weights = [p for p in model.parameters() if p.ndim > 1]
    return sum(l1 * w.abs().mean() + l2 / 2 * w.square().mean() for w in weights)


# %% cell="weight_penalty" name="detached"
# Your number is right, but it has no gradient: .data, .detach() and .item() cut it off from the weights, and training would never
# feel the penalty.
def weight_penalty(model, l1, l2):
    weights = [p.data for p in model.parameters() if p.ndim > 1]
    return sum(l1 * w.abs().sum() + l2 / 2 * w.square().sum() for w in weights)


# %% cell="dropout" name="not_rescaled"
# You set values to zero and leave the others as they are, so the mean shrinks. Divide what stays by 1 - p.
def dropout(z, p, training, generator):
    if not training:
        return z
    return z * (torch.rand(z.shape, generator=generator) >= p)


# %% cell="dropout" name="rescaled_in_use"
# You multiply by 1 - p out of training. That is the older form; here the values are divided by 1 - p in training, and nothing is
# left to do afterwards.
def dropout(z, p, training, generator):
    if not training:
        return z * (1 - p)
    return z * (torch.rand(z.shape, generator=generator) >= p)


# %% cell="dropout" name="p_kept"
# You keep values with probability p. p is the probability that a value is dropped, and 1 - p that it stays.
def dropout(z, p, training, generator):
    if not training or p == 0:
        return z
    return z * (torch.rand(z.shape, generator=generator) < p) / p


# %% cell="dropout" name="always_on"
# You drop values out of training as well. There, return z as it is.
def dropout(z, p, training, generator):
    return z * (torch.rand(z.shape, generator=generator) >= p) / (1 - p)


# %% cell="dropout" name="same_for_all_examples"
# You draw one number for each unit and drop it for all examples together. Each value is dropped on its own: draw in the
# shape of z.
def dropout(z, p, training, generator):
    if not training:
        return z
    return z * (torch.rand(z.shape[1], generator=generator) >= p) / (1 - p)


# %% cell="dropout" name="whole_examples"
# You draw one number for each example and drop all of its values together. Each value is dropped on its own: draw in the shape
# of z.
def dropout(z, p, training, generator):
    if not training:
        return z
    return z * (torch.rand(len(z), 1, generator=generator) >= p) / (1 - p)


# %% cell="dropout" name="other_generator"
# You do not use the generator that is passed, so a run cannot be repeated. Give it to the function that draws.
def dropout(z, p, training, generator):
    if not training:
        return z
    return z * (torch.rand(z.shape) >= p) / (1 - p)


# %% cell="dropout" name="own_seed"
# You make a generator with a seed of your own, so every call drops the same values. Draw from the one that is passed: it goes on
# from call to call.
def dropout(z, p, training, generator):
    if not training:
        return z
    fixed = torch.Generator().manual_seed(0)
    return z * (torch.rand(z.shape, generator=fixed) >= p) / (1 - p)


# %% cell="dropout" name="gradient_cut"
# Your values are right, but the gradient does not pass: you work on z.detach() or z.data. Multiply z itself.
def dropout(z, p, training, generator):
    if not training:
        return z
    keep = torch.rand(z.shape, generator=generator) >= p
    return z.detach() * keep / (1 - p) + 0 * z


# %% cell="folds" name="not_shuffled"
# Your parts are blocks of neighboring examples. Data are often sorted, by class or by day: shuffle the positions first.
def folds(n, num_folds, generator):
    parts = torch.arange(n).tensor_split(num_folds)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(num_folds)]


# %% cell="folds" name="swapped"
# Your pairs are the wrong way round: first the positions to train on, which are the most, then those that are held out.
def folds(n, num_folds, generator):
    parts = torch.randperm(n, generator=generator).tensor_split(num_folds)
    return [(parts[i], torch.cat(parts[:i] + parts[i + 1 :])) for i in range(num_folds)]


# %% cell="folds" name="chunk"
# torch.chunk rounds the size of the parts up: 10 examples in 4 parts come out as 3, 3, 3 and 1, and 9 in 6 as 2, 2, 2, 2 and 1,
# with a part missing. Parts may differ by one only, and there are num_folds of them: torch.tensor_split does that.
def folds(n, num_folds, generator):
    parts = torch.randperm(n, generator=generator).chunk(num_folds)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(len(parts))]


# %% cell="folds" name="rest_dropped"
# With n // num_folds in each part, the examples that are left over are never held out. Give them to some of the parts.
def folds(n, num_folds, generator):
    size = n // num_folds
    parts = torch.randperm(n, generator=generator)[: size * num_folds].split(size)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(num_folds)]


# %% cell="folds" name="rest_in_the_last"
# All examples that are left over go to your last part, which can be nearly twice as large as the others. Parts differ by one at
# most.
def folds(n, num_folds, generator):
    size = n // num_folds
    order = torch.randperm(n, generator=generator)
    parts = [order[i * size : (i + 1) * size] for i in range(num_folds - 1)]
    parts.append(order[(num_folds - 1) * size :])
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(num_folds)]


# %% cell="folds" name="trains_on_all"
# You train on all examples, those that are held out among them. Then nothing is held out: leave their part away.
def folds(n, num_folds, generator):
    order = torch.randperm(n, generator=generator)
    return [(order, part) for part in order.tensor_split(num_folds)]


# %% cell="folds" name="drawn_anew"
# You shuffle anew for each part, so some examples are held out several times and others never. Shuffle once, then cut.
def folds(n, num_folds, generator):
    pairs = []
    for i in range(num_folds):
        order = torch.randperm(n, generator=generator)
        size = n // num_folds + (i < n % num_folds)
        pairs.append((order[size:], order[:size]))
    return pairs


# %% cell="folds" name="other_generator"
# You do not use the generator that is passed, so the parts are others in every run. Give it to torch.randperm.
def folds(n, num_folds, generator):
    parts = torch.randperm(n).tensor_split(num_folds)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(num_folds)]


# %% cell="early_stopping" name="not_restored"
# You return the right epoch, but the model is as it was after the last one. Either you do not go back, or you kept
# model.state_dict() without a copy, and it went on changing with the model: copy.deepcopy makes a copy that does not.
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    best_loss = math.inf
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = model.state_dict()
        elif epoch - best_epoch >= patience:
            break
    model.load_state_dict(best_state)
    return best_epoch


# %% cell="early_stopping" name="parameters_only"
# You go back with the parameters but not with the rest of the state, such as the running means of normalization layers. Copy all
# of model.state_dict().
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    best_loss = math.inf
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best = [p.detach().clone() for p in model.parameters()]
        elif epoch - best_epoch >= patience:
            break
    set_parameters(model, best)
    return best_epoch


# %% cell="early_stopping" name="last_epoch"
# You return the epoch at which you stopped. Return the one with the lowest loss, whose state the model has now.
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    best_loss = math.inf
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= patience:
            break
    model.load_state_dict(best_state)
    return epoch


# %% cell="early_stopping" name="one_epoch_more"
# You wait one epoch too long. After `patience` epochs in a row without a new lowest loss, stop at once.
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    best_loss = math.inf
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
        elif epoch - best_epoch > patience:
            break
    model.load_state_dict(best_state)
    return best_epoch


# %% cell="early_stopping" name="equal_is_better"
# You take an equal loss for an improvement, so a loss that stands still is never given up. Only a lower one counts.
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    best_loss = math.inf
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss <= best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= patience:
            break
    model.load_state_dict(best_state)
    return best_epoch


# %% cell="early_stopping" name="not_in_a_row"
# You count all epochs without improvement. Only those in a row count: begin again at zero when the loss has a new lowest value.
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    best_loss, worse = math.inf, 0
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
        else:
            worse += 1
            if worse >= patience:
                break
    model.load_state_dict(best_state)
    return best_epoch


# %% cell="early_stopping" name="against_the_last"
# You compare each loss with that of the epoch before. Compare it with the lowest so far: after a bad epoch, a less bad one is no
# improvement.
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    last_loss, worse = math.inf, 0
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss < last_loss:
            worse, best_epoch = 0, epoch
            best_state = copy.deepcopy(model.state_dict())
        else:
            worse += 1
            if worse >= patience:
                break
        last_loss = loss
    model.load_state_dict(best_state)
    return best_epoch


# %% cell="early_stopping" name="never_stops"
# You go back to the best epoch, but you train for all max_epochs first. Stop when the patience is used up.
def early_stopping(model, train_epoch, validate, patience, max_epochs):
    best_loss = math.inf
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)
    return best_epoch


# %% cell="train" name="gradients_add_up"
# You never set the gradients to zero, so each step goes along the sum of all gradients so far. Call zero_grad in every step.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(steps):
        error = (x - model(x)).square().sum(dim=1).mean()
        loss = error / 2 + mu / 2 * sum(
            p.square().sum() for p in model.parameters() if p.ndim > 1
        )
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


# %% cell="train" name="biases_too"
# You charge for the biases as well, and they must be free to put the mean of the data where it is. Charge for weight matrices
# only.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(steps):
        error = (x - model(x)).square().sum(dim=1).mean()
        loss = error / 2 + mu / 2 * sum(p.square().sum() for p in model.parameters())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


# %% cell="train" name="optimizer_decays_all"
# You leave the penalty to the optimizer's weight_decay, which charges for all parameters, the biases too, and is not in the loss
# that you return. Add the price of the weight matrices to the loss.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=mu)
    losses = []
    model.train()
    for _ in range(steps):
        loss = (x - model(x)).square().sum(dim=1).mean() / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


# %% cell="train" name="adamw"
# AdamW shrinks all parameters by a share in each step, beside the loss, and ends at another place than the minimum of the loss
# with its penalty. Add the price of the weight matrices to the loss.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=mu)
    losses = []
    model.train()
    for _ in range(steps):
        loss = (x - model(x)).square().sum(dim=1).mean() / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


# %% cell="train" name="mean_over_features"
# You take the mean over the features too, as mse_loss does. The error is then smaller by a factor of d, and the price of the
# weights too high for it.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(steps):
        error = nn.functional.mse_loss(model(x), x)
        loss = error / 2 + mu / 2 * sum(
            p.square().sum() for p in model.parameters() if p.ndim > 1
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


# %% cell="train" name="no_half"
# The 1/2 of the error is missing, so the price of the weights is too low compared with it.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(steps):
        error = (x - model(x)).square().sum(dim=1).mean()
        loss = error + mu / 2 * sum(p.square().sum() for p in model.parameters() if p.ndim > 1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


# %% cell="train" name="penalty_without_gradient"
# Your loss has the right value, but its penalty has no gradient (.item(), .data or .detach()), so training does not feel it.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(steps):
        error = (x - model(x)).square().sum(dim=1).mean()
        decay = sum(p.square().sum().item() for p in model.parameters() if p.ndim > 1)
        loss = error / 2 + mu / 2 * decay
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


# %% cell="train" name="left_in_training"
# Your model is still in training mode when you are done, so its dropout stays on. End with evaluation mode.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(steps):
        error = (x - model(x)).square().sum(dim=1).mean()
        loss = error / 2 + mu / 2 * sum(
            p.square().sum() for p in model.parameters() if p.ndim > 1
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="trained_in_evaluation"
# You set evaluation mode before training, so dropout is off all the time. Train in training mode, and set the other
# one at the end.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.eval()
    for _ in range(steps):
        error = (x - model(x)).square().sum(dim=1).mean()
        loss = error / 2 + mu / 2 * sum(
            p.square().sum() for p in model.parameters() if p.ndim > 1
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% cell="train" name="error_alone_returned"
# You train with weight decay, but the losses that you return are without it. Return the whole loss.
def train(model, x, mu, lr, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(steps):
        error = (x - model(x)).square().sum(dim=1).mean() / 2
        loss = error + mu / 2 * sum(p.square().sum() for p in model.parameters() if p.ndim > 1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(error.item())
    model.eval()
    return losses
