"""Apache Kafka, one node in KRaft mode, from jars that Maven fetches by their coordinates."""

from deploy.local.kafka.jars import fetch_jars
from deploy.local.kafka.node import BENCH, SMALL, ExistingKafka, KafkaNode, Profile, kafka_here

__all__ = ["BENCH", "SMALL", "ExistingKafka", "KafkaNode", "Profile", "fetch_jars", "kafka_here"]
