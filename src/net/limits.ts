/** What a peer may make this room hold or wait for. Sizes in bytes, times in milliseconds. */

/** Pending output above which `drain` waits. Keeps a fast disk from filling memory for a slow link. */
export const OUTPUT_HIGH_WATER = 64 * 1024;

/** Unread input above which the socket is not read: one literal's burst, not a flood. */
export const INPUT_HIGH_WATER = 256 * 1024;

/** Unread decompressed input above which inflation stops, so that a bomb costs no more than this. */
export const INFLATED_HIGH_WATER = 64 * 1024;

/**
 * Decompressed before other connections have their turn: 1 MiB of deflate can hold 1 GiB, which
 * would otherwise come out in one go.
 */
export const INFLATED_PER_TURN = 64 * 1024;

/** Inflated at a time, beyond what may be held at most. */
export const INFLATED_PIECE = 16 * 1024;

/** Longest ClientHello, record headers included. Post-quantum key shares and tickets need < 16 KiB. */
export const MAX_CLIENT_HELLO = 64 * 1024;

/** Most TLS records that one ClientHello may come in; each is walked again when more bytes arrive. */
export const MAX_CLIENT_HELLO_RECORDS = 1024;

/** Longest PROXY v1 line, CRLF included, as its specification has it. */
export const MAX_PROXY_V1_LINE = 107;

/** Longest PROXY v2 header: addresses (at most 216) and a proxy's extra fields, certificates included. */
export const MAX_PROXY_V2_HEADER = 16 + 4096;

/**
 * Connections that the system holds until they are accepted. When there are more, clients take
 * themselves for connected and wait for a greeting in vain: as many as all phones that come back at
 * once after a restart. Linux allows 4096 unless told otherwise.
 */
export const LISTEN_BACKLOG = 4096;

/** From accepting a connection to the end of its PROXY header and TLS handshake. */
export const HANDSHAKE_TIMEOUT_MS = 60_000;

/** Handshakes under way on one listener before the oldest is dropped; an honest one takes < 1 s. */
export const MAX_HANDSHAKES = 2_000;

/** How long a client that speaks in clear on a TLS port may take to finish its first line. */
export const CLEAR_LINE_TIMEOUT_MS = 2_000;

/** How much of that first line is looked at. */
export const MAX_CLEAR_LINE = 512;

/** How long `close` lets pending output flow out to a peer. */
export const CLOSE_FLUSH_MS = 5_000;

/** How long `close` then waits for the peer's own end, so that no reset destroys the last answer. */
export const CLOSE_LINGER_MS = 1_000;

/** How much is read and dropped meanwhile: who sends more does not look for our answer. */
export const CLOSE_LINGER_BYTES = 4 * 1024 * 1024;

/** How long a peer of a `TransportSocket` may leave our output unread. */
export const READER_TIMEOUT_MS = 60_000;

/** How long reaching a relay's target may take. */
export const RELAY_CONNECT_MS = 10_000;

/** What a relayed connection has sent one way when it gets a buffer of its own for that way. */
export const RELAY_BULK = 1024 * 1024;

/** Size of that buffer: half of it costs a third more processor time. */
export const RELAY_BUFFER = 256 * 1024;

/** Silence after which TCP asks whether the peer still lives. */
export const KEEP_ALIVE_MS = 300_000;
