"""What tests of benchmarks share."""

import pytest

from benchmarks.shares import NotAllowedError, held
from demo.cluster import Cluster


@pytest.fixture
def allowed(cluster: Cluster) -> None:
    try:
        with held(cluster.replicas[0], 0.5):
            pass
    except NotAllowedError as error:
        pytest.skip(f"This user may not hold processes to a share: {error}")
