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
