"""ECG5000: heartbeats of one patient with severe congestive heart failure.

They are cut out of 20 hours of electrocardiogram, record chf07 of the BIDMC Congestive Heart Failure Database at PhysioNet,
Goldberger et al. (2000), and first used by Chen et al. (2015). The classes were assigned by a program, not by a cardiologist.
"""

from aelib import checks
from aelib.data.dataset import Dataset
from aelib.data.files import RemoteFile, locate, verify
from aelib.data.readers import read_ucr

URL = "https://www.timeseriesclassification.com/aeon-toolkit/ECG5000.zip"

BEATS = (
    "normal",
    "R-on-T premature ventricular contraction",
    "premature ventricular contraction",
    "supraventricular premature or ectopic beat",
    "unclassifiable",
)

_TRAIN = RemoteFile(
    "ecg5000",
    "ECG5000_TRAIN.txt",
    URL,
    "sha256:a5940ecbe2130d77470afeea7c5fd67812db83bdbbf0f4c1b1d6af6e77175ab1",
    zipped=True,
)
_NUM_BEATS, _NUM_STEPS = 500, 140


def ecg5000(part: str = "train") -> Dataset:
    """The heartbeats of ECG5000: 140 samples each, made equally long by interpolation.

    Each beat already has mean 0 and standard deviation 1 (the one that divides by T - 1 = 139) over its own samples, so
    amplitudes in millivolts are lost. 292 of the 500 beats are normal.

    The file is taken from ``$AELIB_DATA_DIR/ecg5000`` or from the cache, or its archive is downloaded and the file kept in
    the cache. It is checked wherever it comes from.

    Args:
        part: "train". The archive's test part is not read.

    Returns:
        ``x`` of shape (500, 140); label ``beat``, the file's class (1 to 5) less 1, with its meaning in ``classes``.

    Raises:
        ConnectionError: if the file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: if ``part`` is unknown or the file is not the one that was published.
    """
    checks.choice("part", part, ["train"])
    path = locate(_TRAIN)
    table = read_ucr(path)
    if tuple(table.x.shape) != (_NUM_BEATS, _NUM_STEPS):
        raise ValueError(
            f"{path}: holds {len(table)} rows of {table.x.shape[1]} values; expected {_NUM_BEATS} of {_NUM_STEPS}"
        )
    verify(path, _TRAIN.checksum)  # also says that the classes are 1 to 5, so that the label is the index into BEATS
    return Dataset(table.x, {"beat": table.labels["class"]}, {"beat": BEATS})
