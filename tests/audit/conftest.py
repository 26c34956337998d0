"""What the tests of the audit start from."""

import pytest

from audit.ledger import Ledger


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)
