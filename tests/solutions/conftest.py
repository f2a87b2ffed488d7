import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import torch


@pytest.fixture(autouse=True)
def own_settings():
    """A notebook sets torch's default type and the style of figures; give them back, and leave the second core to others."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_num_threads(1)
    with mpl.rc_context():
        yield
    plt.close("all")
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)
