// Send one notification over Kafka: java -cp 'PATH/TO/kafka-clients/*' Send.java FILE SOURCE ID

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

import static java.nio.charset.StandardCharsets.UTF_8;

public class Send {
    public static void main(String[] args) throws Exception {
        Map<String, String> env = System.getenv();
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", env.getOrDefault("LUOTSI_KAFKA", "127.0.0.1:9092"),
                "acks", "all",
                "enable.idempotence", true);
        String topic = env.getOrDefault("LUOTSI_TOPIC", "luotsi.intake.notification.v1");
        byte[] id = args[2].getBytes(UTF_8);
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic, id, Files.readAllBytes(Path.of(args[0])));
        record.headers()
                .add("ce_specversion", "1.0".getBytes(UTF_8))
                .add("ce_id", id)
                .add("ce_source", args[1].getBytes(UTF_8))
                .add("ce_type", "fi.luotsi.childprotection.notification.v1".getBytes(UTF_8))
                .add("content-type", "application/json".getBytes(UTF_8));
        // The same id again is harmless: after any failure send the same record once more.
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(record).get();
        }
    }
}
