import jaxtyping
import pytest


@pytest.fixture
def as_a_user():
    """Turn off the shape annotations that only tests execute, so that a test sees the errors that a user sees."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
