# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="gaussian_nll" name="missing_half"
# You left out the 1/2 in front of the squares. It belongs to the normal density: the squares are divided by 2 sigma^2.
def gaussian_nll(x, x_hat, sigma):
    d = x.shape[1]
    squares = (x - x_hat).square().sum(dim=1)
    return squares / sigma**2 + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="gaussian_nll" name="no_constant"
# You left out the constant (d/2) log(2 pi). It changes no minimum, but without it the number is no log-probability.
def gaussian_nll(x, x_hat, sigma):
    squares = (x - x_hat).square().sum(dim=1)
    return squares / (2 * sigma**2) + x.shape[1] * math.log(sigma)


# %% cell="gaussian_nll" name="mean_over_features"
# You take the mean over the features. The logarithm of a product is a sum: sum over the features, and count every
# constant d times.
def gaussian_nll(x, x_hat, sigma):
    squares = (x - x_hat).square().mean(dim=1)
    return squares / (2 * sigma**2) + math.log(sigma) + 0.5 * math.log(2 * math.pi)


# %% cell="gaussian_nll" name="constants_once"
# You add log(sigma) and the constant once for each example. Each of the d values has its own density, so they count d
# times.
def gaussian_nll(x, x_hat, sigma):
    squares = (x - x_hat).square().sum(dim=1)
    return squares / (2 * sigma**2) + math.log(sigma) + 0.5 * math.log(2 * math.pi)


# %% cell="gaussian_nll" name="sigma_as_variance"
# You take sigma for the variance. It is the standard deviation: square it below the squares, and do not halve its
# logarithm.
def gaussian_nll(x, x_hat, sigma):
    d = x.shape[1]
    squares = (x - x_hat).square().sum(dim=1)
    return squares / (2 * sigma) + d / 2 * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="gaussian_nll" name="log_likelihood"
# Your sign is turned around: you return log p, which is to be made large. A loss is -log p.
def gaussian_nll(x, x_hat, sigma):
    d = x.shape[1]
    squares = (x - x_hat).square().sum(dim=1)
    return -squares / (2 * sigma**2) - d * math.log(sigma) - d / 2 * math.log(2 * math.pi)


# %% cell="gaussian_nll" name="mean_over_examples"
# You also take the mean over the examples. Here every example has its own value: leave the first axis as it is.
def gaussian_nll(x, x_hat, sigma):
    d = x.shape[1]
    squares = (x - x_hat).square().sum(dim=1).mean()
    return squares / (2 * sigma**2) + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="gaussian_nll" name="sum_over_examples"
# You sum over the examples, dim=0, and get one value for each feature. Sum over the features, dim=1.
def gaussian_nll(x, x_hat, sigma):
    d = x.shape[1]
    squares = (x - x_hat).square().sum(dim=0)
    return squares / (2 * sigma**2) + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="best_sigma" name="variance"
# You return the variance, which is the mean squared error. The standard deviation is its square root.
def best_sigma(x, x_hat):
    return (x - x_hat).square().mean()


# %% cell="best_sigma" name="not_divided_by_d"
# You take the root of J, the error of a whole example. sigma belongs to one value: divide J by the number of features d
# first.
def best_sigma(x, x_hat):
    return (x - x_hat).square().sum(dim=1).mean().sqrt()


# %% cell="best_sigma" name="spread_about_mean"
# You subtract the mean error first, as a standard deviation of the errors does. An error that is always the same is an
# error too: take the mean of the squares as they are.
def best_sigma(x, x_hat):
    return (x - x_hat).std(correction=0)


# %% cell="best_sigma" name="absolute"
# You take the mean absolute error. That would be best for a Laplace density; a Gaussian needs the root of the mean of
# the squares.
def best_sigma(x, x_hat):
    return (x - x_hat).abs().mean()


# %% cell="best_sigma" name="mean_of_roots"
# You take a root for each example and then the mean. Take the mean over everything first, and one root at the end.
def best_sigma(x, x_hat):
    return (x - x_hat).square().mean(dim=1).sqrt().mean()


# %% cell="best_sigma" name="half"
# You divide the mean squared error by 2. The half of the loss cancels when the derivative is set to zero: sigma^2 =
# J/d.
def best_sigma(x, x_hat):
    return ((x - x_hat).square().mean() / 2).sqrt()


# %% cell="best_sigma" name="of_the_data"
# You compute the spread of the data. What counts is how far the reconstructions are off: use x - x_hat.
def best_sigma(x, x_hat):
    return x.std(correction=0)


# %% cell="mse_to_nats" name="missing_half"
# You left out the 1/2 in front of the squares. The squared error of an example is d times the number that was printed,
# and the surprise has half of it.
def mse_to_nats(mse, event_shape, sigma):
    d = math.prod(event_shape)
    return d * mse / sigma**2 + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="mse_to_nats" name="no_constant"
# You left out (d/2) log(2 pi). Nats of a likelihood have their constants.
def mse_to_nats(mse, event_shape, sigma):
    d = math.prod(event_shape)
    return d * mse / (2 * sigma**2) + d * math.log(sigma)


# %% cell="mse_to_nats" name="error_not_times_d"
# You forgot that the printed number is a mean over the d values of an example too. Multiply it by d to get the sum
# back.
def mse_to_nats(mse, event_shape, sigma):
    d = math.prod(event_shape)
    return mse / (2 * sigma**2) + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="mse_to_nats" name="nats_of_one_value"
# Your result is for one value. An example has d of them: multiply all three terms by d.
def mse_to_nats(mse, event_shape, sigma):
    return mse / (2 * sigma**2) + math.log(sigma) + math.log(2 * math.pi) / 2


# %% cell="mse_to_nats" name="first_axis"
# You take the first number of event_shape for d. The number of values is the product of all of them.
def mse_to_nats(mse, event_shape, sigma):
    d = event_shape[0]
    return d * mse / (2 * sigma**2) + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="mse_to_nats" name="sum_of_shape"
# You add up the numbers of event_shape. The number of values is their product: 3 rows of 4 are 12 values and not 7.
def mse_to_nats(mse, event_shape, sigma):
    d = sum(event_shape)
    return d * mse / (2 * sigma**2) + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="mse_to_nats" name="sigma_not_squared"
# You divide the squares by 2 sigma. They are divided by 2 sigma^2, so that they have no unit.
def mse_to_nats(mse, event_shape, sigma):
    d = math.prod(event_shape)
    return d * mse / (2 * sigma) + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)


# %% cell="mse_to_nats" name="no_log_sigma"
# You left out d log(sigma). Without it a larger sigma would always look better.
def mse_to_nats(mse, event_shape, sigma):
    d = math.prod(event_shape)
    return d * mse / (2 * sigma**2) + d / 2 * math.log(2 * math.pi)


# %% cell="bernoulli_nll" name="log_of_sigmoid"
# You take the logarithm of the sigmoid. At a logit of -1000 the sigmoid is rounded to 0, and its logarithm is minus
# infinity. Work with the logits: log(1 + e^a) - x a, computed so that e^a cannot overflow.
def bernoulli_nll(x, logits):
    p = torch.sigmoid(logits)
    return -(x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="clamped"
# You keep the probabilities away from 0 and 1, so being certain and wrong costs about 14 and not 1000, and has no
# gradient. Work with the logits and nothing needs to be cut off.
def bernoulli_nll(x, logits):
    p = torch.sigmoid(logits).clamp(1e-6, 1 - 1e-6)
    return -(x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="overflow"
# Your formula is right, but e^1000 is infinity for the computer. For large a, log(1 + e^a) is a plus something tiny:
# use softplus, or take max(a, 0) out of the logarithm.
def bernoulli_nll(x, logits):
    return (torch.log(1 + torch.exp(logits)) - x * logits).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="nan_gradient"
# Your values are right, but the gradient is NaN: torch.where differentiates both of its branches, also the one that
# overflows. Use a formula without an overflow in any branch, such as the one with |a|.
def bernoulli_nll(x, logits):
    above = logits + torch.log(1 + torch.exp(-logits))
    below = torch.log(1 + torch.exp(logits))
    return (torch.where(logits > 0, above, below) - x * logits).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="not_differentiable"
# Your values are right, but they are cut off from the logits: after detach, numpy or item there is no way back for a
# gradient. Stay in torch.
def bernoulli_nll(x, logits):
    a = logits.detach()
    return (F.softplus(a) - x * a).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="mean_over_event"
# You take the mean over the values of an example. Independent values multiply their probabilities, so the surprises add
# up.
def bernoulli_nll(x, logits):
    return (F.softplus(logits) - x * logits).flatten(1).mean(1)


# %% cell="bernoulli_nll" name="sum_over_everything"
# You sum over the examples as well. Every example has its own value: keep the first axis.
def bernoulli_nll(x, logits):
    return (F.softplus(logits) - x * logits).sum()


# %% cell="bernoulli_nll" name="last_axis_only"
# You sum over the last axis alone. An image has more axes: sum over all of them but the first.
def bernoulli_nll(x, logits):
    return (F.softplus(logits) - x * logits).sum(-1)


# %% cell="bernoulli_nll" name="ones_only"
# You only charge the values that are 1. A value that is 0 costs -log(1 - x_hat).
def bernoulli_nll(x, logits):
    return (x * F.softplus(-logits)).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="sigmoid_twice"
# You apply the sigmoid and then treat the result as a logit. Then black cannot be said, and nothing is ever certain.
# The formula takes the logits as they are.
def bernoulli_nll(x, logits):
    a = torch.sigmoid(logits)
    return (F.softplus(a) - x * a).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="log_likelihood"
# Your sign is turned around: you return log p, which is never positive. The surprise is -log p.
def bernoulli_nll(x, logits):
    return (x * logits - F.softplus(logits)).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="turned_around"
# You charge the belief in 1 where the value is 0, and the other way round. Where x is 1, the cost is -log sigmoid(a).
def bernoulli_nll(x, logits):
    return (F.softplus(logits) - (1 - x) * logits).flatten(1).sum(1)


# %% cell="bernoulli_nll" name="gray_is_black"
# You treat every value that is not exactly 1 as 0. For gray levels both terms count, weighted with x and 1 - x.
def bernoulli_nll(x, logits):
    return torch.where(x == 1, F.softplus(-logits), F.softplus(logits)).flatten(1).sum(1)


# %% cell="categorical_nll" name="wrong_axis"
# You normalize over the values of an example. The beliefs in the classes of one value add up to 1: the classes are on
# axis 1.
def categorical_nll(x, logits):
    chosen = logits.log_softmax(dim=2).gather(1, x[:, None]).squeeze(1)
    return -chosen.sum(1)


# %% cell="categorical_nll" name="mean_over_values"
# You take the mean over the values of an example. The surprise of an example is the sum.
def categorical_nll(x, logits):
    return -logits.log_softmax(dim=1).gather(1, x[:, None]).squeeze(1).mean(1)


# %% cell="categorical_nll" name="mean_over_examples"
# You also take the mean over the examples. Here every example has its own value.
def categorical_nll(x, logits):
    return -logits.log_softmax(dim=1).gather(1, x[:, None]).squeeze(1).sum(1).mean()


# %% cell="categorical_nll" name="each_value"
# You return the cost of each value. An example costs the sum over its d values.
def categorical_nll(x, logits):
    return -logits.log_softmax(dim=1).gather(1, x[:, None]).squeeze(1)


# %% cell="categorical_nll" name="overflow"
# Your formula is right, but the exponentials overflow, or are all rounded to zero. torch.logsumexp takes the largest
# logit out first.
def categorical_nll(x, logits):
    chosen = logits.gather(1, x[:, None]).squeeze(1)
    return (logits.exp().sum(1).log() - chosen).sum(1)


# %% cell="categorical_nll" name="log_of_softmax"
# You take the logarithm of the softmax. A belief that is rounded to 0 then costs infinity: stay with the logits, or use
# log_softmax.
def categorical_nll(x, logits):
    return -logits.softmax(dim=1).gather(1, x[:, None]).squeeze(1).log().sum(1)


# %% cell="categorical_nll" name="maximum_not_added"
# You subtract the largest logit before the exponential, which is right, but do not add it again after the logarithm.
def categorical_nll(x, logits):
    chosen = logits.gather(1, x[:, None]).squeeze(1)
    largest = logits.amax(dim=1, keepdim=True)
    return ((logits - largest).exp().sum(1).log() - chosen).sum(1)


# %% cell="categorical_nll" name="not_normalized"
# You return minus the logit of the class. The logarithm of the sum over all classes is missing: without it a decoder
# would get away with huge logits for everything.
def categorical_nll(x, logits):
    return -logits.gather(1, x[:, None]).squeeze(1).sum(1)


# %% cell="categorical_nll" name="likeliest_class"
# You charge for the class that the decoder finds likeliest. It pays for the class that happened, which is in x.
def categorical_nll(x, logits):
    return -logits.log_softmax(dim=1).amax(dim=1).sum(1)


# %% cell="categorical_nll" name="classes_from_one"
# You shift the classes by one. They count from 0, as positions in a tensor do.
def categorical_nll(x, logits):
    shifted = (x - 1) % logits.shape[1]
    return -logits.log_softmax(dim=1).gather(1, shifted[:, None]).squeeze(1).sum(1)


# %% cell="categorical_nll" name="log_likelihood"
# Your sign is turned around: you return log p, which is never positive. The surprise is -log p.
def categorical_nll(x, logits):
    return logits.log_softmax(dim=1).gather(1, x[:, None]).squeeze(1).sum(1)


# %% cell="forward" name="no_activation"
# You left out the tanh, so the network is linear. The code is tanh(a).
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = x @ w_enc.T + b_enc
    return z, z @ w_dec.T + b_dec


# %% cell="forward" name="activation_at_the_end"
# You put a tanh on the output as well. The output is the mean of a Gaussian and can be any number: leave it linear.
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    return z, torch.tanh(z @ w_dec.T + b_dec)


# %% cell="forward" name="sigmoid"
# You use a sigmoid. The activation of this network is the tanh, with values from -1 to 1.
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.sigmoid(x @ w_enc.T + b_enc)
    return z, z @ w_dec.T + b_dec


# %% cell="forward" name="no_biases"
# You left out the biases. Add b_enc before the tanh and b_dec at the end.
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T)
    return z, z @ w_dec.T


# %% cell="forward" name="bias_after_activation"
# You add the encoder's bias after the tanh. It belongs inside: z = tanh(W x + b).
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T) + b_enc
    return z, z @ w_dec.T + b_dec


# %% cell="forward" name="before_activation"
# You return a, the value before the tanh, as the code. The code is z = tanh(a).
def forward(x, w_enc, b_enc, w_dec, b_dec):
    a = x @ w_enc.T + b_enc
    return a, torch.tanh(a) @ w_dec.T + b_dec


# %% cell="forward" name="missing_transposes"
# You forgot the transposes. For examples in rows, W x is x @ W.T; without it the shapes fit only where d = k, and there
# the numbers are wrong.
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc + b_enc)
    return z, z @ w_dec + b_dec


# %% cell="forward" name="tied"
# You decode with the encoder's weights. The decoder has weights of its own.
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    return z, z @ w_enc + b_dec


# %% cell="forward" name="swapped"
# You return x_hat first. The task asks for (z, x_hat), in this order.
def forward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    return z @ w_dec.T + b_dec, z


# %% cell="backward" name="sum_for_mean"
# Your gradients are those of the sum over the batch. The loss is the mean: divide by the number of examples, once.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = z @ w_dec.T + b_dec - x
    delta = (e @ w_dec) * (1 - z**2)
    return delta.T @ x, delta.sum(0), e.T @ z, e.sum(0)


# %% cell="backward" name="divided_twice"
# You divide by the number of examples twice. If e is divided already, everything that is made of it is.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = (z @ w_dec.T + b_dec - x) / len(x)
    delta = (e @ w_dec) * (1 - z**2)
    return delta.T @ x / len(x), delta.mean(0), e.T @ z / len(x), e.mean(0)


# %% cell="backward" name="twice"
# Your gradients are twice as large: they are those of the squared distance. The loss has a 1/2, which cancels the 2 of
# the square.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = 2 * (z @ w_dec.T + b_dec - x) / len(x)
    delta = (e @ w_dec) * (1 - z**2)
    return delta.T @ x, delta.sum(0), e.T @ z, e.sum(0)


# %% cell="backward" name="mean_of_everything"
# You divide by the number of features as well. The loss is a sum over the features and a mean over the examples.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = (z @ w_dec.T + b_dec - x) / x.numel()
    delta = (e @ w_dec) * (1 - z**2)
    return delta.T @ x, delta.sum(0), e.T @ z, e.sum(0)


# %% cell="backward" name="uphill"
# Your gradients have the wrong sign: the derivative of the loss by x_hat is x_hat - x, prediction minus truth.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = (x - z @ w_dec.T - b_dec) / len(x)
    delta = (e @ w_dec) * (1 - z**2)
    return delta.T @ x, delta.sum(0), e.T @ z, e.sum(0)


# %% cell="backward" name="activation_skipped"
# The decoder's gradients are right. On its way to the encoder the message must pass the tanh: multiply it by the
# derivative, 1 - z^2.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = (z @ w_dec.T + b_dec - x) / len(x)
    delta = e @ w_dec
    return delta.T @ x, delta.sum(0), e.T @ z, e.sum(0)


# %% cell="backward" name="derivative_at_a"
# You use 1 - a^2 with the value before the tanh. The derivative of the tanh is 1 - tanh(a)^2, that is 1 - z^2.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    a = x @ w_enc.T + b_enc
    z = torch.tanh(a)
    e = (z @ w_dec.T + b_dec - x) / len(x)
    delta = (e @ w_dec) * (1 - a**2)
    return delta.T @ x, delta.sum(0), e.T @ z, e.sum(0)


# %% cell="backward" name="derivative_of_sigmoid"
# You use z (1 - z), which is the derivative of a sigmoid. That of the tanh is 1 - z^2.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = (z @ w_dec.T + b_dec - x) / len(x)
    delta = (e @ w_dec) * z * (1 - z)
    return delta.T @ x, delta.sum(0), e.T @ z, e.sum(0)


# %% cell="backward" name="input_for_code"
# You multiply the decoder's message by x. The gradient of a weight has the value that came into its own layer: for the
# decoder that is the code z.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = (z @ w_dec.T + b_dec - x) / len(x)
    delta = (e @ w_dec) * (1 - z**2)
    return delta.T @ x, delta.sum(0), e.T @ x, e.sum(0)


# %% cell="backward" name="transposed"
# Your gradients of the weights are transposed. Each has the shape of its parameter: w_enc is (k, d), w_dec is (d, k).
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = (z @ w_dec.T + b_dec - x) / len(x)
    delta = (e @ w_dec) * (1 - z**2)
    return x.T @ delta, delta.sum(0), z.T @ e, e.sum(0)


# %% cell="backward" name="decoder_first"
# You return the decoder's gradients first. The order is that of the arguments: w_enc, b_enc, w_dec, b_dec.
def backward(x, w_enc, b_enc, w_dec, b_dec):
    z = torch.tanh(x @ w_enc.T + b_enc)
    e = (z @ w_dec.T + b_dec - x) / len(x)
    delta = (e @ w_dec) * (1 - z**2)
    return e.T @ z, e.sum(0), delta.T @ x, delta.sum(0)


# %% cell="central_difference" name="one_sided"
# You take a difference to one side, f(theta + h) - f(theta). Its error is h/2 f''. Go to both sides and divide by 2h.
def central_difference(f, theta, h):
    steps = h * torch.eye(theta.numel()).reshape(-1, *theta.shape)
    return torch.tensor([(f(theta + s) - f(theta)) / h for s in steps]).reshape(theta.shape)


# %% cell="central_difference" name="divided_by_h"
# You divide by h. The two points are 2h apart, so your slopes are twice as large as they should be.
def central_difference(f, theta, h):
    steps = h * torch.eye(theta.numel()).reshape(-1, *theta.shape)
    slopes = [(f(theta + s) - f(theta - s)) / h for s in steps]
    return torch.tensor(slopes).reshape(theta.shape)


# %% cell="central_difference" name="precedence"
# You wrote / 2 * h, which divides by 2 and then multiplies by h. Put 2 * h in parentheses.
def central_difference(f, theta, h):
    steps = h * torch.eye(theta.numel()).reshape(-1, *theta.shape)
    slopes = [(f(theta + s) - f(theta - s)) / 2 * h for s in steps]
    return torch.tensor(slopes).reshape(theta.shape)


# %% cell="central_difference" name="not_put_back"
# You change theta in place and do not put it back, so later places are measured from another point. Add a step to a
# copy.
def central_difference(f, theta, h):
    slope = torch.zeros(theta.shape)
    flat, result = theta.view(-1), slope.view(-1)
    for j in range(theta.numel()):
        flat[j] += h
        above = float(f(theta))
        flat[j] -= 2 * h
        result[j] = (above - float(f(theta))) / (2 * h)
    return slope


# %% cell="central_difference" name="all_at_once"
# You move all parameters at once, and get one slope along the direction (1, 1, ..., 1). Move one at a time.
def central_difference(f, theta, h):
    slope = (f(theta + h) - f(theta - h)) / (2 * h)
    return torch.full(theta.shape, float(slope))


# %% cell="central_difference" name="own_h"
# You use a step of your own and not the h you are given. How large it should be depends on the function and the
# precision, so the caller decides.
def central_difference(f, theta, h):
    h = 1e-5
    steps = h * torch.eye(theta.numel()).reshape(-1, *theta.shape)
    slopes = [(f(theta + s) - f(theta - s)) / (2 * h) for s in steps]
    return torch.tensor(slopes).reshape(theta.shape)


# %% cell="central_difference" name="flat"
# Your numbers are right, but in one row. Give the result the shape of theta.
def central_difference(f, theta, h):
    steps = h * torch.eye(theta.numel()).reshape(-1, *theta.shape)
    return torch.tensor([(f(theta + s) - f(theta - s)) / (2 * h) for s in steps])


# %% cell="central_difference" name="sign"
# You subtract the wrong way round: f at theta - h comes second.
def central_difference(f, theta, h):
    steps = h * torch.eye(theta.numel()).reshape(-1, *theta.shape)
    slopes = [(f(theta - s) - f(theta + s)) / (2 * h) for s in steps]
    return torch.tensor(slopes).reshape(theta.shape)


# %% cell="momentum_step" name="plain"
# You take a step of plain gradient descent. The running sum keeps rho times what it was before.
def momentum_step(theta, m, g, lr, rho):
    return theta - lr * g, g


# %% cell="momentum_step" name="uphill"
# You walk uphill: the gradient points to where the loss grows. Subtract lr times m.
def momentum_step(theta, m, g, lr, rho):
    m = rho * m + g
    return theta + lr * m, m


# %% cell="momentum_step" name="old_sum"
# You move along the old m. Update m first, then move along the new one: else the first step goes nowhere.
def momentum_step(theta, m, g, lr, rho):
    return theta - lr * m, rho * m + g


# %% cell="momentum_step" name="running_mean"
# You take a running mean, with (1 - rho) in front of the gradient, as Adam does. Momentum adds the whole gradient.
def momentum_step(theta, m, g, lr, rho):
    m = rho * m + (1 - rho) * g
    return theta - lr * m, m


# %% cell="momentum_step" name="step_size_inside"
# You multiply the gradient by lr before you add it to m. Then an old step size lives on in m when lr changes. m is a
# sum of gradients; lr comes in when theta moves.
def momentum_step(theta, m, g, lr, rho):
    m = rho * m + lr * g
    return theta - m, m


# %% cell="momentum_step" name="nesterov"
# You look ahead by one more step, g + rho m, which is Nesterov's variant. Here theta moves along m itself.
def momentum_step(theta, m, g, lr, rho):
    m = rho * m + g
    return theta - lr * (g + rho * m), m


# %% cell="momentum_step" name="rho_on_gradient"
# You multiply the gradient by rho and keep all of the old sum, which then never forgets. rho belongs to the old m.
def momentum_step(theta, m, g, lr, rho):
    m = m + rho * g
    return theta - lr * m, m


# %% cell="momentum_step" name="swapped"
# You return m first. The task asks for (theta, m), in this order.
def momentum_step(theta, m, g, lr, rho):
    m = rho * m + g
    return m, theta - lr * m


# %% cell="momentum_step" name="in_place"
# Your numbers are right, but -= and *= change the tensors of whoever called you. Make new ones: theta = theta - lr * m.
def momentum_step(theta, m, g, lr, rho):
    m *= rho
    m += g
    theta -= lr * m
    return theta, m


# %% cell="train" name="not_shuffled"
# You take the examples in the order in which they lie. Draw a new random order in each epoch.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        for batch in x.split(batch_size):
            params = [p - lr * g for p, g in zip(params, gradients(batch, params))]
    return params


# %% cell="train" name="shuffled_once"
# You shuffle once and then take the same order, with the same batches, in every epoch. Shuffle inside of the loop over
# epochs.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    order = torch.randperm(len(x), generator=generator)
    for _ in range(epochs):
        for rows in order.split(batch_size):
            params = [p - lr * g for p, g in zip(params, gradients(x[rows], params))]
    return params


# %% cell="train" name="generator_unused"
# You shuffle with the global randomness, so nobody can repeat your run. Pass the generator that you are given to
# torch.randperm.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch_size):
            params = [p - lr * g for p, g in zip(params, gradients(x[rows], params))]
    return params


# %% cell="train" name="generator_of_its_own"
# You make a generator of your own with a fixed seed, so all runs have the same order. Use the one that you are given.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    generator = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            params = [p - lr * g for p, g in zip(params, gradients(x[rows], params))]
    return params


# %% cell="train" name="last_batch_dropped"
# You drop the examples that are left after the last full batch. They make a smaller batch of their own.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        for start in range(0, len(x) - batch_size + 1, batch_size):
            batch = x[order[start : start + batch_size]]
            params = [p - lr * g for p, g in zip(params, gradients(batch, params))]
    return params


# %% cell="train" name="with_replacement"
# You draw each batch anew from all examples, so that some are seen twice in an epoch and others never. Cut one random
# order into pieces.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        for rows in torch.arange(len(x)).split(batch_size):
            drawn = torch.randint(len(x), (len(rows),), generator=generator)
            params = [p - lr * g for p, g in zip(params, gradients(x[drawn], params))]
    return params


# %% cell="train" name="one_step_an_epoch"
# You take one step with all examples in each epoch. Take one with each mini-batch.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        params = [p - lr * g for p, g in zip(params, gradients(x[order], params))]
    return params


# %% cell="train" name="one_batch_an_epoch"
# You take only the first batch of each epoch and leave the rest of the examples out. Go through all batches.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        rows = torch.randperm(len(x), generator=generator)[:batch_size]
        params = [p - lr * g for p, g in zip(params, gradients(x[rows], params))]
    return params


# %% cell="train" name="old_parameters"
# You compute all gradients of an epoch at the parameters it started with. After each step the gradient is another one:
# compute it at the present parameters.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        begin = params
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            params = [p - lr * g for p, g in zip(params, gradients(x[rows], begin))]
    return params


# %% cell="train" name="uphill"
# You add the gradient and walk uphill. Subtract lr times the gradient.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            params = [p + lr * g for p, g in zip(params, gradients(x[rows], params))]
    return params


# %% cell="train" name="one_epoch"
# You return inside of the loop over epochs, after the first one. Move the return out of the loops.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            params = [p - lr * g for p, g in zip(params, gradients(x[rows], params))]
        return params
    return params


# %% cell="train" name="one_after_the_other"
# You compute the gradients anew for each parameter, after the parameters before it have moved. Compute all gradients in
# one place and then move all parameters.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    params = list(params)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            for i in range(len(params)):
                params[i] = params[i] - lr * gradients(x[rows], params)[i]
    return params


# %% cell="train" name="in_place"
# Your loop is right, but -= changes the tensors that you were given, so nobody can start from them again. Make new
# ones.
def train(gradients, x, params, lr, epochs, batch_size, generator):
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            for p, g in zip(params, gradients(x[rows], params)):
                p -= lr * g
    return params
