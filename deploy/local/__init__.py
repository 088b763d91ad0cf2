"""The whole system on one machine, without Docker: a real Kafka and a real PostgreSQL."""
