"""What goes wrong when servers are set up, started and stopped."""


class ClusterError(RuntimeError):
    """A server or a folder is not in the state that was asked for. The message says which, and what to do."""


class FolderInUseError(ClusterError):
    """Another process owns a cluster in the folder."""


class PortTakenError(ClusterError):
    """Another process listens on the port that a server was given."""
