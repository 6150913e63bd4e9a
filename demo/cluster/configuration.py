"""The servers' settings."""

from collections.abc import Mapping

DEFAULTS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    # With "posix", the default, a killed server leaves entries in /dev/shm. These are files in the data folder, which
    # go with it. The main memory is an anonymous mapping, which the system frees with the last process.
    "dynamic_shared_memory_type": "mmap",
    # The data is thrown away, so that nothing has to survive a loss of power.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "wal_level": "replica",
    # A server that was killed replays what was written since the last checkpoint, and is waited for.
    "checkpoint_timeout": "30s",
    # The usual limits. Without a size they would follow that of a segment, which is small here.
    "min_wal_size": "80MB",
    "max_wal_size": "1GB",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    # A replica that stays away must not fill the disk.
    "max_slot_wal_keep_size": "512MB",
    "hot_standby": "on",
    "hot_standby_feedback": "off",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "200ms",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %a ",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
    "pg_stat_statements.track_utility": "off",
    "pg_stat_statements.max": "5000",
}


def render(settings: Mapping[str, str]) -> str:
    """Return the text of a configuration file with these settings."""
    return "".join(f"{name} = '{_escape(value)}'\n" for name, value in settings.items())


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
