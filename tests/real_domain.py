"""A real domain with our schema, and a replica that follows it."""

from datetime import UTC, datetime
from pathlib import Path

from dirsync.ad.source import AdSource
from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from dirsync.replica import Replica, ReplicaWriter
from dirsync.settings import DirectoryKind, DirectorySettings
from schema.secret import Secret
from small_directory import content
from surroundings import SURROUNDINGS

PASSWORD = "Copper-Ladder-63"


def now():
    return datetime.now(UTC)


def apply_schema(dc):
    access = AdminAccess((dc.ldaps,), dc.admin, Secret(dc.admin_password), dc.ca_file)
    schema_admin.apply(access, schema_admin.plan(access), lambda step: None)


def settings(dc, **given):
    return DirectorySettings(
        **{
            "kind": DirectoryKind.AD,
            "url": (dc.ldaps,),
            "base": dc.base_dn,
            "bind_dn": dc.admin,
            "bind_password": Secret(dc.admin_password),
            "ca_file": dc.ca_file,
        }
        | given
    )


class Follower:
    """A replica that follows the domain."""

    def __init__(self, folder: Path, settings: DirectorySettings) -> None:
        self._folder = folder
        self._settings = settings
        self.source = AdSource(settings, SURROUNDINGS)
        self.writer = ReplicaWriter(folder / "replica.sqlite")
        self.replica = Replica(folder / "replica.sqlite")
        self._reads = 0
        assert self.follow() is True

    @property
    def cookie(self):
        return self.writer.cookie(self.source.identity)

    def follow(self, cookie=None):
        """Takes in what has changed; whether that was everything."""
        batch = self.source.changes(cookie or self.cookie, now())
        self.writer.apply(batch, self.source.identity)
        return batch.refresh

    def changes(self):
        """What has changed, without taking it in."""
        batch = self.source.changes(self.cookie, now())
        assert not batch.refresh
        return list(batch.changes)

    def full_read(self):
        """What somebody has who begins now."""
        self._reads += 1
        writer = ReplicaWriter(self._folder / f"full{self._reads}.sqlite")
        source = AdSource(self._settings, SURROUNDINGS)
        try:
            writer.apply(source.changes(None, now()), source.identity)
            return content(writer)
        finally:
            source.close()
            writer.close()

    def person(self, sam):
        (user,) = self.replica.find([("sam", sam)])
        return self.replica.person(user)

    def close(self):
        self.source.close()
        self.replica.close()
        self.writer.close()
