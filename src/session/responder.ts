import type { Responder as ResponderContract } from "../imap/mod.ts";
import type { Transport } from "../net/mod.ts";
import { Writer } from "../wire/mod.ts";

/** Octets collected before they are handed on in the middle of a command. */
const RELIEVE_BYTES = 32 * 1024;

/** The client is gone or does not read: ends the session, whatever it was doing. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** Collects responses and hands them to the transport, no faster than the client reads. */
export class Responder implements ResponderContract {
  readonly writer = new Writer();

  /** `writeTimeoutMs`: how long a client may take to read what is pending. */
  constructor(private readonly transport: Transport, private readonly writeTimeoutMs: number) {}

  untagged(text: string): void {
    this.writer.raw(`* ${text}\r\n`);
  }

  async flush(): Promise<void> {
    this.send();
    if (!await this.transport.drain(this.writeTimeoutMs)) throw new ConnectionLost();
  }

  relieve(): Promise<void> | undefined {
    return this.writer.length < RELIEVE_BYTES ? undefined : this.flush();
  }

  /** Hands on what is collected, without waiting. */
  send(): void {
    if (this.writer.length > 0) this.transport.write(this.writer.take());
  }
}
