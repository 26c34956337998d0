"""config.ini as tests write and read it."""

import pytest

from auth.config import ConfigFault, read_config

LDIF = "[directory]\nkind = ldif\nfile = directory.ldif\n"
CANARY = "c4n4ry-secret"


def read(file, **environment):
    return read_config(file, environment)


def problems(file, **environment):
    """(line, where, problem, remedy) of everything that is wrong."""
    with pytest.raises(ConfigFault) as caught:
        read_config(file, environment)
    for problem in caught.value.problems:
        assert f"{file}:{problem.line}: {problem.where}: {problem.problem} ({problem.remedy})" in str(caught.value)
    return [(item.line, item.where, item.problem, item.remedy) for item in caught.value.problems]


def only(file, **environment):
    found = problems(file, **environment)
    assert len(found) == 1, found
    return found[0]
