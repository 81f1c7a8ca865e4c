/** What a peer can make this room hold or compute, each bound with its reason. */

/** Longest username, authorization identity: above RFC 4616 2's 255 octets, and any mail address. */
export const MAX_USERNAME_BYTES = 512;
/** Longest password: RFC 4616 2 demands 255 octets; more than a passphrase is somebody's mistake. */
export const MAX_PASSWORD_BYTES = 1024;
/** Shortest password that may be set, in octets after preparation. */
export const MIN_PASSWORD_BYTES = 8;
/** Longest SASL message of a client: names, password and separators of PLAIN fit; SCRAM needs less. */
export const MAX_SASL_MESSAGE_BYTES = 4096;
/** A client nonce shorter than this is too guessable to protect anybody against replay. */
export const MIN_CLIENT_NONCE_LENGTH = 8;
/** Verified passwords remembered at most; an entry is about 150 bytes. */
export const MAX_REMEMBERED_PASSWORDS = 10_000;
/** How long a verified password is remembered, in milliseconds. */
export const REMEMBER_PASSWORD_MS = 15 * 60_000;
/** Slow hashes that may wait: at 12 ms each, some thirteen seconds on one core. */
export const MAX_QUEUED_HASHES = 1024;
/** Slow hashes that one network may have waiting, so that it cannot fill the queue alone. */
export const MAX_QUEUED_HASHES_PER_NETWORK = 32;
/** Networks whose failures are counted at a time; the least recently failing is forgotten first. */
export const MAX_COUNTED_NETWORKS = 30_000;
/** Longest delay before an answer, in milliseconds: clients give up after 30 to 60 seconds. */
export const MAX_DELAY_MS = 15_000;
/** Shortest RSA key of a client, as for certificates everywhere (RFC 9325 4.5 wants 2048). */
export const MIN_RSA_BITS = 2048;
/** Longest message with a token: issuers put many claims and groups into them. */
export const MAX_TOKEN_MESSAGE_BYTES = 12 * 1024;
/** Largest answer of the issuer that is read: hundreds of keys fit. */
export const MAX_ISSUER_ANSWER_BYTES = 512 * 1024;
/** How long the issuer may take to answer; clients wait for it. */
export const ISSUER_TIMEOUT_MS = 5_000;
/** Age at which the issuer's keys and addresses are fetched again. */
export const ISSUER_FRESH_MS = 10 * 60_000;
/** Between two fetches because of a key that is not known: anybody can name one. */
export const ISSUER_RETRY_MS = 30_000;
/** How long keys are used while the issuer does not answer. */
export const ISSUER_STALE_MS = 24 * 3_600_000;
/** How far clocks may differ, in seconds. */
export const CLOCK_SKEW_SECONDS = 60;
/** Questions to the issuer at a time, waiting, and waiting of one network. */
export const MAX_INTROSPECTIONS = 8;
export const MAX_QUEUED_INTROSPECTIONS = 256;
export const MAX_QUEUED_INTROSPECTIONS_PER_NETWORK = 32;
/** Kept of what a client says it is: names, versions and systems fit. */
export const MAX_USER_AGENT_LENGTH = 500;
/** Attempts that may wait to be written; then logins wait too. */
export const MAX_QUEUED_ATTEMPTS = 100;
/** How long an answer is held back that nothing was computed for, in milliseconds. */
export const BUSY_DELAY_MS = 2_000;
