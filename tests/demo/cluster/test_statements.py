"""What the servers saw."""

from demo.cluster import Cluster, Server


def test_statements_count_what_clients_ran_on_that_server(cluster: Cluster, primary: Server) -> None:
    replica1, replica2 = cluster.replicas
    for server in cluster.servers:
        server.reset_statements()
    with replica1.connect() as connection:
        connection.execute("SELECT text, 1 FROM note")
        connection.execute("SELECT text, 2 FROM note")
        connection.execute("SELECT now()")

    assert replica1.statements() == {"SELECT text, $1 FROM note": 2, "SELECT now()": 1}
    assert replica1.statements("FROM note") == {"SELECT text, $1 FROM note": 2}
    assert primary.statements() == replica2.statements() == {}

    replica1.query("SELECT text FROM note")
    assert replica1.statements("SELECT text FROM note") == {}
    replica1.reset_statements()
    assert replica1.statements() == {}


def test_statements_count_in_databases_that_are_made_later(cluster: Cluster, primary: Server) -> None:
    primary.query("CREATE DATABASE shop")
    cluster.wait_for_replay()
    replica = cluster.replicas[0]
    try:
        with replica.connect("shop") as connection:
            connection.execute("SELECT 'in the shop', current_database()")
            assert connection.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)
        assert replica.statements("current_database()") == {"SELECT $1, current_database()": 1}
    finally:
        primary.query("DROP DATABASE shop")
