"""A short run of `make conformance` with each source: the same code, with fewer operations."""

import pytest

from conformance import sites
from conformance.course import Course
from dirsync.settings import ChangeFeed

pytestmark = pytest.mark.servers
OPERATIONS = 400
SEED = 20261125


def run(site, folder):
    course = Course(site, OPERATIONS, SEED, folder)
    outcome = course.run()
    assert outcome.good, (outcome, *course.last())
    assert outcome.operations == OPERATIONS
    assert all((outcome.restarts, outcome.kills, outcome.losses, outcome.checkpoints, outcome.looks))


@pytest.mark.parametrize("changes", [ChangeFeed.DIRSYNC, ChangeFeed.USN])
def test_a_replica_of_active_directory_equals_a_full_read_whatever_happens(samba_dc, tmp_path, changes):
    run(sites.active_directory(samba_dc, changes), tmp_path)


def test_a_replica_of_openldap_equals_a_full_read_whatever_happens(fresh_slapd, tmp_path):
    run(sites.openldap(fresh_slapd, "OpenLDAP"), tmp_path)


def test_a_replica_of_389_ds_equals_a_full_read_whatever_happens(ds389, tmp_path):
    try:
        run(sites.ds389(ds389), tmp_path)
    finally:
        ds389.reset()
