# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="center" name="grand_mean"
# Your mean is one number, the mean of all entries. Each feature has its own mean: average over the examples, dim=0.
def center(x):
    mean = x.mean()
    return x - mean, mean


# %% cell="center" name="mean_of_each_example"
# You average over the features of each example (dim=1). The mean of each feature is the average over the examples, dim=0.
def center(x):
    mean = x.mean(dim=1, keepdim=True)
    return x - mean, mean


# %% cell="center" name="standardize"
# You also divide by the standard deviation. Centering only subtracts the mean; the spread is what PCA is about.
def center(x):
    mean = x.mean(dim=0)
    return (x - mean) / x.std(dim=0), mean


# %% cell="center" name="sum_for_mean"
# You subtract the sum over the examples. Divide it by N to get the mean.
def center(x):
    total = x.sum(dim=0)
    return x - total, total


# %% cell="center" name="swapped"
# You return the mean first. The task asks for (x_c, mean), in this order.
def center(x):
    mean = x.mean(dim=0)
    return mean, x - mean


# %% cell="covariance" name="n_minus_1"
# You divide by N - 1, as torch.cov does unless you pass correction=0. Here the covariance is the mean over the N examples: divide
# by N.
def covariance(x_c):
    return x_c.T @ x_c / (len(x_c) - 1)


# %% cell="covariance" name="transposes_swapped"
# You multiply examples with each other and get an (N, N) matrix. Features with each other is x_c.T @ x_c, of shape (d, d).
def covariance(x_c):
    return x_c @ x_c.T / len(x_c)


# %% cell="covariance" name="sum_for_mean"
# You sum over the examples and do not divide by N.
def covariance(x_c):
    return x_c.T @ x_c


# %% cell="covariance" name="divide_by_d"
# You divide by the number of features d. The mean is over the examples: divide by N, which is len(x_c).
def covariance(x_c):
    return x_c.T @ x_c / x_c.shape[1]


# %% cell="covariance" name="only_variances"
# You have the variances on the diagonal, and zeros beside it. How two features vary together stands off the diagonal.
def covariance(x_c):
    return torch.diag(x_c.square().mean(dim=0))


# %% cell="covariance" name="correlation"
# You divide by the standard deviations too, which makes it the correlation matrix. The covariance keeps the units of the data.
def covariance(x_c):
    S = x_c.T @ x_c / len(x_c)
    scale = S.diagonal().sqrt()
    return S / torch.outer(scale, scale)


# %% cell="fit_1d" name="smallest"
# torch.linalg.eigh sorts in ascending order, so the first eigenvalue is the smallest. The best direction has the largest.
def fit_1d(S):
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    return eigenvalues[0], eigenvectors[:, 0]


# %% cell="fit_1d" name="row_for_column"
# You take a row of the matrix of eigenvectors. They are its columns: eigenvectors[:, -1].
def fit_1d(S):
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    return eigenvalues[-1], eigenvectors[-1]


# %% cell="fit_1d" name="largest_entry_one"
# Your direction is right, but its largest entry is 1 and not its length. Divide w by its norm at the end.
def fit_1d(S):
    w = torch.arange(1.0, len(S) + 1)
    for _ in range(1000):
        w = S @ w
        w = w / w.abs().max()
    return w @ S @ w / (w @ w), w


# %% cell="fit_1d" name="square_root"
# You return the standard deviation along the direction. The eigenvalue is the variance, its square.
def fit_1d(S):
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    return eigenvalues[-1].sqrt(), eigenvectors[:, -1]


# %% cell="fit_1d" name="largest_feature"
# You return the feature with the largest variance. Directions of large variance need not lie along an axis: use eigenvectors.
def fit_1d(S):
    variances = S.diagonal()
    return variances.max(), torch.eye(len(S))[variances.argmax()]


# %% cell="fit" name="smallest"
# You keep the eigenvectors of the k smallest eigenvalues: torch.linalg.eigh sorts in ascending order. Keep the last k.
def fit(S, k):
    eigenvectors = torch.linalg.eigh(S).eigenvectors
    w_dec = eigenvectors[:, :k]
    return w_dec.T, w_dec


# %% cell="fit" name="rows_for_columns"
# You take rows of the matrix of eigenvectors. They are its columns: eigenvectors[:, -k:].
def fit(S, k):
    eigenvectors = torch.linalg.eigh(S).eigenvectors
    w_enc = eigenvectors[-k:]
    return w_enc, w_enc.T


# %% cell="fit" name="swapped"
# You return (w_dec, w_enc). The encoder comes first, and its weights have shape (k, d).
def fit(S, k):
    w_dec = torch.linalg.eigh(S).eigenvectors[:, -k:]
    return w_dec, w_dec.T


# %% cell="fit" name="scaled_by_eigenvalues"
# You scale the code to unit variance in the encoder, but do not scale back in the decoder, so the product is no projector.
def fit(S, k):
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    w_dec = eigenvectors[:, -k:]
    return w_dec.T / eigenvalues[-k:].sqrt()[:, None], w_dec


# %% cell="fit" name="first_features"
# You keep the first k features. The best subspace is spanned by eigenvectors of the covariance matrix, not by axes.
def fit(S, k):
    return torch.eye(k, len(S)), torch.eye(len(S), k)


# %% cell="fit" name="only_one"
# You keep one direction for every k. Keep the k leading eigenvectors.
def fit(S, k):
    w = torch.linalg.eigh(S).eigenvectors[:, -1:]
    zeros = torch.zeros(len(S), k - 1)
    w_dec = torch.cat([w, zeros], dim=1)
    return w_dec.T, w_dec


# %% cell="wide" name="random"
# Random weights do not copy: a wide code only makes it possible. Choose weights whose product is the identity.
def wide(d, h):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(h, d, generator=generator), torch.randn(d, h, generator=generator)


# %% cell="wide" name="all_ones"
# With ones everywhere each feature becomes the mean of all features. Each feature needs a place of its own in the code.
def wide(d, h):
    return torch.ones(h, d), torch.ones(d, h) / (d * h)


# %% cell="wide" name="repeated"
# You copy features several times into the code and add the copies up, so they come out too large. Use each only once.
def wide(d, h):
    w_enc = torch.eye(d).repeat(-(-h // d), 1)[:h]
    return w_enc, w_enc.T


# %% cell="wide" name="swapped"
# You return (w_dec, w_enc). The encoder comes first, and its weights have shape (h, d).
def wide(d, h):
    return torch.eye(d, h), torch.eye(h, d)


# %% cell="wide" name="other_end"
# Your encoder puts the copy at the end of the code, and your decoder reads its beginning. Both must use the same places.
def wide(d, h):
    w_enc = torch.zeros(h, d)
    w_enc[h - d :] = torch.eye(d)
    return w_enc, torch.eye(d, h)


# %% cell="reconstruct" name="mean_not_added"
# You do not add the mean back, so your reconstructions lie around the origin and not where the data are.
def reconstruct(x, mean, w_enc, w_dec):
    return (x - mean) @ w_enc.T @ w_dec.T


# %% cell="reconstruct" name="not_centered"
# You encode x without subtracting the mean, and then add the mean: it is counted twice.
def reconstruct(x, mean, w_enc, w_dec):
    return x @ w_enc.T @ w_dec.T + mean


# %% cell="reconstruct" name="own_mean"
# You subtract the mean of the examples you were given. New examples are centered with the mean of the training data.
def reconstruct(x, mean, w_enc, w_dec):
    own = x.mean(dim=0)
    return (x - own) @ w_enc.T @ w_dec.T + own


# %% cell="reconstruct" name="missing_transposes"
# You multiply by w_dec first. For examples in rows, W x is x @ W.T: first w_enc.T, then w_dec.T.
def reconstruct(x, mean, w_enc, w_dec):
    return (x - mean) @ w_dec @ w_enc + mean


# %% cell="reconstruct" name="tied"
# You decode with the transpose of the encoder. Use the decoder's own weights: they can be any matrix.
def reconstruct(x, mean, w_enc, w_dec):
    return (x - mean) @ w_enc.T @ w_enc + mean


# %% cell="reconstruction_error" name="mean_over_features"
# You take the mean over the features too, as mse_loss does, and get a value smaller by a factor of d. Sum over the features.
def reconstruction_error(x, x_hat):
    return torch.nn.functional.mse_loss(x_hat, x)


# %% cell="reconstruction_error" name="sum_over_examples"
# You sum over the examples. The error is the mean over the examples: divide by N.
def reconstruction_error(x, x_hat):
    return (x - x_hat).square().sum()


# %% cell="reconstruction_error" name="distance_not_squared"
# You average the distances. The error averages their squares: leave out the square root.
def reconstruction_error(x, x_hat):
    return (x - x_hat).norm(dim=1).mean()


# %% cell="reconstruction_error" name="absolute"
# You sum absolute values. The error sums squares.
def reconstruction_error(x, x_hat):
    return (x - x_hat).abs().sum(dim=1).mean()


# %% cell="reconstruction_error" name="half"
# You put a factor 1/2 in front. The squared distance here has none.
def reconstruction_error(x, x_hat):
    return 0.5 * (x - x_hat).square().sum(dim=1).mean()


# %% cell="discarded_variance" name="kept"
# You add up the k largest eigenvalues: that is the variance that is kept. The error is the rest.
def discarded_variance(S, k):
    return torch.linalg.eigvalsh(S)[-k:].sum()


# %% cell="discarded_variance" name="ascending"
# You drop the first k eigenvalues, but torch.linalg.eigvalsh sorts in ascending order: these are the smallest ones.
def discarded_variance(S, k):
    return torch.linalg.eigvalsh(S)[k:].sum()


# %% cell="discarded_variance" name="mean_for_sum"
# You take the mean of the discarded eigenvalues. The error is their sum.
def discarded_variance(S, k):
    discarded = torch.linalg.eigvalsh(S)[: len(S) - k]
    return discarded.sum() / max(len(discarded), 1)


# %% cell="discarded_variance" name="share"
# You return the share of the variance that is lost. The task asks for the variance itself: do not divide by the total.
def discarded_variance(S, k):
    return torch.linalg.eigvalsh(S)[: len(S) - k].sum() / torch.trace(S)


# %% cell="discarded_variance" name="diagonal"
# You add up variances of features, the diagonal of the matrix. What is lost are eigenvalues of the matrix.
def discarded_variance(S, k):
    return S.diagonal().sort().values[: len(S) - k].sum()


# %% cell="explained_variance_ratio" name="singular_values_not_squared"
# You take shares of the singular values. Variances are their squares.
def explained_variance_ratio(x_c):
    singular_values = torch.linalg.svdvals(x_c)
    return singular_values / singular_values.sum()


# %% cell="explained_variance_ratio" name="ascending"
# Your shares are in ascending order, as torch.linalg.eigvalsh returns eigenvalues. Turn them round.
def explained_variance_ratio(x_c):
    eigenvalues = torch.linalg.eigvalsh(x_c.T @ x_c)
    return eigenvalues / eigenvalues.sum()


# %% cell="explained_variance_ratio" name="not_normalized"
# You return the variances. Divide them by their sum to get shares.
def explained_variance_ratio(x_c):
    return torch.linalg.svdvals(x_c).square() / len(x_c)


# %% cell="explained_variance_ratio" name="cumulative"
# You return running sums of the shares. The task asks for the share of each direction alone.
def explained_variance_ratio(x_c):
    variances = torch.linalg.svdvals(x_c).square()
    return torch.cumsum(variances / variances.sum(), dim=0)


# %% cell="explained_variance_ratio" name="relative_to_largest"
# You divide by the largest variance. The shares are relative to the sum of all variances.
def explained_variance_ratio(x_c):
    variances = torch.linalg.svdvals(x_c).square()
    return variances / variances.max()


# %% cell="choose_k" name="index_for_count"
# Your answer is one too small: positions in a tensor count from 0, so position i means i + 1 directions.
def choose_k(ratio, share):
    return int((torch.cumsum(ratio, dim=0) < share).sum())


# %% cell="choose_k" name="strictly_more"
# You ask for more than the target. A sum that is exactly the target is enough.
def choose_k(ratio, share):
    return int((torch.cumsum(ratio, dim=0) <= share).sum()) + 1


# %% cell="choose_k" name="no_sums"
# You compare single shares with the target. Add up the first k shares and compare the sum.
def choose_k(ratio, share):
    return int((ratio >= share).sum())


# %% cell="choose_k" name="one_too_many"
# Your answer is one too large: the number of sums below the target, plus one, already counts the direction that reaches it.
def choose_k(ratio, share):
    return min(int((torch.cumsum(ratio, dim=0) < share).sum()) + 2, len(ratio))


# %% cell="choose_k" name="share_of_directions"
# You take a share of the number of directions. The target is a share of the variance, and the first directions carry more.
def choose_k(ratio, share):
    return math.ceil(share * len(ratio))
