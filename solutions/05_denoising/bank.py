# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="gaussian_noise" name="variance_for_sigma"
# You multiply the noise by sigma squared. That is its variance; to get the standard deviation sigma, multiply by sigma.
def gaussian_noise(x, sigma, generator):
    return x + sigma**2 * torch.randn(x.shape, generator=generator)


# %% cell="gaussian_noise" name="uniform"
# Your noise is uniform between 0 and sigma: torch.rand is uniform, and its mean is not zero. Gaussian noise comes from
# torch.randn.
def gaussian_noise(x, sigma, generator):
    return x + sigma * torch.rand(x.shape, generator=generator)


# %% cell="gaussian_noise" name="one_row_of_noise"
# You draw one row of noise and add it to every example. Each value of each example needs noise of its own.
def gaussian_noise(x, sigma, generator):
    return x + sigma * torch.randn(x.shape[1:], generator=generator)


# %% cell="gaussian_noise" name="global_randomness"
# Your noise does not come from the generator that you are given, so the same seed does not give it again. Pass
# generator=generator.
def gaussian_noise(x, sigma, generator):
    return x + sigma * torch.randn(x.shape)


# %% cell="gaussian_noise" name="always_the_same"
# You seed the random numbers within the function, so every call gives the same noise. Use the generator that you are given.
def gaussian_noise(x, sigma, generator):
    return x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))


# %% cell="gaussian_noise" name="in_place"
# You change the x that you were given. Then the clean example is gone, and nothing is left to compare with: make a new tensor.
def gaussian_noise(x, sigma, generator):
    x += sigma * torch.randn(x.shape, generator=generator)
    return x


# %% cell="gaussian_noise" name="noise_alone"
# You return the noise without the example. Add it to x.
def gaussian_noise(x, sigma, generator):
    return sigma * torch.randn(x.shape, generator=generator)


# %% cell="gaussian_noise" name="times_x"
# Your noise grows with the value it is added to. Here it is added with the same sigma everywhere, whatever x is.
def gaussian_noise(x, sigma, generator):
    return x * (1 + sigma * torch.randn(x.shape, generator=generator))


# %% cell="masking_noise" name="keeps_p"
# You keep a share p of the values and mask the rest. It is the other way round: p is the probability to be set to zero.
def masking_noise(x, p, generator):
    return x * torch.bernoulli(torch.full_like(x, p), generator=generator)


# %% cell="masking_noise" name="dropout"
# You divide what stays by 1 - p, as dropout does. Masking noise leaves those values exactly as they were; p = 1 would divide by
# 0.
def masking_noise(x, p, generator):
    return (
        x * torch.bernoulli(torch.full_like(x, 1 - p), generator=generator) / max(1 - p, 1e-9)
    )


# %% cell="masking_noise" name="whole_examples"
# You draw one mask for each example, so whole examples vanish. Each value has a mask of its own.
def masking_noise(x, p, generator):
    keep = torch.rand((len(x),) + (1,) * (x.dim() - 1), generator=generator) >= p
    return x * keep


# %% cell="masking_noise" name="same_mask_for_all"
# You draw one mask and use it for all examples. Draw a mask of the shape of x.
def masking_noise(x, p, generator):
    return x * (torch.rand(x.shape[1:], generator=generator) >= p)


# %% cell="masking_noise" name="fixed_number"
# You mask the same number of values in each example. With independent masks that number varies, as the heads among coins do.
def masking_noise(x, p, generator):
    flat = x.flatten(1)
    order = torch.rand(flat.shape, generator=generator).argsort(dim=1)
    return (flat * (order >= round(p * flat.shape[1]))).reshape(x.shape)


# %% cell="masking_noise" name="normal_below_p"
# You compare normal numbers with p. A normal number lies below p with another probability; torch.rand is uniform on [0, 1).
def masking_noise(x, p, generator):
    return x * (torch.randn(x.shape, generator=generator) >= p)


# %% cell="masking_noise" name="in_place"
# You set values of the given x to zero. Then the clean example is gone, and nothing is left to compare with: work on a copy.
def masking_noise(x, p, generator):
    x[torch.rand(x.shape, generator=generator) < p] = 0
    return x


# %% cell="masking_noise" name="global_randomness"
# Your masks do not come from the generator that you are given, so the same seed does not give them again. Pass
# generator=generator.
def masking_noise(x, p, generator):
    return x * (torch.rand(x.shape) >= p)


# %% cell="salt_and_pepper" name="p_for_each"
# You replace a share p by salt and another share p by pepper. Together they are p: each of the two gets p/2.
def salt_and_pepper(x, p, low, high, generator):
    u = torch.rand(x.shape, generator=generator)
    return torch.where(u < p, low, torch.where(u >= 1 - p, high, x))


# %% cell="salt_and_pepper" name="one_draw_for_both"
# You use one random number to decide whether a value is replaced and what it becomes. A number below p is mostly below 1/2 as
# well, so you get too much salt: draw a second one.
def salt_and_pepper(x, p, low, high, generator):
    u = torch.rand(x.shape, generator=generator)
    return torch.where(u < p, torch.where(u < 0.5, high, low), x)


# %% cell="salt_and_pepper" name="zero_and_one"
# You replace by 0 and 1. The least and the largest value are arguments, low and high, and may be others.
def salt_and_pepper(x, p, low, high, generator):
    replaced = torch.rand(x.shape, generator=generator) < p
    salt = torch.rand(x.shape, generator=generator) < 0.5
    return torch.where(replaced, torch.where(salt, 1.0, 0.0), x)


# %% cell="salt_and_pepper" name="any_gray"
# You replace by any value between low and high. Salt and pepper are the two ends only.
def salt_and_pepper(x, p, low, high, generator):
    replaced = torch.rand(x.shape, generator=generator) < p
    gray = low + (high - low) * torch.rand(x.shape, generator=generator)
    return torch.where(replaced, gray, x)


# %% cell="salt_and_pepper" name="one_kind_for_an_example"
# All replaced values of an example become the same, salt or pepper. Draw which of the two for each value.
def salt_and_pepper(x, p, low, high, generator):
    replaced = torch.rand(x.shape, generator=generator) < p
    salt = torch.rand((len(x),) + (1,) * (x.dim() - 1), generator=generator) < 0.5
    return torch.where(replaced, torch.where(salt, high, low), x)


# %% cell="salt_and_pepper" name="same_places"
# You replace the same places in all examples. Draw for each value of each example.
def salt_and_pepper(x, p, low, high, generator):
    replaced = torch.rand(x.shape[1:], generator=generator) < p
    salt = torch.rand(x.shape, generator=generator) < 0.5
    return torch.where(replaced, torch.where(salt, high, low), x)


# %% cell="salt_and_pepper" name="pepper_overwrites"
# You put salt with probability p/2 and then pepper with p/2 of a draw of its own, which overwrites some salt: less than p is
# replaced.
def salt_and_pepper(x, p, low, high, generator):
    x_tilde = torch.where(torch.rand(x.shape, generator=generator) < p / 2, high, x)
    return torch.where(torch.rand(x.shape, generator=generator) < p / 2, low, x_tilde)


# %% cell="salt_and_pepper" name="in_place"
# You write into the x that you were given. Then the clean example is gone: work on a copy.
def salt_and_pepper(x, p, low, high, generator):
    replaced = torch.rand(x.shape, generator=generator) < p
    salt = torch.rand(x.shape, generator=generator) < 0.5
    x[replaced & salt] = high
    x[replaced & ~salt] = low
    return x


# %% cell="denoising_loss" name="target_corrupted"
# You compare the answer with the corrupted example. Then copying is the best answer, and nothing is learned: compare with the
# clean x.
def denoising_loss(r, x, corrupt, generator):
    x = corrupt(x, generator)
    squared = (x - r(x)).square().sum(dim=1)
    return (squared / 2 + x.shape[1] / 2 * math.log(2 * math.pi)).mean()


# %% cell="denoising_loss" name="never_corrupted"
# Your denoiser sees the clean example. That is a plain autoencoder: give r the corrupted one.
def denoising_loss(r, x, corrupt, generator):
    squared = (x - r(x)).square().sum(dim=1)
    return (squared / 2 + x.shape[1] / 2 * math.log(2 * math.pi)).mean()


# %% cell="denoising_loss" name="roles_swapped"
# You give r the clean example and compare with the corrupted one: that is a network which learns to add noise. Swap the two.
def denoising_loss(r, x, corrupt, generator):
    squared = (corrupt(x, generator) - r(x)).square().sum(dim=1)
    return (squared / 2 + x.shape[1] / 2 * math.log(2 * math.pi)).mean()


# %% cell="denoising_loss" name="corrupted_twice"
# You corrupt twice: the target is a second noisy version of x. The target is the clean x itself.
def denoising_loss(r, x, corrupt, generator):
    squared = (r(corrupt(x, generator)) - corrupt(x, generator)).square().sum(dim=1)
    return (squared / 2 + x.shape[1] / 2 * math.log(2 * math.pi)).mean()


# %% cell="denoising_loss" name="mean_over_values"
# You take the mean over the values of an example, as mse_loss does. The loss sums over them, and takes the mean over the batch
# alone.
def denoising_loss(r, x, corrupt, generator):
    squared = nn.functional.mse_loss(r(corrupt(x, generator)), x)
    return squared / 2 + math.log(2 * math.pi) / 2


# %% cell="denoising_loss" name="sum_over_batch"
# You sum over the batch. The loss is the mean over the examples: divide by their number.
def denoising_loss(r, x, corrupt, generator):
    squared = (x - r(corrupt(x, generator))).square().sum(dim=1)
    return (squared / 2 + x.shape[1] / 2 * math.log(2 * math.pi)).sum()


# %% cell="denoising_loss" name="without_half"
# The factor 1/2 before the squared distance is missing. It comes from the exponent of the Gaussian.
def denoising_loss(r, x, corrupt, generator):
    squared = (x - r(corrupt(x, generator))).square().sum(dim=1)
    return (squared + x.shape[1] / 2 * math.log(2 * math.pi)).mean()


# %% cell="denoising_loss" name="without_constant"
# The constant d/2 log(2 pi) is missing. Without it the number is no negative log-likelihood and cannot be compared with others.
def denoising_loss(r, x, corrupt, generator):
    return (x - r(corrupt(x, generator))).square().sum(dim=1).mean() / 2


# %% cell="denoising_loss" name="constant_of_one_value"
# Your constant is that of one value. Each of the d values of an example adds log(2 pi)/2.
def denoising_loss(r, x, corrupt, generator):
    squared = (x - r(corrupt(x, generator))).square().sum(dim=1)
    return (squared / 2 + math.log(2 * math.pi) / 2).mean()


# %% cell="denoising_loss" name="no_gradient"
# Your loss has the right value, but it is cut off from the weights of r, so nothing can be trained with it. Leave out no_grad and
# detach.
def denoising_loss(r, x, corrupt, generator):
    with torch.no_grad():
        squared = (x - r(corrupt(x, generator))).square().sum(dim=1)
        return (squared / 2 + x.shape[1] / 2 * math.log(2 * math.pi)).mean()


# %% cell="linear_for_gaussian" name="sigma_not_squared"
# You add sigma to the diagonal. What adds up are variances: add sigma squared.
def linear_for_gaussian(S, sigma):
    return S @ torch.linalg.inv(S + sigma * torch.eye(len(S)))


# %% cell="linear_for_gaussian" name="number_added_everywhere"
# You add sigma squared to every entry of S. Noise of different values is independent, so it adds to the diagonal alone.
def linear_for_gaussian(S, sigma):
    return S @ torch.linalg.pinv(S + sigma**2)


# %% cell="linear_for_gaussian" name="divided_entry_by_entry"
# You divide entry by entry. Dividing by a matrix means to multiply by its inverse: torch.linalg.inv, and @.
def linear_for_gaussian(S, sigma):
    return S / (S + sigma**2 * torch.eye(len(S)))


# %% cell="linear_for_gaussian" name="what_is_removed"
# Your matrix gives what is removed, the share of the noise. The denoiser keeps the share of the data: I minus yours.
def linear_for_gaussian(S, sigma):
    eye = torch.eye(len(S))
    return sigma**2 * eye @ torch.linalg.inv(S + sigma**2 * eye)


# %% cell="linear_for_gaussian" name="not_inverted"
# You multiply by S + sigma squared I. Multiply by its inverse: the denoiser shrinks, it does not amplify.
def linear_for_gaussian(S, sigma):
    return S @ (S + sigma**2 * torch.eye(len(S)))


# %% cell="linear_for_gaussian" name="diagonal_alone"
# You treat each value by itself. If values vary together, they help to repair each other: use the whole matrix S.
def linear_for_gaussian(S, sigma):
    return torch.diag(S.diagonal() / (S.diagonal() + sigma**2))


# %% cell="linear_for_gaussian" name="inverse_alone"
# You return the inverse of S + sigma squared I without multiplying it by S.
def linear_for_gaussian(S, sigma):
    return torch.linalg.inv(S + sigma**2 * torch.eye(len(S)))


# %% cell="linear_for_masking" name="p_for_q"
# You have swapped p and q. Here q is the probability that a value is kept, 1 - p, and stands before S.
def linear_for_masking(S, p):
    return S @ torch.linalg.inv(p * S + (1 - p) * torch.diag(S.diagonal()))


# %% cell="linear_for_masking" name="one_over_q"
# You divide by 1 - p. That makes the answer right on average, but its squared error is not the smallest, and nothing is filled
# in.
def linear_for_masking(S, p):
    return torch.eye(len(S)) / (1 - p)


# %% cell="linear_for_masking" name="factors_swapped"
# You multiply from the other side: solve(A, S) and inv(A) @ S are the transpose of what is asked for. S comes first.
def linear_for_masking(S, p):
    q = 1 - p
    return torch.linalg.solve(q * S + (1 - q) * torch.diag(S.diagonal()), S)


# %% cell="linear_for_masking" name="right_side_not_masked"
# You take E[x x_tilde^T] to be S. One mask stands there too: it is q S, and the q cancels one of those in the inverse.
def linear_for_masking(S, p):
    q = 1 - p
    return S @ torch.linalg.inv(q**2 * S + q * (1 - q) * torch.diag(S.diagonal()))


# %% cell="linear_for_masking" name="identity_for_diagonal"
# You add a multiple of the identity. The diagonal is that of S: a value that varies much loses much when it is masked.
def linear_for_masking(S, p):
    q = 1 - p
    return S @ torch.linalg.inv(q * S + (1 - q) * torch.eye(len(S)))


# %% cell="linear_for_masking" name="as_for_gaussian"
# You use the formula for Gaussian noise. Masking is not noise that is added: its size depends on the value that it hits.
def linear_for_masking(S, p):
    return S @ torch.linalg.inv(S + p * torch.eye(len(S)))


# %% cell="linear_for_masking" name="diagonal_added_whole"
# You add the whole diagonal of S. It has the factor 1 - q, so that q S and it together have the diagonal of S.
def linear_for_masking(S, p):
    q = 1 - p
    return S @ torch.linalg.inv(q * S + torch.diag(S.diagonal()))


# %% cell="score" name="sigma_not_squared"
# You divide by sigma. In the formula of Tweedie it is squared.
def score(r, x_tilde, sigma):
    return (r(x_tilde) - x_tilde) / sigma


# %% cell="score" name="turned_around"
# Your arrows point away from the data: the sign is wrong. They go from the noisy point to the answer, r(x_tilde) - x_tilde.
def score(r, x_tilde, sigma):
    return (x_tilde - r(x_tilde)) / sigma**2


# %% cell="score" name="not_divided"
# You return the arrow to the answer. The score is this arrow divided by sigma squared.
def score(r, x_tilde, sigma):
    return r(x_tilde) - x_tilde


# %% cell="score" name="multiplied"
# You multiply by sigma squared. Solve the formula of Tweedie for the score: you have to divide by it.
def score(r, x_tilde, sigma):
    return sigma**2 * (r(x_tilde) - x_tilde)


# %% cell="score" name="answer_for_arrow"
# You divide the answer itself. The score needs the difference between the answer and the noisy point.
def score(r, x_tilde, sigma):
    return r(x_tilde) / sigma**2


# %% cell="score" name="unit_arrows"
# Your arrows all have length 1. How long they are matters as well: the score is long far from the data.
def score(r, x_tilde, sigma):
    arrows = r(x_tilde) - x_tilde
    return arrows / arrows.norm(dim=1, keepdim=True).clamp_min(1e-12)


# %% cell="score" name="at_the_clean_point"
# You take the arrow at the repaired point. The score belongs to the noisy point: ask r there, once.
def score(r, x_tilde, sigma):
    x_hat = r(x_tilde)
    return (r(x_hat) - x_hat) / sigma**2


# %% cell="walk" name="start_missing"
# Your path begins after the first step. The start belongs to it: T steps make T + 1 places.
def walk(r, x, num_steps, eta):
    path = []
    with torch.no_grad():
        for _ in range(num_steps):
            x = x + eta * (r(x) - x)
            path.append(x)
    return torch.stack(path) if path else x[None][:0]


# %% cell="walk" name="end_alone"
# You return the last place alone. Return the whole path, the start included.
def walk(r, x, num_steps, eta):
    with torch.no_grad():
        for _ in range(num_steps):
            x = x + eta * (r(x) - x)
    return x


# %% cell="walk" name="in_place"
# With += you change the tensor that is in your list already, and the x you were given: all places become the last. Make a new
# one.
def walk(r, x, num_steps, eta):
    path = [x]
    with torch.no_grad():
        for _ in range(num_steps):
            x += eta * (r(x) - x)
            path.append(x)
    return torch.stack(path)


# %% cell="walk" name="history_kept"
# Your places are right, but they carry the gradient history of every step. Walk within torch.no_grad(), or detach each place.
def walk(r, x, num_steps, eta):
    path = [x]
    for _ in range(num_steps):
        path.append(path[-1] + eta * (r(path[-1]) - path[-1]))
    return torch.stack(path)


# %% cell="walk" name="whole_arrow"
# You go the whole arrow in each step. Go the part eta of it.
def walk(r, x, num_steps, eta):
    path = [x]
    with torch.no_grad():
        for _ in range(num_steps):
            path.append(r(path[-1]))
    return torch.stack(path)


# %% cell="walk" name="answer_added"
# You add a part of the answer r(x). Add a part of the arrow, r(x) - x.
def walk(r, x, num_steps, eta):
    path = [x]
    with torch.no_grad():
        for _ in range(num_steps):
            path.append(path[-1] + eta * r(path[-1]))
    return torch.stack(path)


# %% cell="walk" name="away"
# You walk away from the data: the arrow goes from x to r(x), so it is r(x) - x.
def walk(r, x, num_steps, eta):
    path = [x]
    with torch.no_grad():
        for _ in range(num_steps):
            path.append(path[-1] + eta * (path[-1] - r(path[-1])))
    return torch.stack(path)


# %% cell="walk" name="arrow_of_the_start"
# You follow the arrow of the start all the time. Ask r again at each new place.
def walk(r, x, num_steps, eta):
    path = [x]
    with torch.no_grad():
        arrow = r(x) - x
        for _ in range(num_steps):
            path.append(path[-1] + eta * arrow)
    return torch.stack(path)


# %% cell="train" name="target_corrupted"
# You overwrite x by the corrupted examples, so they are the target as well, and the noise grows from step to step. Keep x clean.
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    for _ in range(num_steps):
        x = corrupt(x, generator)
        loss = (x - r(x)).square().sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="compared_with_the_noisy"
# You compare the answer with the corrupted examples. Then the network learns to copy: compare with the clean x.
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    for _ in range(num_steps):
        x_tilde = corrupt(x, generator)
        loss = (x_tilde - r(x_tilde)).square().sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="noise_drawn_once"
# You corrupt once, before the loop. The network can then learn these noises by heart: corrupt anew in each step.
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    x_tilde = corrupt(x, generator)
    for _ in range(num_steps):
        loss = (x - r(x_tilde)).square().sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="noise_accumulates"
# You corrupt what was corrupted in the step before. Each step starts from the clean examples.
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    x_tilde = x
    for _ in range(num_steps):
        x_tilde = corrupt(x_tilde, generator)
        loss = (x - r(x_tilde)).square().sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="gradients_add_up"
# You never set the gradients to zero, so each step goes along the sum of all gradients so far. Call optimizer.zero_grad() each
# time.
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    for _ in range(num_steps):
        loss = (x - r(corrupt(x, generator))).square().sum(dim=1).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="mean_over_values"
# Your loss is the mean over the values of an example. J sums over them, so your steps are too short by the factor d.
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    for _ in range(num_steps):
        loss = (x - r(corrupt(x, generator))).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="sum_over_examples"
# Your loss is the sum over the examples, so the steps grow with their number. J is the mean over the examples.
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    for _ in range(num_steps):
        loss = (x - r(corrupt(x, generator))).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="gradients_removed"
# You set the gradients to zero after backward() and before step(), so no weight ever changes. Do it before backward().
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    for _ in range(num_steps):
        loss = (x - r(corrupt(x, generator))).square().sum(dim=1).mean()
        loss.backward()
        optimizer.zero_grad(set_to_none=False)
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="own_optimizer"
# You make an optimizer of your own. Use the one that is given, with its learning rate and its state.
def train(r, optimizer, x, corrupt, num_steps, generator):
    optimizer = torch.optim.Adam(r.parameters(), lr=1e-3)
    losses = []
    for _ in range(num_steps):
        loss = (x - r(corrupt(x, generator))).square().sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


# %% cell="train" name="loss_after_the_step"
# You return J after the weights have changed, with new noise. Keep the J that you went down, from before the step.
def train(r, optimizer, x, corrupt, num_steps, generator):
    losses = []
    for _ in range(num_steps):
        loss = (x - r(corrupt(x, generator))).square().sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append((x - r(corrupt(x, generator))).square().sum(dim=1).mean().item())
    return torch.tensor(losses)


# %% cell="posterior_mean" name="weights_forgotten"
# The probabilities of the components do not enter. Add the logarithm of the weights before you take the softmax.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / (2 * v) - x_tilde.shape[1] / 2 * v.log()
    gamma = torch.softmax(log_normal, dim=1)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="softmax_over_examples"
# Your gamma add up to 1 over the examples. For each example they add up to 1 over the components: another dim of the softmax.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / (2 * v) - x_tilde.shape[1] / 2 * v.log()
    gamma = torch.softmax(weights.log() + log_normal, dim=0)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="underflow"
# Your formula is right near the data. Far away all densities are 0 in a computer, and 0/0 is no number: use logarithms and
# softmax.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    joint = weights * torch.exp(-from_means.square().sum(dim=2) / (2 * v))
    joint = joint / v ** (x_tilde.shape[1] / 2)
    gamma = joint / joint.sum(dim=1, keepdim=True)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="underflow_hidden"
# You add a tiny number so that nothing is divided by 0. Far away your answer becomes 0 and not the nearest component: use
# softmax.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    joint = weights * torch.exp(-from_means.square().sum(dim=2) / (2 * v))
    joint = joint / v ** (x_tilde.shape[1] / 2)
    gamma = joint / (joint.sum(dim=1, keepdim=True) + 1e-30)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="noise_alone_in_gamma"
# You find the component with sigma alone. Noisy data of component k vary by tau_k as well: their variance is v_k.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / (2 * sigma**2)
    gamma = torch.softmax(weights.log() + log_normal, dim=1)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="normalizer_forgotten"
# The factor in front of the exponential is missing. It may be left out if all v_k are the same, but here they differ.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / (2 * v)
    gamma = torch.softmax(weights.log() + log_normal, dim=1)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="normalizer_of_one_value"
# The factor in front of the exponential is that of one dimension. In d dimensions it is there d times.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / (2 * v) - v.log() / 2
    gamma = torch.softmax(weights.log() + log_normal, dim=1)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="without_half"
# The 2 below the squared distance is missing in your exponent.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / v - x_tilde.shape[1] / 2 * v.log()
    gamma = torch.softmax(weights.log() + log_normal, dim=1)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="distance_not_squared"
# You put the distance in the exponent. A Gaussian has its square there.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.norm(dim=2) / (2 * v) - x_tilde.shape[1] / 2 * v.log()
    gamma = torch.softmax(weights.log() + log_normal, dim=1)
    return (gamma[:, :, None] * (means + (taus**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="means_alone"
# You average the means of the components. If tau is not 0, x may lie beside the mean: go the part tau^2/v toward the noisy point.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    squared = (x_tilde[:, None] - means).square().sum(dim=2)
    log_normal = -squared / (2 * v) - x_tilde.shape[1] / 2 * v.log()
    return torch.softmax(weights.log() + log_normal, dim=1) @ means


# %% cell="posterior_mean" name="shrunk_the_wrong_way"
# You go the part sigma^2/v from the mean toward the noisy point. It is tau^2/v: the less noise there is, the nearer you stay to
# it.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / (2 * v) - x_tilde.shape[1] / 2 * v.log()
    gamma = torch.softmax(weights.log() + log_normal, dim=1)
    return (gamma[:, :, None] * (means + (sigma**2 / v)[:, None] * from_means)).sum(dim=1)


# %% cell="posterior_mean" name="nearest_alone"
# You take the likeliest component alone. The best answer averages over all of them, weighted by how likely each is.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / (2 * v) - x_tilde.shape[1] / 2 * v.log()
    best = (weights.log() + log_normal).argmax(dim=1)
    of_each = means + (taus**2 / v)[:, None] * from_means
    return of_each[torch.arange(len(x_tilde)), best]


# %% cell="posterior_mean" name="variances_for_taus"
# You read taus as variances. They are standard deviations, as sigma is: square both.
def posterior_mean(x_tilde, weights, means, taus, sigma):
    v = taus + sigma**2
    from_means = x_tilde[:, None] - means
    log_normal = -from_means.square().sum(dim=2) / (2 * v) - x_tilde.shape[1] / 2 * v.log()
    gamma = torch.softmax(weights.log() + log_normal, dim=1)
    return (gamma[:, :, None] * (means + (taus / v)[:, None] * from_means)).sum(dim=1)
