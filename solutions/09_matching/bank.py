# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="nearest" name="farthest"
# You return the entry that is farthest away. The nearest one has the smallest distance: argmin, not argmax.
def nearest(tokens, codebook):
    return (tokens[:, None] - codebook).square().sum(dim=2).argmax(dim=1)


# %% cell="nearest" name="other_axis"
# You look for the nearest token of each entry. It is the other way around: each token looks for its nearest entry, so the
# minimum runs over the C entries.
def nearest(tokens, codebook):
    return (tokens[:, None] - codebook).square().sum(dim=2).argmin(dim=0)


# %% cell="nearest" name="inner_product"
# You take the entry with the largest inner product. That prefers long entries wherever they lie; the distance also counts how
# long an entry is.
def nearest(tokens, codebook):
    return (tokens @ codebook.T).argmax(dim=1)


# %% cell="nearest" name="differences_not_squared"
# You sum the differences themselves, and those of opposite sign cancel. Square them first.
def nearest(tokens, codebook):
    return (tokens[:, None] - codebook).sum(dim=2).argmin(dim=1)


# %% cell="nearest" name="absolute_differences"
# You sum absolute differences. The distance of this task is the Euclidean one: sum their squares.
def nearest(tokens, codebook):
    return (tokens[:, None] - codebook).abs().sum(dim=2).argmin(dim=1)


# %% cell="nearest" name="largest_difference"
# You compare the largest difference in any one value. The Euclidean distance counts all values: sum their squares.
def nearest(tokens, codebook):
    return (tokens[:, None] - codebook).abs().amax(dim=2).argmin(dim=1)


# %% cell="nearest" name="last_of_ties"
# If several entries are equally near, you return the last of them. The task asks for the smallest index.
def nearest(tokens, codebook):
    squared = (tokens[:, None] - codebook).square().sum(dim=2)
    return len(codebook) - 1 - squared.flip(1).argmin(dim=1)


# %% cell="nearest" name="distances"
# You return the smallest distances. The code of a token is the index of the entry: where the minimum is, and not what it is.
def nearest(tokens, codebook):
    return torch.cdist(tokens, codebook).amin(dim=1)


# %% cell="nearest" name="entries"
# You return the entries themselves. The code of a token is an index; looking up the entry is the next step.
def nearest(tokens, codebook):
    return codebook[torch.cdist(tokens, codebook).argmin(dim=1)]


# %% cell="nearest" name="counted_from_one"
# Your indices count from 1. They are to count from 0, so that codebook[indices] finds the entries.
def nearest(tokens, codebook):
    return torch.cdist(tokens, codebook).argmin(dim=1) + 1


# %% cell="straight_through" name="nothing_stopped"
# Your value is right, but without a stop z_e - z_e cancels in the gradient as well: all of it goes to z_q, and the encoder
# gets none. Stop the gradient of the difference.
def straight_through(z_e, z_q):
    return z_e + (z_q - z_e)


# %% cell="straight_through" name="all_stopped"
# Your value is right, but no gradient gets to the encoder. That is the true derivative of the step, and nothing is learned
# from it. Let z_e itself through.
def straight_through(z_e, z_q):
    return z_q.detach()


# %% cell="straight_through" name="not_quantized"
# You return z_e. The decoder is to see the entries of the codebook: the value must be that of z_q.
def straight_through(z_e, z_q):
    return z_e.clone()


# %% cell="straight_through" name="to_the_codebook_as_well"
# Your gradient goes to z_e, which is right, and to z_q too. The codebook has terms of its own; stop the gradient at z_q here.
def straight_through(z_e, z_q):
    return z_q + z_e - z_e.detach()


# %% cell="straight_through" name="wrong_part_stopped"
# You stop z_e where it should get through, and let it through where it is subtracted. So the encoder gets the gradient with
# its sign turned around. The whole difference z_q - z_e belongs inside of the stop.
def straight_through(z_e, z_q):
    return z_e.detach() + (z_q - z_e)


# %% cell="straight_through" name="turned_around"
# You have swapped the two: your value is z_e and your gradient goes to z_q.
def straight_through(z_e, z_q):
    return z_q + (z_e - z_q).detach()


# %% cell="straight_through" name="difference_subtracted"
# You go from z_e away from z_q. The difference z_q - z_e is added.
def straight_through(z_e, z_q):
    return z_e - (z_q - z_e).detach()


# %% cell="straight_through" name="half_way"
# You return the point half way between the two. The decoder sees z_q exactly; only the gradient is borrowed.
def straight_through(z_e, z_q):
    return z_e + 0.5 * (z_q - z_e).detach()


# %% cell="vq_terms" name="mean_over_values"
# You take the mean over the values of an example as well, as mse_loss does. The squared distance is their sum.
def vq_terms(z_e, z_q):
    return F.mse_loss(z_e, z_q.detach()), F.mse_loss(z_q, z_e.detach())


# %% cell="vq_terms" name="sum_over_examples"
# You sum over the examples. The terms are means over the batch.
def vq_terms(z_e, z_q):
    return (z_e - z_q.detach()).square().sum(), (z_e.detach() - z_q).square().sum()


# %% cell="vq_terms" name="swapped"
# You return the codebook term first, or have put the stops the wrong way around: your commitment moves the entries.
# Commitment moves the encoder, so it is z_q that is stopped there.
def vq_terms(z_e, z_q):
    commitment = (z_e.detach() - z_q).square().sum(dim=1).mean()
    return commitment, (z_e - z_q.detach()).square().sum(dim=1).mean()


# %% cell="vq_terms" name="nothing_stopped"
# Your values are right, but both terms move both sides, so they cannot be weighted one by one. Stop the gradient of one side
# in each of them.
def vq_terms(z_e, z_q):
    both = (z_e - z_q).square().sum(dim=1).mean()
    return both, both


# %% cell="vq_terms" name="commitment_twice"
# Both of your terms move the encoder, and nothing moves the codebook. In the second one it is z_e that is stopped.
def vq_terms(z_e, z_q):
    commitment = (z_e - z_q.detach()).square().sum(dim=1).mean()
    return commitment, commitment


# %% cell="vq_terms" name="all_stopped"
# Your values are right, but no gradient gets out of them. Stop one side of each term, and not both.
def vq_terms(z_e, z_q):
    both = (z_e.detach() - z_q.detach()).square().sum(dim=1).mean()
    return both, both


# %% cell="vq_terms" name="not_squared"
# You average distances. The terms average their squares.
def vq_terms(z_e, z_q):
    commitment = (z_e - z_q.detach()).norm(dim=1).mean()
    return commitment, (z_e.detach() - z_q).norm(dim=1).mean()


# %% cell="vq_terms" name="weight_inside"
# You have multiplied the commitment with 0.25. The weight is put on later; here both terms have the same value.
def vq_terms(z_e, z_q):
    commitment = 0.25 * (z_e - z_q.detach()).square().sum(dim=1).mean()
    return commitment, (z_e.detach() - z_q).square().sum(dim=1).mean()


# %% cell="vq_terms" name="half"
# You put a factor 1/2 in front. The squared distance here has none.
def vq_terms(z_e, z_q):
    commitment = 0.5 * (z_e - z_q.detach()).square().sum(dim=1).mean()
    return commitment, 0.5 * (z_e.detach() - z_q).square().sum(dim=1).mean()


# %% cell="usage" name="entropy"
# You return the entropy. The perplexity is its exponential.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    return -torch.special.xlogy(p, p).sum(), int((counts == 0).sum())


# %% cell="usage" name="bits_in_the_exponential"
# You compute the entropy in bits and then take e to its power. Use one base for both: exp goes with the natural logarithm,
# and 2 to the power of H with bits.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    return torch.exp(-torch.special.xlogy(p, p).sum() / math.log(2)), int((counts == 0).sum())


# %% cell="usage" name="logarithm_of_zero"
# For an entry that is not used you compute 0 times log 0, which is no number on a computer. It counts as 0.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    return torch.exp(-(p * p.log()).sum()), int((counts == 0).sum())


# %% cell="usage" name="entries_in_use"
# You count the entries that occur at all. The perplexity is smaller unless all of them occur equally often.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    return (counts > 0).sum().double(), int((counts == 0).sum())


# %% cell="usage" name="mean_for_sum"
# You take the mean of p log p over the entries. The entropy is its sum.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    return torch.exp(-torch.special.xlogy(p, p).mean()), int((counts == 0).sum())


# %% cell="usage" name="one_over_sum_of_squares"
# You return 1 over the sum of p squared. That is another effective number; the perplexity goes through the entropy.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    return 1 / p.square().sum(), int((counts == 0).sum())


# %% cell="usage" name="sign"
# You forgot the minus in the entropy, so your perplexity is below 1.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    return torch.exp(torch.special.xlogy(p, p).sum()), int((counts == 0).sum())


# %% cell="usage" name="first_token_alone"
# You look at the first token of each example. All tokens share the codebook: count all indices together.
def usage(indices, num_codes):
    counts = torch.bincount(indices.reshape(len(indices), -1)[:, 0], minlength=num_codes)
    p = counts / counts.sum()
    return torch.exp(-torch.special.xlogy(p, p).sum()), int((counts == 0).sum())


# %% cell="usage" name="counts_cut_short"
# torch.bincount stops at the largest index that occurs, so the dead entries behind it are not counted. Pass minlength.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten())
    p = counts / counts.sum()
    return torch.exp(-torch.special.xlogy(p, p).sum()), int((counts == 0).sum())


# %% cell="usage" name="alive_for_dead"
# You return how many entries are in use. Dead are the others.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    return torch.exp(-torch.special.xlogy(p, p).sum()), int((counts > 0).sum())


# %% cell="usage" name="dead_by_perplexity"
# You take the entries beyond the perplexity for dead. An entry that is used rarely is not dead: count those that do not
# occur.
def usage(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    perplexity = torch.exp(-torch.special.xlogy(p, p).sum())
    return perplexity, num_codes - round(float(perplexity))


# %% cell="ema_step" name="decay_turned_around"
# You weight the new batch with the decay and the old average with one minus it. A decay near 1 is to mean slow changes.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    counts = (1 - decay) * counts + decay * chosen.sum(dim=0)
    sums = (1 - decay) * sums + decay * chosen.T @ tokens
    return torch.where(counts[:, None] > 0, sums / counts[:, None], codebook), counts, sums


# %% cell="ema_step" name="batch_mean"
# Your entries jump to the means of this batch. An entry is the ratio of the two moving averages, which remember earlier
# batches.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    n, s = chosen.sum(dim=0), chosen.T @ tokens
    counts, sums = decay * counts + (1 - decay) * n, decay * sums + (1 - decay) * s
    return torch.where(n[:, None] > 0, s / n[:, None], codebook), counts, sums


# %% cell="ema_step" name="entries_averaged"
# You average the entry itself with the mean of the batch. Then one token moves it as far as a hundred would: it is the counts
# and the sums that are averaged, and the entry is their ratio.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    n, s = chosen.sum(dim=0), chosen.T @ tokens
    means = torch.where(n[:, None] > 0, s / n.clamp(min=1)[:, None], codebook)
    counts, sums = decay * counts + (1 - decay) * n, decay * sums + (1 - decay) * s
    return decay * codebook + (1 - decay) * means, counts, sums


# %% cell="ema_step" name="old_counts"
# You divide the new sums by the old counts. Numerator and denominator must be of the same time: use the new counts.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    new = decay * counts + (1 - decay) * chosen.sum(dim=0)
    sums = decay * sums + (1 - decay) * chosen.T @ tokens
    return torch.where(counts[:, None] > 0, sums / counts[:, None], codebook), new, sums


# %% cell="ema_step" name="no_one_minus_decay"
# You add the batch with its full weight. It comes in with the weight one minus the decay, so that this is an average.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    counts = decay * counts + chosen.sum(dim=0)
    sums = decay * sums + chosen.T @ tokens
    return torch.where(counts[:, None] > 0, sums / counts[:, None], codebook), counts, sums


# %% cell="ema_step" name="divided_by_zero"
# You divide by a count of zero, and the entry is no number from then on. Where the new count is zero the entry stays where it
# was.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    counts = decay * counts + (1 - decay) * chosen.sum(dim=0)
    sums = decay * sums + (1 - decay) * chosen.T @ tokens
    return sums / counts[:, None], counts, sums


# %% cell="ema_step" name="to_the_origin"
# You add a small number to the counts, so an entry whose count is zero is moved to the origin. It is to stay where it was.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    counts = decay * counts + (1 - decay) * chosen.sum(dim=0)
    sums = decay * sums + (1 - decay) * chosen.T @ tokens
    return sums / (counts + 1e-9)[:, None], counts, sums


# %% cell="ema_step" name="counts_below_one"
# You take counts below 1 for 1. Moving averages are fractions, and dividing by 1 instead pulls rarely used entries to the
# origin.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    counts = decay * counts + (1 - decay) * chosen.sum(dim=0)
    sums = decay * sums + (1 - decay) * chosen.T @ tokens
    return sums / counts.clamp(min=1)[:, None], counts, sums


# %% cell="ema_step" name="unused_not_faded"
# You move on the averages of the entries that were chosen, and keep those of the others. They fade as well: for them n is
# zero.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    n = chosen.sum(dim=0)
    counts = torch.where(n > 0, decay * counts + (1 - decay) * n, counts)
    moved = decay * sums + (1 - decay) * chosen.T @ tokens
    sums = torch.where(n[:, None] > 0, moved, sums)
    return torch.where(counts[:, None] > 0, sums / counts[:, None], codebook), counts, sums


# %% cell="ema_step" name="means_in_the_sums"
# You add the means of the tokens to the sums. It is their sum that belongs there; the division by the counts comes at the
# end.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    n = chosen.sum(dim=0)
    means = chosen.T @ tokens / n.clamp(min=1)[:, None]
    counts, sums = decay * counts + (1 - decay) * n, decay * sums + (1 - decay) * means
    return torch.where(counts[:, None] > 0, sums / counts[:, None], codebook), counts, sums


# %% cell="ema_step" name="arguments_changed"
# Your numbers are right, but you have changed the counts and sums that you were given. Compute new tensors, without += and
# other changes in place.
def ema_step(codebook, counts, sums, tokens, indices, decay):
    chosen = F.one_hot(indices, len(codebook)).double()
    counts.mul_(decay).add_((1 - decay) * chosen.sum(dim=0))
    sums.mul_(decay).add_((1 - decay) * chosen.T @ tokens)
    return torch.where(counts[:, None] > 0, sums / counts[:, None], codebook), counts, sums


# %% cell="kernels" name="no_two"
# Your Gaussian kernel is too narrow: the exponent is divided by twice the squared scale.
def kernels(squared, scale):
    return torch.exp(-squared / scale**2), scale**2 / (scale**2 + squared)


# %% cell="kernels" name="scale_not_squared"
# You use the scale where its square should be. It is in units of the code, and what you are given are squared distances.
def kernels(squared, scale):
    return torch.exp(-squared / (2 * scale)), scale / (scale + squared)


# %% cell="kernels" name="squared_again"
# You square the squared distances once more. What you are given is r^2 already.
def kernels(squared, scale):
    return torch.exp(-(squared**2) / (2 * scale**2)), scale**2 / (scale**2 + squared**2)


# %% cell="kernels" name="root_taken"
# You take the root first and use the distance where its square should be.
def kernels(squared, scale):
    return torch.exp(-squared.sqrt() / (2 * scale**2)), scale**2 / (scale**2 + squared.sqrt())


# %% cell="kernels" name="no_numerator"
# Your inverse multiquadratic kernel has 1 in the numerator. With the squared scale there, it is 1 for equal codes.
def kernels(squared, scale):
    return torch.exp(-squared / (2 * scale**2)), 1 / (scale**2 + squared)


# %% cell="kernels" name="root_of_the_quotient"
# Your second kernel has a root. There is a kernel of a similar name that has one; the one in this task does not.
def kernels(squared, scale):
    return torch.exp(-squared / (2 * scale**2)), (scale**2 / (scale**2 + squared)) ** 0.5


# %% cell="kernels" name="density"
# Your Gaussian kernel is a density, divided by its integral. A kernel says how alike two codes are, and is 1 for equal ones.
def kernels(squared, scale):
    density = torch.exp(-squared / (2 * scale**2)) / (scale * math.sqrt(2 * math.pi))
    return density, scale**2 / (scale**2 + squared)


# %% cell="kernels" name="swapped"
# You return the inverse multiquadratic kernel first. The Gaussian one comes first.
def kernels(squared, scale):
    return scale**2 / (scale**2 + squared), torch.exp(-squared / (2 * scale**2))


# %% cell="kernels" name="sign"
# Your Gaussian kernel grows with the distance. The exponent has a minus.
def kernels(squared, scale):
    return torch.exp(squared / (2 * scale**2)), scale**2 / (scale**2 + squared)


# %% cell="mmd" name="with_self_pairs"
# You average over all pairs, also those of a row with itself, which are always alike. That makes the estimate too large:
# leave the diagonal out, of the sum and of the count.
def mmd(a, b, kernel):
    def mean(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2)).mean()

    return mean(a, a) + mean(b, b) - 2 * mean(a, b)


# %% cell="mmd" name="divided_by_all_pairs"
# You leave out the pairs of a row with itself, but divide by n squared. There are only n (n - 1) pairs left.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2))

    def within(u):
        return (pairs(u, u).sum() - pairs(u, u).trace()) / len(u) ** 2

    return within(a) + within(b) - 2 * pairs(a, b).mean()


# %% cell="mmd" name="across_once"
# You subtract the mean across once. There are two means within, so it is subtracted twice.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2))

    def within(u):
        return (pairs(u, u).sum() - pairs(u, u).trace()) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - pairs(a, b).mean()


# %% cell="mmd" name="across_added"
# You add the mean across. Samples that are alike across are near to each other: it is subtracted.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2))

    def within(u):
        return (pairs(u, u).sum() - pairs(u, u).trace()) / (len(u) * (len(u) - 1))

    return within(a) + within(b) + 2 * pairs(a, b).mean()


# %% cell="mmd" name="never_negative"
# You cut the estimate at zero. Then it is not unbiased any more, and below zero it has no gradient. Leave it as it is.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2))

    def within(u):
        return (pairs(u, u).sum() - pairs(u, u).trace()) / (len(u) * (len(u) - 1))

    return (within(a) + within(b) - 2 * pairs(a, b).mean()).clamp(min=0)


# %% cell="mmd" name="root"
# You take the root. The task asks for the squared discrepancy, which may be below zero as an estimate.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2))

    def within(u):
        return (pairs(u, u).sum() - pairs(u, u).trace()) / (len(u) * (len(u) - 1))

    return (within(a) + within(b) - 2 * pairs(a, b).mean()).abs().sqrt()


# %% cell="mmd" name="distances_not_squared"
# You hand distances to the kernel. It expects squared distances.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel(torch.cdist(u, v))

    def within(u):
        return (pairs(u, u).sum() - pairs(u, u).trace()) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * pairs(a, b).mean()


# %% cell="mmd" name="mean_over_values"
# You take the mean over the values of the squared differences. The squared distance is their sum.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel((u[:, None] - v).square().mean(dim=2))

    def within(u):
        return (pairs(u, u).sum() - pairs(u, u).trace()) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * pairs(a, b).mean()


# %% cell="mmd" name="ones_on_the_diagonal"
# You subtract 1 for each pair of a row with itself. A kernel need not be 1 there: subtract what it gives on the diagonal.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2))

    def within(u):
        return (pairs(u, u).sum() - len(u)) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * pairs(a, b).mean()


# %% cell="mmd" name="root_without_a_slope"
# Your value is right, but your gradient is no number: you take a square root and square it again, and at the distance zero
# the root has no slope. Use the squared differences as they are.
def mmd(a, b, kernel):
    def pairs(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2).sqrt().square())

    def within(u):
        return (pairs(u, u).sum() - pairs(u, u).trace()) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * pairs(a, b).mean()


# %% cell="mmd" name="of_the_means"
# You compare the means of the two samples. Two distributions with the same mean can be far apart; the kernel is averaged over
# pairs of rows.
def mmd(a, b, kernel):
    apart = (a.mean(dim=0) - b.mean(dim=0)).square().sum()
    return 2 * kernel(torch.zeros(1)).sum() - 2 * kernel(apart)


# %% cell="mmd" name="diagonal_left_out_across"
# You also leave out pairs of a row of a with the row of the same number of b. These are two different rows: all pairs across
# count.
def mmd(a, b, kernel):
    def others(u, v):
        values = kernel((u[:, None] - v).square().sum(dim=2))
        diagonal = values.diagonal()
        return (values.sum() - diagonal.sum()) / (values.numel() - len(diagonal))

    return others(a, a) + others(b, b) - 2 * others(a, b)


# %% cell="disc_loss" name="labels_swapped"
# You have the labels the wrong way around: D is the probability of being a draw from the prior, so draws cost -log D and
# codes -log(1 - D).
def disc_loss(prior_logits, code_logits):
    return F.softplus(prior_logits).mean() + F.softplus(-code_logits).mean()


# %% cell="disc_loss" name="all_averaged_together"
# You take one mean over draws and codes together. Each of the two has a mean of its own, whatever their numbers are, and the
# two are added.
def disc_loss(prior_logits, code_logits):
    return torch.cat([F.softplus(-prior_logits), F.softplus(code_logits)]).mean()


# %% cell="disc_loss" name="half"
# You take half of the sum. A discriminator that always says 1/2 pays 2 log 2 here, one log 2 for each side.
def disc_loss(prior_logits, code_logits):
    return 0.5 * (F.softplus(-prior_logits).mean() + F.softplus(code_logits).mean())


# %% cell="disc_loss" name="sums_for_means"
# You sum over draws and codes. The loss has the mean of each.
def disc_loss(prior_logits, code_logits):
    return F.softplus(-prior_logits).sum() + F.softplus(code_logits).sum()


# %% cell="disc_loss" name="rounded_probabilities"
# You go through probabilities. For a sure answer they round to 0 or 1, and the logarithm is infinite. Compute it from the
# logits.
def disc_loss(prior_logits, code_logits):
    d_prior, d_codes = torch.sigmoid(prior_logits), torch.sigmoid(code_logits)
    return -d_prior.log().mean() - (1 - d_codes).log().mean()


# %% cell="disc_loss" name="small_number_in_the_logarithm"
# You add a small number inside of the logarithm, so that an answer that is sure and wrong costs about 18 nats at most. It
# costs as much as its logit says.
def disc_loss(prior_logits, code_logits):
    d_prior, d_codes = torch.sigmoid(prior_logits), torch.sigmoid(code_logits)
    return -(d_prior + 1e-8).log().mean() - (1 - d_codes + 1e-8).log().mean()


# %% cell="disc_loss" name="clamped_at_100"
# F.binary_cross_entropy takes probabilities, and cuts each logarithm at -100. Its sister for logits has no such limit.
def disc_loss(prior_logits, code_logits):
    d_prior, d_codes = torch.sigmoid(prior_logits), torch.sigmoid(code_logits)
    right = F.binary_cross_entropy(d_prior, torch.ones_like(d_prior))
    return right + F.binary_cross_entropy(d_codes, torch.zeros_like(d_codes))


# %% cell="disc_loss" name="codes_alone"
# You count only the codes. A discriminator that calls everything a code would pay nothing: the draws count as well.
def disc_loss(prior_logits, code_logits):
    return F.softplus(code_logits).mean()


# %% cell="disc_loss" name="negative"
# You return what the discriminator would maximize. It minimizes the negative of that, and the loss is never below zero.
def disc_loss(prior_logits, code_logits):
    return -(F.softplus(-prior_logits).mean() + F.softplus(code_logits).mean())


# %% cell="disc_loss" name="sigmoid_twice"
# You apply the sigmoid before a function that expects logits, so it is applied twice. Pass the logits as they are.
def disc_loss(prior_logits, code_logits):
    d_prior, d_codes = torch.sigmoid(prior_logits), torch.sigmoid(code_logits)
    return F.softplus(-d_prior).mean() + F.softplus(d_codes).mean()


# %% cell="encoder_loss" name="never_saturating"
# You return the same loss whatever saturating says. With saturating=True it is the mean of log(1 - D).
def encoder_loss(code_logits, saturating=False):
    return F.softplus(-code_logits).mean()


# %% cell="encoder_loss" name="always_saturating"
# You return log(1 - D) whatever saturating says. Without it the loss is the mean of -log D.
def encoder_loss(code_logits, saturating=False):
    return -F.softplus(code_logits).mean()


# %% cell="encoder_loss" name="turned_around"
# You have the two losses the wrong way around. The saturating one is log(1 - D), which has no slope where D is 0.
def encoder_loss(code_logits, saturating=False):
    return F.softplus(-code_logits).mean() if saturating else -F.softplus(code_logits).mean()


# %% cell="encoder_loss" name="helps_the_discriminator"
# Your saturating loss is the discriminator's own, -log(1 - D): the encoder would learn to be found out. Turn its sign around.
def encoder_loss(code_logits, saturating=False):
    return F.softplus(code_logits).mean() if saturating else F.softplus(-code_logits).mean()


# %% cell="encoder_loss" name="log_of_d"
# Your first loss is log D, which the encoder wants to be large. What is minimized is its negative.
def encoder_loss(code_logits, saturating=False):
    if saturating:
        return -F.softplus(code_logits).mean()
    return F.logsigmoid(code_logits).mean()


# %% cell="encoder_loss" name="sum_for_mean"
# You sum over the codes. Both losses are means.
def encoder_loss(code_logits, saturating=False):
    return -F.softplus(code_logits).sum() if saturating else F.softplus(-code_logits).sum()


# %% cell="encoder_loss" name="rounded_probabilities"
# You go through probabilities. For a sure discriminator they round to 0 or 1, and the logarithm and its slope are no numbers
# any more. Compute both losses from the logits.
def encoder_loss(code_logits, saturating=False):
    d = torch.sigmoid(code_logits)
    return (1 - d).log().mean() if saturating else -d.log().mean()


# %% cell="encoder_loss" name="small_number_in_the_logarithm"
# You add a small number inside of the logarithm. The loss is finite then, but its slope is gone just where the discriminator
# is sure, and that slope is what the non-saturating loss is for.
def encoder_loss(code_logits, saturating=False):
    d = torch.sigmoid(code_logits)
    return (1 - d + 1e-8).log().mean() if saturating else -(d + 1e-8).log().mean()


# %% cell="encoder_loss" name="logits_cut"
# You cut the logits to a range where nothing overflows. Beyond it the gradient is zero, and codes that are found out feel
# nothing.
def encoder_loss(code_logits, saturating=False):
    a = code_logits.clamp(-30, 30)
    return -F.softplus(a).mean() if saturating else F.softplus(-a).mean()


# %% cell="encoder_loss" name="logit_itself"
# You minimize the negative of the mean logit. That pulls all codes with the same strength; the two losses here weight the
# pull with 1 - D or with D.
def encoder_loss(code_logits, saturating=False):
    return F.softplus(code_logits).mul(-1).mean() if saturating else -code_logits.mean()


# %% cell="adversarial_step" name="not_detached"
# In the first phase your codes are not cut off from the encoder, so it gets gradients of the discriminator's loss. It does no
# harm only as long as somebody clears them in time. Use z.detach() there.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(encoder(x))).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    z = encoder(x)
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="detached_in_both"
# You cut the codes off in the second phase too, so the pull never gets to the encoder. There the gradient must go through the
# discriminator.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z.detach())).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="saturating"
# Your encoder minimizes log(1 - D). The task asks for -log D, which keeps pulling where the discriminator is sure.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = -F.softplus(critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="helps_the_discriminator"
# In the second phase your encoder minimizes -log(1 - D), so it learns to be found out, and the codes run away from the prior.
# It wants to be taken for a draw: -log D.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="labels_swapped"
# Your discriminator learns to say 1 for codes and 0 for draws, and your encoder wants a 1. So both want the same, and nobody
# works against anybody. D is the probability of being a draw.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(critic(z_prior)).mean() + F.softplus(-critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="old_gradients_of_the_discriminator"
# You do not clear the discriminator's gradients before its step. The second phase of the round before left some there, of a
# loss that is not its own.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="old_gradients_of_the_autoencoder"
# You do not clear the gradients of the encoder and the decoder before their step, so those of earlier rounds are added.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z)).mean()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="phases_swapped"
# You train the autoencoder first. The discriminator comes first, and the autoencoder asks the new one.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="no_weight"
# You do not multiply the pull with its weight.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="mean_over_values"
# You take the mean over the values of an example, as mse_loss does. That makes the pull d times as heavy as was asked for.
# Sum over the values.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = F.mse_loss(decoder(z), x)
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="discriminator_trained_twice"
# You step with disc_optimizer in the second phase as well, on the gradients of the encoder's loss. There the discriminator
# works for its opponent. It moves in its own phase alone.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    disc_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    disc_optimizer.step()
    return disc.item(), recon.item(), adv.item()


# %% cell="adversarial_step" name="weight_in_the_report"
# You return the pull times its weight. The task asks for the mean of -log D alone; your training is right.
def adversarial_step(
    encoder, decoder, critic, ae_optimizer, disc_optimizer, x, z_prior, weight
):
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()
    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = weight * F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()
