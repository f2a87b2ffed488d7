# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="windows" name="windows_first"
# You cut windows first and then split them. Your last training windows reach into the test years; cut the time line first.
def windows(series, length, past):
    every = series.unfold(0, length, 1)
    return every[:past], every[past:]


# %% cell="windows" name="one_too_few"
# The last window of each part is missing: a part with n values has n - L + 1 windows, and n - L is one too few.
def windows(series, length, past):
    def cut(part):
        starts = range(len(part) - length)
        rows = [part[t : t + length] for t in starts]
        return torch.stack(rows) if rows else torch.zeros(0, length)

    return cut(series[:past]), cut(series[past:])


# %% cell="windows" name="side_by_side"
# Your windows stand side by side. They shall overlap: each starts one value after the one before it.
def windows(series, length, past):
    return series[:past].unfold(0, length, length), series[past:].unfold(0, length, length)


# %% cell="windows" name="transposed"
# Your windows stand in columns. An example is a row: the shape is (number of windows, L).
def windows(series, length, past):
    return series[:past].unfold(0, length, 1).T, series[past:].unfold(0, length, 1).T


# %% cell="windows" name="test_looks_back"
# Your first test windows begin in the past. Training and test shall share no value: begin at s_P.
def windows(series, length, past):
    return series[:past].unfold(0, length, 1), series[past - length + 1 :].unfold(0, length, 1)


# %% cell="windows" name="shuffled"
# Your windows come in a random order. Keep the order of time.
def windows(series, length, past):
    parts = series[:past].unfold(0, length, 1), series[past:].unfold(0, length, 1)
    generator = torch.Generator().manual_seed(0)
    return tuple(part[torch.randperm(len(part), generator=generator)] for part in parts)


# %% cell="windows" name="swapped"
# You return the test windows first. The task asks for (train, test).
def windows(series, length, past):
    return series[past:].unfold(0, length, 1), series[:past].unfold(0, length, 1)


# %% cell="standardize" name="all_years"
# Your usual values and your scale come from all years. Use the past alone: the test years must not tell the detector anything.
def standardize(series, past, period):
    month = torch.arange(len(series)) % period
    mean = torch.stack([series[month == m].mean() for m in range(period)])
    x = series - mean[month]
    return x / x.std(correction=0)


# %% cell="standardize" name="scale_of_all_years"
# Your usual values come from the past, but your scale comes from all years. Take both from the past alone.
def standardize(series, past, period):
    month = torch.arange(len(series)) % period
    x = series - series[:past].reshape(-1, period).mean(dim=0)[month]
    return x / x.std(correction=0)


# %% cell="standardize" name="season_forgotten"
# You subtract one mean for all months, so the season stays in. Each month has a usual value of its own.
def standardize(series, past, period):
    x = series - series[:past].mean()
    return x / x[:past].std(correction=0)


# %% cell="standardize" name="deviation_with_season"
# You divide by the standard deviation of the series with its season. Take that of the differences from the season.
def standardize(series, past, period):
    month = torch.arange(len(series)) % period
    mean = series[:past].reshape(-1, period).mean(dim=0)
    return (series - mean[month]) / series[:past].std(correction=0)


# %% cell="standardize" name="deviation_of_each_month"
# You divide each month by a standard deviation of its own. The task asks for one number for all months.
def standardize(series, past, period):
    month = torch.arange(len(series)) % period
    years = series[:past].reshape(-1, period)
    return (series - years.mean(dim=0)[month]) / years.std(dim=0, correction=0)[month]


# %% cell="standardize" name="n_minus_1"
# You divide by P - 1 in sigma squared, as std does unless you pass correction=0. Here it is a mean over the P values.
def standardize(series, past, period):
    month = torch.arange(len(series)) % period
    x = series - series[:past].reshape(-1, period).mean(dim=0)[month]
    return x / x[:past].std()


# %% cell="standardize" name="not_divided"
# You subtract the season and leave the scale as it is. Divide by sigma as well.
def standardize(series, past, period):
    month = torch.arange(len(series)) % period
    return series - series[:past].reshape(-1, period).mean(dim=0)[month]


# %% cell="standardize" name="divided_by_variance"
# You divide by the variance. Divide by its root, the standard deviation.
def standardize(series, past, period):
    month = torch.arange(len(series)) % period
    x = series - series[:past].reshape(-1, period).mean(dim=0)[month]
    return x / x[:past].var(correction=0)


# %% cell="standardize" name="in_place"
# With -= you change the series of the caller, who has now lost the data. Make a new tensor.
def standardize(series, past, period):
    month = torch.arange(len(series)) % period
    series -= series[:past].reshape(-1, period).mean(dim=0)[month]
    return series / series[:past].std(correction=0)


# %% cell="pca_scores" name="fitted_to_x"
# You fit PCA to the examples that are judged. Then even strange ones look normal, and a single one cannot be judged at all: fit
# it to train.
def pca_scores(train, x, k):
    mean = x.mean(dim=0)
    eigenvalues, eigenvectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    variances, U = eigenvalues[-k:], eigenvectors[:, -k:]
    z = (x - mean) @ U
    return (x - mean - z @ U.T).square().sum(dim=1), (z.square() / variances).sum(dim=1)


# %% cell="pca_scores" name="own_mean"
# You subtract the mean of the examples that are judged. Subtract that of train, as when the components were fitted.
def pca_scores(train, x, k):
    S = torch.cov(train.T, correction=0).reshape(x.shape[1], x.shape[1])
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    variances, U = eigenvalues[-k:], eigenvectors[:, -k:]
    x = x - x.mean(dim=0)
    z = x @ U
    return (x - z @ U.T).square().sum(dim=1), (z.square() / variances).sum(dim=1)


# %% cell="pca_scores" name="smallest"
# You keep the k smallest eigenvalues: torch.linalg.eigh sorts in ascending order. Keep the last k.
def pca_scores(train, x, k):
    mean = train.mean(dim=0)
    S = (train - mean).T @ (train - mean) / len(train)
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    variances, U = eigenvalues[:k], eigenvectors[:, :k]
    z = (x - mean) @ U
    return (x - mean - z @ U.T).square().sum(dim=1), (z.square() / variances).sum(dim=1)


# %% cell="pca_scores" name="not_centered"
# You do not subtract the mean. PCA is about differences from the mean of train.
def pca_scores(train, x, k):
    eigenvalues, eigenvectors = torch.linalg.eigh(train.T @ train / len(train))
    variances, U = eigenvalues[-k:], eigenvectors[:, -k:]
    z = x @ U
    return (x - z @ U.T).square().sum(dim=1), (z.square() / variances).sum(dim=1)


# %% cell="pca_scores" name="distance_not_squared"
# Your first score is the distance to the reconstruction. The task asks for its square.
def pca_scores(train, x, k):
    mean = train.mean(dim=0)
    S = (train - mean).T @ (train - mean) / len(train)
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    variances, U = eigenvalues[-k:], eigenvectors[:, -k:]
    z = (x - mean) @ U
    return (x - mean - z @ U.T).norm(dim=1), (z.square() / variances).sum(dim=1)


# %% cell="pca_scores" name="mean_over_features"
# Your first score is a mean over the features, smaller by a factor of d. A squared distance is a sum.
def pca_scores(train, x, k):
    mean = train.mean(dim=0)
    S = (train - mean).T @ (train - mean) / len(train)
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    variances, U = eigenvalues[-k:], eigenvectors[:, -k:]
    z = (x - mean) @ U
    return (x - mean - z @ U.T).square().mean(dim=1), (z.square() / variances).sum(dim=1)


# %% cell="pca_scores" name="codes_not_scaled"
# Your second score adds up squared codes as they are. Divide each by its variance first, the eigenvalue, or the first component
# drowns the others.
def pca_scores(train, x, k):
    mean = train.mean(dim=0)
    S = (train - mean).T @ (train - mean) / len(train)
    U = torch.linalg.eigh(S).eigenvectors[:, -k:]
    z = (x - mean) @ U
    return (x - mean - z @ U.T).square().sum(dim=1), z.square().sum(dim=1)


# %% cell="pca_scores" name="divided_by_deviation"
# You divide the squared codes by standard deviations. An eigenvalue is a variance already: do not take its root.
def pca_scores(train, x, k):
    mean = train.mean(dim=0)
    S = (train - mean).T @ (train - mean) / len(train)
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    variances, U = eigenvalues[-k:], eigenvectors[:, -k:]
    z = (x - mean) @ U
    return (x - mean - z @ U.T).square().sum(dim=1), (z.square() / variances.sqrt()).sum(dim=1)


# %% cell="pca_scores" name="n_minus_1"
# You divide by M - 1 in the covariance. That changes no direction, but every variance: here it is a mean over the M examples.
def pca_scores(train, x, k):
    mean = train.mean(dim=0)
    S = (train - mean).T @ (train - mean) / (len(train) - 1)
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    variances, U = eigenvalues[-k:], eigenvectors[:, -k:]
    z = (x - mean) @ U
    return (x - mean - z @ U.T).square().sum(dim=1), (z.square() / variances).sum(dim=1)


# %% cell="train" name="gradients_add_up"
# You never set the gradients to zero, so each step goes down the sum of all gradients so far. Call optimizer.zero_grad().
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)


# %% cell="train" name="not_shuffled"
# You take the examples in their old order. Neighbors in time are nearly the same window: draw an order with torch.randperm.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        for batch in x.split(batch_size):
            loss = (batch - model(batch)).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)


# %% cell="train" name="shuffled_once"
# You draw one order and use it in every epoch. Draw a new one at the beginning of each.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors, order = [], torch.randperm(len(x), generator=generator)
    for _ in range(epochs):
        for rows in order.split(batch_size):
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)


# %% cell="train" name="global_randomness"
# Your order comes from torch's own random numbers and not from the generator that you are given, so nobody can repeat the run.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch_size):
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)


# %% cell="train" name="drawn_with_replacement"
# You draw each batch anew, so that some examples come twice in an epoch and others never. Draw one order and cut it.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        for begin in range(0, len(x), batch_size):
            size = min(batch_size, len(x) - begin)
            rows = torch.randint(len(x), (size,), generator=generator)
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)


# %% cell="train" name="rest_dropped"
# You leave out the examples that do not fill a batch. The last batch may be smaller.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        for number in range(max(len(x) // batch_size, 1)):
            rows = order[number * batch_size : (number + 1) * batch_size]
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)


# %% cell="train" name="held_out_in_training"
# You put the held-out examples among the training examples. Then their error says nothing about new data: train on x alone.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors, every = [], torch.cat([x, held_out])
    for _ in range(epochs):
        for rows in torch.randperm(len(every), generator=generator).split(batch_size):
            loss = (every[rows] - model(every[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)


# %% cell="train" name="training_error"
# You return the loss of the last training batch of each epoch. The task asks for the error of the held-out examples.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        errors.append(loss.detach())
    return torch.stack(errors)


# %% cell="train" name="mean_over_values"
# You take the mean over the values of an example as well, as mse_loss does, and your gradient is smaller by a factor of d. Sum
# over the values.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = nn.functional.mse_loss(model(x[rows]), x[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append(nn.functional.mse_loss(model(held_out), held_out))
    return torch.stack(errors)


# %% cell="train" name="history_kept"
# Your errors still carry gradient history, so each of them keeps a whole network's inner values in memory. Compute them under
# torch.no_grad().
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)


# %% cell="train" name="error_before_the_epoch"
# You compute the held-out error before the batches of the epoch. It shall be the error after them.
def train(model, optimizer, x, held_out, epochs, batch_size, generator):
    errors = []
    for _ in range(epochs):
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return torch.stack(errors)


# %% cell="threshold" name="quantile"
# torch.quantile interpolates between two scores, and knows nothing of the new score. Take the r-th largest, r = floor(alpha (N +
# 1)).
def threshold(normal, rate):
    return float(torch.quantile(normal, 1 - rate))


# %% cell="threshold" name="share_of_the_old"
# Your threshold leaves a share alpha of the N old scores above it. For a new score the chance is then (m + 1) / (N + 1), which
# can be more than alpha: take the rank floor(alpha (N + 1)).
def threshold(normal, rate):
    above = int(rate * len(normal) + 1e-9)
    return float(normal.sort(descending=True).values[above])


# %% cell="threshold" name="one_too_low"
# Your threshold is one rank too low: the r-th largest stands at position r - 1, as positions count from 0.
def threshold(normal, rate):
    rank = int(rate * (len(normal) + 1) + 1e-9)
    if rank == 0:
        return math.inf
    return float(normal.sort(descending=True).values[min(rank, len(normal) - 1)])


# %% cell="threshold" name="ascending"
# You count from the smallest score. Alarms are raised above the threshold: count from the largest.
def threshold(normal, rate):
    rank = int(rate * (len(normal) + 1) + 1e-9)
    if rank == 0:
        return math.inf
    return float(normal.sort().values[rank - 1])


# %% cell="threshold" name="not_sorted"
# You take the score at a position in the order in which the scores came. Sort them first.
def threshold(normal, rate):
    rank = int(rate * (len(normal) + 1) + 1e-9)
    if rank == 0:
        return math.inf
    return float(normal[rank - 1])


# %% cell="threshold" name="rounded_to_the_nearest"
# You round alpha (N + 1) to the nearest whole number. Rounded up, the rate is higher than what was promised: round down.
def threshold(normal, rate):
    rank = round(rate * (len(normal) + 1))
    if rank == 0:
        return math.inf
    return float(normal.sort(descending=True).values[min(rank, len(normal)) - 1])


# %% cell="threshold" name="just_below_a_whole_number"
# A computer says that 0.29 * 100 is 28.999999999999996, and you round it down to 28. Add a tiny number first.
def threshold(normal, rate):
    rank = int(rate * (len(normal) + 1))
    if rank == 0:
        return math.inf
    return float(normal.sort(descending=True).values[rank - 1])


# %% cell="threshold" name="largest_if_too_few"
# With too few scores you take the largest of them. That promises 1 / (N + 1) and not the rate asked for: the answer is infinity.
def threshold(normal, rate):
    rank = int(rate * (len(normal) + 1) + 1e-9)
    return float(normal.sort(descending=True).values[max(rank, 1) - 1])


# %% cell="threshold" name="as_if_gaussian"
# You take the mean and some standard deviations, as if scores were Gaussian. Sums of squares are not, and nothing is promised:
# take a rank.
def threshold(normal, rate):
    quantile = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(1.0 - rate))
    return float(normal.mean() + quantile * normal.std(correction=0))


# %% cell="auroc" name="ties_count_nothing"
# A tie counts nothing in your answer. It counts half.
def auroc(normal, anomalous):
    return float((anomalous[:, None] > normal).double().mean())


# %% cell="auroc" name="ties_count_whole"
# A tie counts as a win in your answer. It counts half, else a detector with one score for all would be perfect.
def auroc(normal, anomalous):
    return float((anomalous[:, None] >= normal).double().mean())


# %% cell="auroc" name="turned_around"
# You count how often the normal example scores above the anomaly. High scores shall mean anomalies: turn it around.
def auroc(normal, anomalous):
    difference = normal[:, None] - anomalous
    return float(((difference > 0).double() + (difference == 0).double() / 2).mean())


# %% cell="auroc" name="ranks_from_zero"
# Your ranks begin at 0, and the formula needs ranks from 1 on.
def auroc(normal, anomalous):
    n, m = len(normal), len(anomalous)
    _, place, counts = torch.cat([normal, anomalous]).unique(
        return_inverse=True, return_counts=True
    )
    rank = (counts.cumsum(0) - (counts - 1) / 2 - 1)[place]
    return float((rank[n:].sum() - m * (m + 1) / 2) / (n * m))


# %% cell="auroc" name="places_for_ranks"
# After a tie you go on with the next number. A rank counts scores: after 1, 2.5, 2.5 comes 4, and not 3.
def auroc(normal, anomalous):
    n, m = len(normal), len(anomalous)
    place = torch.cat([normal, anomalous]).unique(return_inverse=True)[1]
    rank = place + 1.0
    return float((rank[n:].sum() - m * (m + 1) / 2) / (n * m))


# %% cell="auroc" name="not_divided"
# You return the number of pairs that are won. Divide it by the number of all pairs, N M.
def auroc(normal, anomalous):
    difference = anomalous[:, None] - normal
    return float(((difference > 0).double() + (difference == 0).double() / 2).sum())


# %% cell="auroc" name="own_ranks_kept"
# You forget to subtract M (M + 1) / 2: the anomalies' ranks count the other anomalies too.
def auroc(normal, anomalous):
    n, m = len(normal), len(anomalous)
    _, place, counts = torch.cat([normal, anomalous]).unique(
        return_inverse=True, return_counts=True
    )
    rank = (counts.cumsum(0) - (counts - 1) / 2)[place]
    return float(rank[n:].sum() / (n * m))


# %% cell="precision" name="base_rate_ignored"
# You compare the two rates as if anomalies and normal examples were equally many. Weight them with pi and 1 - pi.
def precision(found, false_alarms, share):
    return found / (found + false_alarms)


# %% cell="precision" name="all_called_normal"
# You multiply the false alarms by nothing. They come from normal examples, which are a share 1 - pi.
def precision(found, false_alarms, share):
    return share * found / (share * found + false_alarms)


# %% cell="precision" name="odds"
# You divide the real alarms by the false ones. The share is among all alarms, the real ones included.
def precision(found, false_alarms, share):
    return share * found / ((1 - share) * false_alarms)


# %% cell="precision" name="weights_swapped"
# You weight the anomalies with 1 - pi and the normal examples with pi. It is the other way round.
def precision(found, false_alarms, share):
    return (1 - share) * found / ((1 - share) * found + share * false_alarms)


# %% cell="precision" name="specificity"
# You use 1 - FPR, which is the share of normal examples *without* an alarm. Alarms are what counts here: use FPR.
def precision(found, false_alarms, share):
    return share * found / (share * found + (1 - share) * (1 - false_alarms))


# %% cell="precision" name="share_of_alarms"
# You return how many examples raise an alarm. Divide the real ones of them by that.
def precision(found, false_alarms, share):
    return share * found + (1 - share) * false_alarms


# %% cell="quantize" name="cut_off"
# You cut off toward zero, so that 0.9 becomes 0, and errors are up to a whole step. Round to the nearest.
def quantize(z, steps):
    levels = (z / steps).long()
    return levels, levels * steps


# %% cell="quantize" name="rounded_down"
# You round down, and errors are up to a whole step. Round to the nearest: half a step at most.
def quantize(z, steps):
    levels = (z / steps).floor().long()
    return levels, levels * steps


# %% cell="quantize" name="not_scaled_back"
# You return the levels twice. The receiver multiplies them by the steps to get the code.
def quantize(z, steps):
    levels = (z / steps).round().long()
    return levels, levels.to(z.dtype)


# %% cell="quantize" name="multiplied_by_steps"
# You multiply by the step and then round, so larger steps give finer levels. Divide.
def quantize(z, steps):
    levels = (z * steps).round().long()
    return levels, levels / steps


# %% cell="quantize" name="one_step_for_all"
# You use one step for all units. Each unit has its own.
def quantize(z, steps):
    levels = (z / steps.mean()).round().long()
    return levels, levels * steps.mean()


# %% cell="quantize" name="bytes"
# You squeeze the levels into a byte from 0 to 255. Levels may be negative and large.
def quantize(z, steps):
    levels = (z / steps).round().clamp(0, 255).long()
    return levels, levels * steps


# %% cell="quantize" name="floats"
# Your levels are whole, but of a floating-point type. A coder wants int64: end with .long().
def quantize(z, steps):
    levels = (z / steps).round()
    return levels, levels * steps


# %% cell="quantize" name="swapped"
# You return z_hat first. The task asks for (levels, z_hat).
def quantize(z, steps):
    levels = (z / steps).round().long()
    return levels * steps, levels


# %% cell="entropy_bits" name="nats"
# You use the natural logarithm, which gives nats. Bits need log2.
def entropy_bits(levels):
    shares = [unit.unique(return_counts=True)[1] / len(unit) for unit in levels.T]
    return torch.stack([-(share * share.log()).sum() for share in shares])


# %% cell="entropy_bits" name="as_if_uniform"
# You take the logarithm of the number of levels, as if all were equally frequent. Frequent ones are cheaper: weight by frequency.
def entropy_bits(levels):
    return torch.tensor([math.log2(len(unit.unique())) for unit in levels.T])


# %% cell="entropy_bits" name="fixed_length"
# You count the bits of the largest range, as a file without a coder would need. The entropy uses how often each level occurs.
def entropy_bits(levels):
    span = levels.amax(dim=0) - levels.amin(dim=0) + 1
    return span.double().log2().ceil()


# %% cell="entropy_bits" name="mean_for_sum"
# You take the mean over the levels instead of the sum. The frequencies are the weights already.
def entropy_bits(levels):
    shares = [unit.unique(return_counts=True)[1] / len(unit) for unit in levels.T]
    return torch.stack([-(share * share.log2()).mean() for share in shares])


# %% cell="entropy_bits" name="surprise_not_weighted"
# You add up -log2 f over the levels. Each level counts as often as it occurs: multiply by f.
def entropy_bits(levels):
    shares = [unit.unique(return_counts=True)[1] / len(unit) for unit in levels.T]
    return torch.stack([-share.log2().sum() for share in shares])


# %% cell="entropy_bits" name="whole_message"
# Your entropy is multiplied by N: the bits of the whole message. The task asks for the mean of one example.
def entropy_bits(levels):
    shares = [unit.unique(return_counts=True)[1] / len(unit) for unit in levels.T]
    return torch.stack([-(share * share.log2()).sum() * len(levels) for share in shares])


# %% cell="entropy_bits" name="zero_times_log_zero"
# You count levels that do not occur as well, and 0 * log2(0) is no number. Leave them out.
def entropy_bits(levels):
    bits = []
    for unit in levels.T:
        shares = torch.bincount(unit - unit.min()) / len(unit)
        bits.append(-(shares * shares.log2()).sum())
    return torch.stack(bits)


# %% cell="entropy_bits" name="of_each_example"
# You count within each example. Frequencies are taken over the examples, for each unit: go through the columns.
def entropy_bits(levels):
    shares = [row.unique(return_counts=True)[1] / len(row) for row in levels]
    return torch.stack([-(share * share.log2()).sum() for share in shares])


# %% cell="entropy_bits" name="one_table_for_all"
# You count the levels of all units together. Each unit has frequencies of its own.
def entropy_bits(levels):
    shares = levels.unique(return_counts=True)[1] / levels.numel()
    return -(shares * shares.log2()).sum().expand(levels.shape[1])


# %% cell="rate_point" name="rounding_not_decoded"
# You decode the code before rounding, which no receiver has. Decode the levels times the step.
def rate_point(x, z, decode, step, coder):
    levels = (z / step).round().long()
    return coder(levels) / x.numel(), float((x - decode(z)).square().mean())


# %% cell="rate_point" name="levels_decoded"
# You give the decoder the levels themselves. It expects codes on their own scale: multiply by the step.
def rate_point(x, z, decode, step, coder):
    levels = (z / step).round().long()
    return coder(levels) / x.numel(), float((x - decode(levels.to(z.dtype))).square().mean())


# %% cell="rate_point" name="bits_for_each_code_value"
# You divide the bits by the number of values of the code. Codes of different lengths can only be compared per value of the data.
def rate_point(x, z, decode, step, coder):
    levels = (z / step).round().long()
    return coder(levels) / z.numel(), float((x - decode(levels * step)).square().mean())


# %% cell="rate_point" name="bits_for_each_example"
# You divide the bits by the number of examples. The rate is for each value of the data: divide by x.numel().
def rate_point(x, z, decode, step, coder):
    levels = (z / step).round().long()
    return coder(levels) / len(x), float((x - decode(levels * step)).square().mean())


# %% cell="rate_point" name="sum_over_example"
# Your distortion sums over the values of an example. The rate is per value, and so is the distortion: take the mean over all.
def rate_point(x, z, decode, step, coder):
    levels = (z / step).round().long()
    squared = (x - decode(levels * step)).square().flatten(1).sum(dim=1)
    return coder(levels) / x.numel(), float(squared.mean())


# %% cell="rate_point" name="root"
# You take the root of the mean squared error. The distortion is the mean squared error itself.
def rate_point(x, z, decode, step, coder):
    levels = (z / step).round().long()
    return coder(levels) / x.numel(), float((x - decode(levels * step)).square().mean().sqrt())


# %% cell="rate_point" name="error_of_the_code"
# You measure the error of the code. What counts is the error of the reconstruction, in the data.
def rate_point(x, z, decode, step, coder):
    levels = (z / step).round().long()
    return coder(levels) / x.numel(), float((z - levels * step).square().mean())


# %% cell="rate_point" name="cut_off"
# You cut off toward zero instead of rounding: call .round() before .long().
def rate_point(x, z, decode, step, coder):
    levels = (z / step).long()
    return coder(levels) / x.numel(), float((x - decode(levels * step)).square().mean())


# %% cell="rate_point" name="codes_to_the_coder"
# You give the coder the rounded code, scaled back. It counts whole numbers: give it the levels.
def rate_point(x, z, decode, step, coder):
    z_hat = (z / step).round() * step
    return coder(z_hat) / x.numel(), float((x - decode(z_hat)).square().mean())


# %% cell="rate_point" name="swapped"
# You return the distortion first. The task asks for (rate, distortion).
def rate_point(x, z, decode, step, coder):
    levels = (z / step).round().long()
    return float((x - decode(levels * step)).square().mean()), coder(levels) / x.numel()
