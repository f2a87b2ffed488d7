"""The type checker that pytest runs aelib's annotations with: beartype, where an int is also a float, as PEP 484 says."""

from beartype import BeartypeConf, beartype

checker = beartype(conf=BeartypeConf(is_pep484_tower=True))
