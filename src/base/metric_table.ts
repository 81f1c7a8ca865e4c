/** The rooms of `src/`, as log lines and metrics name them. */
export const ROOMS = [
  "acme",
  "app",
  "auth",
  "base",
  "chatmail",
  "delivery",
  "imap",
  "message",
  "net",
  "notify",
  "session",
  "store",
  "transfer",
  "web",
  "wire",
] as const;

export type Room = typeof ROOMS[number];

/** One metric of the table. */
export interface MetricSpec {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /**
   * Names of its labels, each with all values that it can have: those series are there from the
   * start, at 0, so that an alert sees the first increase. An empty list: the values are found in
   * the code that counts, which takes none from users or strangers.
   */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** Upper bounds of a histogram, rising, in the unit of its name. */
  readonly buckets?: readonly number[];
}

const COMMAND_SECONDS = [.001, .005, .01, .05, .1, .5, 1, 5, 10, 20] as const;
const STORE_SECONDS = [.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5] as const;
const DELAY_SECONDS = [.001, .005, .01, .025, .05, .1, .25, .5, 1, 5] as const;

/** Everything that the server counts and measures. What is not here cannot be counted. */
export const METRIC_TABLE = {
  postern_imap_connection_total: {
    kind: "counter",
    help: "IMAP sessions begun; imaps is with TLS from the first byte.",
    labels: { service: ["imap", "imaps"] },
  },
  postern_imap_command_duration_seconds: {
    kind: "histogram",
    help:
      "Time from a whole command to its tagged response; commands that are not known are other.",
    labels: { cmd: [], result: [] },
    buckets: COMMAND_SECONDS,
  },
  postern_authentication_total: {
    kind: "counter",
    help: "Attempts to log in; kind is the protocol, variant the mechanism.",
    labels: { kind: [], variant: [], result: [] },
  },
  postern_authentication_ratelimited_total: {
    kind: "counter",
    help: "Attempts to log in from networks that must wait, which were not looked at.",
    labels: { kind: ["imap", "submission", "web"] },
  },
  postern_login_attempts_lost_total: {
    kind: "counter",
    help: "Attempts to log in that could not be written down.",
    labels: {},
  },
  postern_connections_total: {
    kind: "counter",
    help: "Connections that were let in.",
    labels: { listener: [] },
  },
  postern_connections_refused_total: {
    kind: "counter",
    help: "Connections turned away: by the gate, or because there are too many.",
    labels: { listener: [], reason: [] },
  },
  postern_connections_count: {
    kind: "gauge",
    help: "Connections open now, past their TLS handshake.",
    labels: { protocol: [], listener: [] },
  },
  postern_bytes_in_total: {
    kind: "counter",
    help: "Octets received within TLS, compressed where they were.",
    labels: { protocol: [] },
  },
  postern_bytes_out_total: {
    kind: "counter",
    help: "Octets sent within TLS, compressed where they were.",
    labels: { protocol: [] },
  },
  postern_idle_sessions: {
    kind: "gauge",
    help: "IMAP sessions in IDLE now.",
    labels: {},
  },
  postern_handshakes_failed_total: {
    kind: "counter",
    help: "Connections that ended before anyone could have them.",
    labels: { listener: [], reason: [] },
  },
  postern_panic_total: {
    kind: "counter",
    help: "Mistakes in the program that were caught: each has a stack in the log.",
    labels: { room: ROOMS },
  },
  postern_logging_level_error_total: {
    kind: "counter",
    help: "Log lines of level error.",
    labels: { room: ROOMS },
  },
  postern_logging_level_warn_total: {
    kind: "counter",
    help: "Log lines of level warn.",
    labels: { room: ROOMS },
  },
  postern_logging_level_info_total: {
    kind: "counter",
    help: "Log lines of level info; without those that are not written.",
    labels: { room: ROOMS },
  },
  postern_logging_level_debug_total: {
    kind: "counter",
    help: "Log lines of level debug; without those that are not written.",
    labels: { room: ROOMS },
  },
  postern_logging_level_trace_total: {
    kind: "counter",
    help: "Log lines of level trace; without those that are not written.",
    labels: { room: ROOMS },
  },
  postern_store_operation_duration_seconds: {
    kind: "histogram",
    help:
      "Time that an account's database was at work, and nothing else was: commit, which waits " +
      "for the disk; read; stage, which takes a message in; open.",
    labels: { operation: ["commit", "read", "stage", "open"] },
    buckets: STORE_SECONDS,
  },
  postern_store_open_accounts: {
    kind: "gauge",
    help: "Account databases that are open now.",
    labels: {},
  },
  postern_search_index_lag_messages: {
    kind: "gauge",
    help: "Messages not yet in the search index, of accounts whose index is being filled.",
    labels: {},
  },
  postern_accounts: {
    kind: "gauge",
    help: "Accounts.",
    labels: {},
  },
  postern_messages: {
    kind: "gauge",
    help: "Messages in all mailboxes.",
    labels: {},
  },
  postern_storage_bytes: {
    kind: "gauge",
    help: "Octets of all messages, as they are charged to quotas.",
    labels: {},
  },
  postern_disk_free_bytes: {
    kind: "gauge",
    help: "Room on the file system of data_dir that this server may use.",
    labels: {},
  },
  postern_disk_size_bytes: {
    kind: "gauge",
    help: "Size of the file system of data_dir.",
    labels: {},
  },
  postern_deliveries_total: {
    kind: "counter",
    help: "Messages for a mailbox of this host, once for each recipient, by what came of it.",
    labels: { protocol: [], result: [] },
  },
  postern_deliveries_refused_total: {
    kind: "counter",
    help: "Recipients that LMTP refused before the message came, by why.",
    labels: { reason: [] },
  },
  postern_submissions_total: {
    kind: "counter",
    help: "Messages that users handed in.",
    labels: { result: ["accepted", "refused"] },
  },
  postern_submissions_refused_total: {
    kind: "counter",
    help: "Replies that refused a sender, a recipient or a message of a user.",
    labels: { reason: [] },
  },
  postern_queue_messages_total: {
    kind: "counter",
    help: "Messages that were put into the queue.",
    labels: {},
  },
  postern_queue_length: {
    kind: "gauge",
    help: "Messages in the queue now.",
    labels: {},
  },
  postern_queue_oldest_age_seconds: {
    kind: "gauge",
    help: "How long the oldest message has been in the queue; 0 when it is empty.",
    labels: {},
  },
  postern_queue_attempts_total: {
    kind: "counter",
    help: "Attempts to send a queued message on, once for each recipient.",
    labels: { result: ["done", "later", "never", "expired"] },
  },
  postern_bounces_total: {
    kind: "counter",
    help: "Reports of failed delivery, by what came of delivering them.",
    labels: { result: [] },
  },
  postern_certificate_expiry_timestamp_seconds: {
    kind: "gauge",
    help: "When a certificate in use ends, in seconds since 1970.",
    labels: { name: [] },
  },
  postern_certificate_failures_total: {
    kind: "counter",
    help: "Certificate files that could not be used.",
    labels: {},
  },
  postern_acme_orders_total: {
    kind: "counter",
    help: "Certificates ordered from the authority.",
    labels: { result: ["issued", "failed"] },
  },
  postern_expiry_runs_total: {
    kind: "counter",
    help: "Walks over all accounts to remove what is old.",
    labels: {},
  },
  postern_expired_messages_total: {
    kind: "counter",
    help: "Messages that were removed because they are old, or the mailbox is full.",
    labels: { reason: ["age", "large", "quota", "trash"] },
  },
  postern_expired_accounts_total: {
    kind: "counter",
    help: "Accounts that were removed because nobody used them.",
    labels: {},
  },
  postern_chatmail_accounts_created_total: {
    kind: "counter",
    help: "Accounts that people made themselves.",
    labels: {},
  },
  postern_chatmail_registrations_refused_total: {
    kind: "counter",
    help: "Accounts that were not made.",
    labels: { reason: [] },
  },
  postern_chatmail_checked_messages_total: {
    kind: "counter",
    help: "Messages that were looked at for encryption.",
    labels: { direction: ["in", "out"], kind: [], result: ["accepted", "rejected"] },
  },
  postern_chatmail_pushes_total: {
    kind: "counter",
    help: "Devices that were to be woken up, by what the push service said.",
    labels: { result: ["done", "gone", "failed"] },
  },
  postern_eventloop_delay_seconds: {
    kind: "histogram",
    help: "How much later than asked for the program got its turn, ten times a second.",
    labels: {},
    buckets: DELAY_SECONDS,
  },
  postern_process_resident_memory_bytes: {
    kind: "gauge",
    help: "Memory of the process.",
    labels: {},
  },
  postern_process_heap_bytes: {
    kind: "gauge",
    help: "Memory of the process that holds objects.",
    labels: {},
  },
  postern_process_cpu_seconds_total: {
    kind: "counter",
    help: "Processor time, user and system.",
    labels: {},
  },
  postern_process_start_time_seconds: {
    kind: "gauge",
    help: "When the server started, in seconds since 1970.",
    labels: {},
  },
  postern_build_info: {
    kind: "gauge",
    help: "Always 1.",
    labels: { version: [], deno: [] },
  },
} as const satisfies Readonly<Record<`postern_${string}`, MetricSpec>>;

type Table = typeof METRIC_TABLE;

export type MetricName = keyof Table;

/** Names of metrics of a kind. */
export type MetricOf<Kind extends MetricSpec["kind"]> = {
  [Name in MetricName]: Table[Name]["kind"] extends Kind ? Name : never;
}[MetricName];

/** What must be said of each label of a metric. */
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in keyof Table[Name]["labels"]]: Table[Name]["labels"][Label] extends
    readonly [infer First extends string, ...infer More extends string[]] ? First | More[number]
    : string;
};
