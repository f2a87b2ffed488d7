# %% [markdown]
# Wrong solutions that students write, each with the message that would help.

# %% cell="sizes" name="rounded_up"
# You round up. A kernel that does not fit whole into what is left of the row makes no value: round down.
def sizes(n, k, s, p):
    small = math.ceil((n + 2 * p - k) / s) + 1
    return small, n - ((small - 1) * s + k - 2 * p)


# %% cell="sizes" name="first_place_missing"
# Your first number is one too small: the starts are 0, s, 2s and so on, and 0 counts too. The quotient counts the steps
# between them.
def sizes(n, k, s, p):
    small = (n + 2 * p - k) // s
    return small, n - (small * s + k - 2 * p)


# %% cell="sizes" name="padding_once"
# You count the padding once. It stands on both sides of the row, so the padded row has n + 2p pixels.
def sizes(n, k, s, p):
    small = (n + p - k) // s + 1
    return small, n - ((small - 1) * s + k - p)


# %% cell="sizes" name="padding_not_cut_off"
# Your first number is right. On the way back the padding is cut off again: subtract 2p from the size before you compare it
# with n.
def sizes(n, k, s, p):
    small = (n + 2 * p - k) // s + 1
    return small, n - ((small - 1) * s + k)


# %% cell="sizes" name="stride_minus_one"
# You always return s - 1. That is the most that rounding can lose; how much it loses depends on n, k and p.
def sizes(n, k, s, p):
    return (n + 2 * p - k) // s + 1, s - 1


# %% cell="sizes" name="wrong_sign"
# Your second number has the wrong sign. It is what is missing: n minus the size that comes back without it.
def sizes(n, k, s, p):
    small = (n + 2 * p - k) // s + 1
    return small, (small - 1) * s + k - 2 * p - n


# %% cell="sizes" name="times_stride"
# You assume that n' values come back as n' s pixels. The last kernel ends k pixels after its start, wherever the next one
# would begin.
def sizes(n, k, s, p):
    small = (n + 2 * p - k) // s + 1
    return small, max(n - small * s, 0)


# %% cell="valid_steps" name="one_too_many"
# You mark one step too many. Positions count from 0, so the positions of L steps are 0 to L - 1: less than L, and not at most
# L.
def valid_steps(lengths, num_steps):
    return torch.arange(num_steps) <= lengths[:, None]


# %% cell="valid_steps" name="padding_is_true"
# Your mask is True at the padding, as some functions of torch want it. Here True means that a step is there.
def valid_steps(lengths, num_steps):
    return torch.arange(num_steps) >= lengths[:, None]


# %% cell="valid_steps" name="transposed"
# You have a row for each step. The mask has a row for each sequence and a column for each step: make the lengths the column.
def valid_steps(lengths, num_steps):
    return torch.arange(num_steps)[:, None] < lengths


# %% cell="valid_steps" name="aligned_right"
# You put the padding first. The sequences begin in the first column, and the padding is behind them.
def valid_steps(lengths, num_steps):
    return torch.arange(num_steps) >= num_steps - lengths[:, None]


# %% cell="valid_steps" name="last_step_alone"
# You mark the last step of each sequence alone. All steps before it are there too.
def valid_steps(lengths, num_steps):
    return torch.arange(num_steps) == lengths[:, None] - 1


# %% cell="valid_steps" name="numbers"
# Your entries are right, but they are numbers. A mask is boolean: torch.where and masked_fill ask for True and False.
def valid_steps(lengths, num_steps):
    return (torch.arange(num_steps) < lengths[:, None]).double()


# %% cell="masked_loss" name="not_masked"
# You sum over all cells, the padding too. Only the steps count where the mask is True.
def masked_loss(x, x_hat, mask):
    return (x - x_hat).square().sum() / len(x)


# %% cell="masked_loss" name="mean_over_steps"
# You divide by the number of valid steps of the whole batch. The loss of a sequence is a sum over its steps; only over the
# sequences a mean is taken.
def masked_loss(x, x_hat, mask):
    difference = torch.where(mask[:, :, None], x - x_hat, 0.0)
    return difference.square().sum() / mask.sum()


# %% cell="masked_loss" name="divided_by_length"
# You divide the loss of each sequence by its length, so a letter of a short word counts more than one of a long word. Leave
# it a sum.
def masked_loss(x, x_hat, mask):
    difference = torch.where(mask[:, :, None], x - x_hat, 0.0)
    return (difference.square().sum(dim=(1, 2)) / mask.sum(dim=1)).mean()


# %% cell="masked_loss" name="sum_over_batch"
# You sum over the sequences of the batch. Take their mean: divide by B.
def masked_loss(x, x_hat, mask):
    return torch.where(mask[:, :, None], x - x_hat, 0.0).square().sum()


# %% cell="masked_loss" name="mean_over_values"
# You take the mean over the C values of a step. They are summed, as the steps are.
def masked_loss(x, x_hat, mask):
    difference = torch.where(mask[:, :, None], x - x_hat, 0.0)
    return difference.square().mean(dim=2).sum() / len(x)


# %% cell="masked_loss" name="times_mask"
# You multiply by the mask. That is right as long as the padding holds finite numbers; 0 times NaN is NaN. Pick with
# torch.where.
def masked_loss(x, x_hat, mask):
    return ((x - x_hat).square() * mask[:, :, None]).sum() / len(x)


# %% cell="masked_loss" name="where_after_the_square"
# The value is right, the gradient is not: you pick after squaring, and in the backward pass the 0 of the padding is
# multiplied with its NaN. Pick before you square.
def masked_loss(x, x_hat, mask):
    return torch.where(mask[:, :, None], (x - x_hat).square(), 0.0).sum() / len(x)


# %% cell="masked_loss" name="changes_its_arguments"
# You write zeros into x and x_hat themselves. They belong to whoever called you: work on copies, or use torch.where.
def masked_loss(x, x_hat, mask):
    x[~mask] = 0.0
    x_hat[~mask] = 0.0
    return (x - x_hat).square().sum() / len(x)


# %% cell="last_state" name="last_cell"
# You take the state after the last cell of the tensor. For shorter sequences this is after the padding: take position L - 1
# of each.
def last_state(h, lengths):
    return h[:, -1]


# %% cell="last_state" name="one_too_far"
# You take position L, which is one too far: positions count from 0, so the last valid step stands at L - 1.
def last_state(h, lengths):
    return h[torch.arange(len(h)), lengths.clamp(max=h.shape[1] - 1)]


# %% cell="last_state" name="all_pairs"
# With h[:, positions] you pick all these positions for every sequence. Each sequence has one position: give the rows as a
# tensor, too.
def last_state(h, lengths):
    return h[:, lengths - 1]


# %% cell="last_state" name="mean_over_steps"
# You take the mean of the valid states. The task asks for one of them, the last.
def last_state(h, lengths):
    there = torch.arange(h.shape[1]) < lengths[:, None]
    return torch.where(there[:, :, None], h, 0.0).sum(dim=1) / lengths[:, None]


# %% cell="last_state" name="longest_of_the_batch"
# You take the last step of the longest sequence for all of them. Each sequence ends at its own length.
def last_state(h, lengths):
    return h[:, int(lengths.max()) - 1]


# %% cell="last_state" name="first_state"
# You take the state after the first step. The encoder has read the whole sequence only after the last.
def last_state(h, lengths):
    return h[:, 0]


# %% cell="last_state" name="cut_off_from_the_graph"
# The numbers are right, but you have made a new tensor of them, and no gradient comes back to h. Pick with indices, or use
# torch.stack.
def last_state(h, lengths):
    return torch.tensor([states[length - 1].tolist() for states, length in zip(h, lengths)])


# %% cell="packing_order" name="ascending"
# You put the shortest sequence first: torch.argsort is ascending unless you say descending=True.
def packing_order(lengths):
    order = torch.argsort(lengths)
    return order, torch.argsort(order)


# %% cell="packing_order" name="sorted_lengths"
# You return the sorted lengths as the order. The order holds positions: which row comes first, which second.
def packing_order(lengths):
    ordered, order = torch.sort(lengths, descending=True)
    return ordered, torch.argsort(order)


# %% cell="packing_order" name="same_order_again"
# You use the order itself to go back. That is right only if it swaps rows in pairs. The inverse holds for each row where it
# has gone.
def packing_order(lengths):
    order = torch.argsort(lengths, descending=True)
    return order, order.clone()


# %% cell="packing_order" name="reversed"
# You turn the order round to go back. That sorts the batch the other way; the inverse says for each row where it has gone.
def packing_order(lengths):
    order = torch.argsort(lengths, descending=True)
    return order, order.flip(0)


# %% cell="packing_order" name="rank_upside_down"
# Your order is right. For the inverse it is sorted in ascending order, whatever the order of the lengths: drop the second
# descending.
def packing_order(lengths):
    order = torch.argsort(lengths, descending=True)
    return order, torch.argsort(order, descending=True)


# %% cell="packing_order" name="swapped"
# You return the inverse first. The task asks for (order, inverse).
def packing_order(lengths):
    order = torch.argsort(lengths, descending=True)
    return torch.argsort(order), order


# %% cell="causal_mask" name="not_at_itself"
# A query may look at its own step too: s is at most t, and not less than t. As it is, your first query may look at nothing.
def causal_mask(lengths, num_steps):
    steps = torch.arange(num_steps)
    return (steps < steps[:, None]) & (steps < lengths[:, None, None])


# %% cell="causal_mask" name="transposed"
# Your queries look ahead and not back: rows and columns are swapped. Queries are rows, keys are columns.
def causal_mask(lengths, num_steps):
    steps = torch.arange(num_steps)
    return (steps >= steps[:, None]) & (steps < lengths[:, None, None])


# %% cell="causal_mask" name="padding_ignored"
# You forbid the look ahead, but keys in the padding can still be seen by the queries behind them. The lengths forbid those.
def causal_mask(lengths, num_steps):
    return torch.ones(len(lengths), num_steps, num_steps, dtype=torch.bool).tril()


# %% cell="causal_mask" name="not_causal"
# You hide the padding and let every query look ahead. Key s may be seen by query t only if s is at most t.
def causal_mask(lengths, num_steps):
    valid = torch.arange(num_steps) < lengths[:, None]
    return valid[:, None, :].expand(-1, num_steps, -1)


# %% cell="causal_mask" name="padded_queries"
# You mask the queries in the padding, and they may look at nothing: the softmax gives them NaN. The rule is about keys alone: the
# last axis.
def causal_mask(lengths, num_steps):
    steps = torch.arange(num_steps)
    valid = steps < lengths[:, None]
    return (steps <= steps[:, None]) & valid[:, :, None]


# %% cell="causal_mask" name="or_for_and"
# You allow what fulfills one of the two conditions. Both must hold: join them with & and not with |.
def causal_mask(lengths, num_steps):
    steps = torch.arange(num_steps)
    return (steps <= steps[:, None]) | (steps < lengths[:, None, None])


# %% cell="causal_mask" name="forbidden_is_true"
# Your mask is True where a query may not look, as torch.nn.MultiheadAttention wants it. Here True means that it may.
def causal_mask(lengths, num_steps):
    steps = torch.arange(num_steps)
    return (steps > steps[:, None]) | (steps >= lengths[:, None, None])


# %% cell="attention" name="not_scaled"
# You do not divide the scores by the root of d. Without it they grow with d, and the softmax picks a single key.
def attention(q, k, v, mask):
    scores = (q @ k.mT).masked_fill(~mask, -math.inf)
    return torch.softmax(scores, dim=-1) @ v


# %% cell="attention" name="divided_by_d"
# You divide the scores by d. It is the root of d: the standard deviation of a sum of d independent terms grows like that.
def attention(q, k, v, mask):
    scores = (q @ k.mT / q.shape[-1]).masked_fill(~mask, -math.inf)
    return torch.softmax(scores, dim=-1) @ v


# %% cell="attention" name="root_of_the_steps"
# You divide by the root of the number of keys. d is the number of entries of a query, the last axis of q.
def attention(q, k, v, mask):
    scores = (q @ k.mT / math.sqrt(k.shape[1])).masked_fill(~mask, -math.inf)
    return torch.softmax(scores, dim=-1) @ v


# %% cell="attention" name="softmax_over_queries"
# Your softmax runs over the queries (dim=1). The weights of one query over all keys add up to 1: that is the last axis.
def attention(q, k, v, mask):
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -1e9)
    return torch.softmax(scores, dim=1) @ v


# %% cell="attention" name="mask_after_the_softmax"
# You mask the weights after the softmax, so the weights that are left do not add up to 1. Mask the scores before it.
def attention(q, k, v, mask):
    weights = torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), dim=-1)
    return (weights * mask) @ v


# %% cell="attention" name="score_zero"
# You set masked scores to zero. A score of zero has the weight exp(0) = 1 before it is normalized; minus infinity has the
# weight 0.
def attention(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return torch.softmax(scores * mask, dim=-1) @ v


# %% cell="attention" name="mask_inverted"
# You hide the keys that may be seen. True in the mask means that a query may look: fill where it is False.
def attention(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return torch.softmax(scores.masked_fill(mask, -1e9), dim=-1) @ v


# %% cell="attention" name="exp_overflows"
# Your formula is right, but the exponential of a large score overflows and gives NaN. torch.softmax subtracts the largest
# score first.
def attention(q, k, v, mask):
    weights = torch.exp(q @ k.mT / math.sqrt(q.shape[-1])) * mask
    return weights / weights.sum(dim=-1, keepdim=True) @ v


# %% cell="conv2d" name="kernel_turned"
# You turn the kernel around. That is how purists define a convolution; here, as in torch, the kernel is used as it is.
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    patches = F.pad(x, (padding,) * 4).unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("ncijuv,ocuv->noij", patches, w.flip(2, 3)) + b[:, None, None]


# %% cell="conv2d" name="kernel_transposed"
# You swap the rows and the columns of the kernel: u goes down the image and v to the right.
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    patches = F.pad(x, (padding,) * 4).unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("ncijuv,ocuv->noij", patches, w.mT) + b[:, None, None]


# %% cell="conv2d" name="no_bias"
# You do not add the bias, one number for each channel that comes out.
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    patches = F.pad(x, (padding,) * 4).unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("ncijuv,ocuv->noij", patches, w)


# %% cell="conv2d" name="bias_for_each_channel_in"
# You add the bias once for every channel that comes in. It is added once, after the sum over these channels.
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    patches = F.pad(x, (padding,) * 4).unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("ncijuv,ocuv->noij", patches, w) + x.shape[1] * b[:, None, None]


# %% cell="conv2d" name="mean_over_channels"
# You take the mean over the channels that come in. The formula sums over them.
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    patches = F.pad(x, (padding,) * 4).unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("ncijuv,ocuv->noij", patches, w) / x.shape[1] + b[:, None, None]


# %% cell="conv2d" name="one_side_padded"
# You pad on the right and at the bottom only. Padding of p puts p zeros on each of the four sides.
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    patches = F.pad(x, (0, 2 * padding) * 2).unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("ncijuv,ocuv->noij", patches, w) + b[:, None, None]


# %% cell="conv2d" name="stride_ignored"
# You move the kernel by one pixel whatever the stride is. It begins at 0, s, 2s and so on.
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    patches = F.pad(x, (padding,) * 4).unfold(2, k, 1).unfold(3, k, 1)
    return torch.einsum("ncijuv,ocuv->noij", patches, w) + b[:, None, None]


# %% cell="conv2d" name="padding_ignored"
# You do not pad. With padding p there are p zeros on each side, so the kernel can hang over the border.
def conv2d(x, w, b, stride, padding):
    k = w.shape[-1]
    patches = x.unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("ncijuv,ocuv->noij", patches, w) + b[:, None, None]


# %% cell="conv_transpose2d" name="overwritten"
# A stroke overwrites what earlier strokes have painted. Where they overlap they add up.
def conv_transpose2d(y, w, stride, padding, size):
    _, channels, k, _ = w.shape
    image = F.pad(torch.zeros(len(y), channels, *size), (padding,) * 4)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            stroke = torch.einsum("no,ocuv->ncuv", y[:, :, i, j], w)
            image[:, :, i * stride : i * stride + k, j * stride : j * stride + k] = stroke
    return image[:, :, padding : padding + size[0], padding : padding + size[1]]


# %% cell="conv_transpose2d" name="kernel_turned"
# You turn the kernel around before you paint. The kernel is painted as it stands in w: pixel (si + u, sj + v) gets w at (u,
# v).
def conv_transpose2d(y, w, stride, padding, size):
    _, channels, k, _ = w.shape
    image = F.pad(torch.zeros(len(y), channels, *size), (padding,) * 4)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            stroke = torch.einsum("no,ocuv->ncuv", y[:, :, i, j], w.flip(2, 3))
            image[:, :, i * stride : i * stride + k, j * stride : j * stride + k] += stroke
    return image[:, :, padding : padding + size[0], padding : padding + size[1]]


# %% cell="conv_transpose2d" name="padding_left_on"
# You cut all of the padding off at the right and at the bottom. It stands on every side: the first p rows and columns go too.
def conv_transpose2d(y, w, stride, padding, size):
    _, channels, k, _ = w.shape
    image = F.pad(torch.zeros(len(y), channels, *size), (padding,) * 4)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            stroke = torch.einsum("no,ocuv->ncuv", y[:, :, i, j], w)
            image[:, :, i * stride : i * stride + k, j * stride : j * stride + k] += stroke
    return image[:, :, : size[0], : size[1]]


# %% cell="conv_transpose2d" name="size_not_used"
# Your strokes are right. You return the smallest image from which y can come, but the size that is asked for can be larger
# (task 1).
def conv_transpose2d(y, w, stride, padding, size):
    _, channels, k, _ = w.shape
    rows, columns = y.shape[2:]
    height, width = (rows - 1) * stride + k, (columns - 1) * stride + k
    image = torch.zeros(len(y), channels, height, width)
    for i in range(rows):
        for j in range(columns):
            stroke = torch.einsum("no,ocuv->ncuv", y[:, :, i, j], w)
            image[:, :, i * stride : i * stride + k, j * stride : j * stride + k] += stroke
    return image[:, :, padding : height - padding, padding : width - padding]


# %% cell="conv_transpose2d" name="averaged"
# You divide each pixel by the number of its strokes. That hides the checkerboard, but the transpose is a sum.
def conv_transpose2d(y, w, stride, padding, size):
    _, channels, k, _ = w.shape
    image = F.pad(torch.zeros(len(y), channels, *size), (padding,) * 4)
    strokes = torch.zeros_like(image)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            rows, columns = (slice(a * stride, a * stride + k) for a in (i, j))
            image[:, :, rows, columns] += torch.einsum("no,ocuv->ncuv", y[:, :, i, j], w)
            strokes[:, :, rows, columns] += 1
    image = image / strokes.clamp(min=1)
    return image[:, :, padding : padding + size[0], padding : padding + size[1]]


# %% cell="conv_transpose2d" name="channels_swapped"
# You read the kernel as (C, O, k, k). It is the kernel of the convolution, (O, C, k, k): sum over its first axis.
def conv_transpose2d(y, w, stride, padding, size):
    channels, _, k, _ = w.shape
    image = F.pad(torch.zeros(len(y), channels, *size), (padding,) * 4)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            stroke = torch.einsum("no,couv->ncuv", y[:, :, i, j], w)
            image[:, :, i * stride : i * stride + k, j * stride : j * stride + k] += stroke
    return image[:, :, padding : padding + size[0], padding : padding + size[1]]


# %% cell="conv_transpose2d" name="painted_without_stride"
# You paint at the pixels i and j. With stride s the strokes begin at si and sj.
def conv_transpose2d(y, w, stride, padding, size):
    _, channels, k, _ = w.shape
    image = F.pad(torch.zeros(len(y), channels, *size), (padding,) * 4)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            stroke = torch.einsum("no,ocuv->ncuv", y[:, :, i, j], w)
            image[:, :, i : i + k, j : j + k] += stroke
    return image[:, :, padding : padding + size[0], padding : padding + size[1]]


# %% cell="train" name="gradients_add_up"
# You never set the gradients to zero, so each step uses the sum of all gradients so far. Call zero_grad before each backward
# pass.
def train(model, x, mask, epochs, batch_size, lr, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            difference = (x[rows] - model(x[rows], mask[rows]))[mask[rows]]
            loss = difference.square().sum() / len(rows)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history


# %% cell="train" name="padding_in_the_loss"
# Your loss counts the padding, so the model learns to rebuild whatever stands there. Only the steps count where the mask is
# True.
def train(model, x, mask, epochs, batch_size, lr, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = (x[rows] - model(x[rows], mask[rows])).square().sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history


# %% cell="train" name="mask_of_other_rows"
# You shuffle the sequences and not the mask, so each sequence gets the mask of another one. Take both at the same positions.
def train(model, x, mask, epochs, batch_size, lr, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        total, first = 0.0, 0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            there = mask[first : first + len(rows)]
            first += len(rows)
            loss = (x[rows] - model(x[rows], there))[there].square().sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history


# %% cell="train" name="mean_over_steps"
# Your loss is the mean over the valid steps of the batch. It is their sum for each sequence, and a mean over the sequences
# alone.
def train(model, x, mask, epochs, batch_size, lr, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            difference = (x[rows] - model(x[rows], mask[rows]))[mask[rows]]
            loss = difference.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history


# %% cell="train" name="last_batch_dropped"
# You leave out the last batch if it is smaller. In each epoch every sequence is used once, those of the last batch too.
def train(model, x, mask, epochs, batch_size, lr, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    batch_size = min(batch_size, len(x))
    for _ in range(epochs):
        order, losses = torch.randperm(len(x), generator=generator), []
        for first in range(0, len(x) - batch_size + 1, batch_size):
            rows = order[first : first + batch_size]
            difference = (x[rows] - model(x[rows], mask[rows]))[mask[rows]]
            loss = difference.square().sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history.append(sum(losses) / len(losses))
    return history


# %% cell="train" name="mean_of_batches"
# You train well. The number of an epoch is the mean of your batches, in which the sequences of a small last batch count more
# than others.
def train(model, x, mask, epochs, batch_size, lr, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        losses = []
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            difference = (x[rows] - model(x[rows], mask[rows]))[mask[rows]]
            loss = difference.square().sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history.append(sum(losses) / len(losses))
    return history


# %% cell="train" name="new_optimizer_each_epoch"
# You make a new optimizer in each epoch. Adam keeps running means of the gradients, and a new one has forgotten them: make it
# once.
def train(model, x, mask, epochs, batch_size, lr, seed):
    generator = torch.Generator().manual_seed(seed)
    history = []
    for _ in range(epochs):
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            difference = (x[rows] - model(x[rows], mask[rows]))[mask[rows]]
            loss = difference.square().sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history


# %% cell="train" name="not_shuffled"
# You use the batches in the order in which the sequences stand, the same in each epoch. Draw a new order from the generator
# each time.
def train(model, x, mask, epochs, batch_size, lr, seed):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.arange(len(x)).split(batch_size):
            difference = (x[rows] - model(x[rows], mask[rows]))[mask[rows]]
            loss = difference.square().sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history


# %% cell="train" name="plain_gradient_steps"
# You take plain gradient steps. The task asks for Adam, which scales each step by running means of the gradients.
def train(model, x, mask, epochs, batch_size, lr, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            difference = (x[rows] - model(x[rows], mask[rows]))[mask[rows]]
            loss = difference.square().sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history
