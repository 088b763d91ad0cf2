"""The catalogue of metrics.

Labels are service, kind, outcome, queue class, topic: never an id, a unit, a municipality or a
school. A test fails when an alert or dashboard names a metric that is not here.
"""

from prometheus_client import Counter, Gauge, Histogram

WATCHING_SHARE = 0.02
"""Of the time that counting a whole table for a gauge may take."""

RECORDS = Counter(
    "luotsi_records_total",
    "Records that left a row in the event log, by what became of them",
    ["service", "topic", "outcome"],
)
BATCH_SECONDS = Histogram(
    "luotsi_batch_seconds",
    "From a batch's arrival in the handler to its acknowledgement",
    ["service", "topic"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BATCH_FAILURES = Counter(
    "luotsi_batch_failures_total",
    "Batches rolled back and taken again, by kind of reason",
    ["service", "topic", "kind"],
)
UNACCOUNTED = Gauge(
    "luotsi_unaccounted",
    "I1: consumed (broker offsets, HTTP requests) minus rows in the event log; must be 0",
    ["service", "topic"],
)
LAG = Gauge("luotsi_consumer_lag_records", "Records not yet acknowledged", ["service", "topic"])
LAG_SECONDS = Gauge(
    "luotsi_consumer_lag_seconds",
    "Age of the newest record acknowledged while more wait; 0 when none waits",
    ["service", "topic"],
)
AHEAD_LAG = Gauge(
    "luotsi_urgent_lane_lag_records", "Records the urgent lane has not looked at", ["topic"]
)
AHEAD_LAG_SECONDS = Gauge(
    "luotsi_urgent_lane_lag_seconds",
    "Age of the newest record the urgent lane has looked at while more wait; 0 when none waits",
    ["topic"],
)
QUARANTINE_OPEN = Gauge("luotsi_quarantine_open", "Quarantined messages still open", ["service"])
PARKED_OPEN = Gauge("luotsi_parked_open", "Parked and waiting events", ["service"])
HELD_OPEN = Gauge("luotsi_held_open", "Messages held because their source is paused", ["service"])
SOURCES = Gauge(
    "luotsi_sources",
    "Sources whose messages are held, by their state: paused, braked, resuming",
    ["kind"],
)
SOURCE_ALARMS = Gauge(
    "luotsi_source_alarms_open",
    "Sources with something wrong: `gap` in their numbers, `missing` of their lists, `silent`",
    ["kind"],
)
OUTBOX_PENDING = Gauge("luotsi_outbox_pending", "Rows waiting for the relay", ["service"])
OUTBOX_OLDEST_SECONDS = Gauge(
    "luotsi_outbox_oldest_seconds", "Age of the oldest row waiting for the relay", ["service"]
)
BRAKED = Gauge("luotsi_consumer_braked", "1 when the brake has stopped a consumer", ["service"])
SEQ_GAP_SECONDS = Gauge(
    "luotsi_seq_gap_seconds", "Age of the oldest event held because an earlier one is missing",
    ["service"],
)  # fmt: skip
ROUTED = Counter("luotsi_cases_routed_total", "Screenings, by proposed holder", ["holder"])
QUEUE_OPEN = Gauge("luotsi_queue_open", "Open items of a queue", ["queue"])
QUEUE_AGE_SECONDS = Gauge(
    "luotsi_queue_oldest_seconds", "Age of the oldest open item of a queue", ["queue"]
)
CLOCKS_AT_RISK = Gauge(
    "luotsi_clocks_at_risk",
    "Running clocks: `due_soon` passes its target within a day, `late` has passed the last moment",
    ["kind", "window"],
)
CLOCKS_UNWARNED = Gauge(
    "luotsi_clocks_unwarned", "I4: clocks past their last moment that no warning preceded", ["kind"]
)
SCREEN_SECONDS = Histogram(
    "luotsi_received_to_screened_seconds",
    "From intake's receipt to the stored decision",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600),
)
NOTICES = Counter("luotsi_notices_total", "Notices, by what became of them", ["purpose", "outcome"])
ROTA_KNOWN = Gauge(
    "luotsi_duty_rota_known", "1 when the directory feed has told of a duty rota", ["service"]
)
ROTA_GAP_SECONDS = Gauge(
    "luotsi_duty_rota_gap_seconds",
    "Until the duty rota's next gap, a week where it has none; absent while no rota is known",
    ["kind"],
)
NOTICES_WAITING = Gauge("luotsi_notices_waiting", "Notices not yet handed over", ["purpose"])
NOTICES_OLDEST_SECONDS = Gauge(
    "luotsi_notices_oldest_seconds", "Age of the oldest notice not yet handed over", ["purpose"]
)
ATTACHMENTS = Counter(
    "luotsi_attachments_total", "Files sent to intake, by what became of them", ["outcome"]
)
HTTP_SECONDS = Histogram(
    "luotsi_http_seconds",
    "Server time of a request",
    ["service", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
