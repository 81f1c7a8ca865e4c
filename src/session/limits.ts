/** How long and how often a client may try the patience of a session, each with its reason. */
export interface SessionTimes {
  /** Wait for the next command before login: strangers get no more than a person needs. */
  readonly beforeLoginMs: number;
  /** All the time before login: nobody holds a connection by sending an octet now and then. */
  readonly untilLoginMs: number;
  /** Wait for the next command after login: RFC 9051 5.4 demands at least 30 minutes. */
  readonly idleMs: number;
  /** Wait for the rest of a command that has begun; a phone may lose its network for a while. */
  readonly inCommandMs: number;
  /** Wait while the client does not read its answers. */
  readonly writeMs: number;
  /** Between two signs of life in IDLE: below the 5 minutes after which Delta Chat starts anew. */
  readonly keepAliveMs: number;
}

export const DEFAULT_TIMES: SessionTimes = {
  beforeLoginMs: 60_000,
  untilLoginMs: 5 * 60_000,
  idleMs: 30 * 60_000,
  inCommandMs: 60_000,
  writeMs: 60_000,
  keepAliveMs: 4 * 60_000,
};

/** Bad commands in a row before login that end the connection: this is no mail client. */
export const MAX_BAD_COMMANDS_BEFORE_LOGIN = 5;
/** Bad commands in a row after login that end the connection: a client caught in a loop. */
export const MAX_BAD_COMMANDS = 50;

/**
 * Time for which commands that came together are answered before others have their turn. Others
 * may have to wait 61 times as long (see `othersTurn`).
 */
export const TURN_MS = 2;

/** Age at which the change log is read though nobody has nudged: a nudge may have been lost. */
export const LOOK_AGAIN_MS = 5_000;

/** Octets of a streamed literal that are handed on at a time. */
export const LITERAL_PIECE_BYTES = 64 * 1024;

/** How long a login is kept back from the record of logins for the client to send its ID. */
export const WAIT_FOR_ID_MS = 1_000;
