import type { Readable } from "node:stream";
import type { NodemailerError } from "nodemailer";
import SMTPConnection from "nodemailer/lib/smtp-connection";

type Options = NonNullable<ConstructorParameters<typeof SMTPConnection>[0]>;
type Envelope = Parameters<SMTPConnection["send"]>[0];
type Login = Parameters<SMTPConnection["login"]>[0];

/** What came of a message. */
export interface Outcome {
  readonly failure: NodemailerError | null;
  readonly accepted: readonly string[];
  readonly refusals: readonly NodemailerError[];
}

/** nodemailer's connection, which asks for SMTPUTF8 also where the addresses alone do not need it. */
class Utf8Connection extends SMTPConnection {
  declare readonly _supportedExtensions: readonly string[];

  get takesUtf8(): boolean {
    return this._supportedExtensions.includes("SMTPUTF8");
  }

  // It is not among the declared types, but all of its commands pass through here.
  _sendCommand(command: string | Uint8Array, logged?: string): void {
    const isMail = typeof command === "string" && command.startsWith("MAIL FROM:") &&
      !command.endsWith(" SMTPUTF8") && !command.includes(" SMTPUTF8 ");
    const send = Reflect.get(SMTPConnection.prototype, "_sendCommand");
    Reflect.apply(send, this, [isMail ? `${command} SMTPUTF8` : command, logged]);
  }
}

/**
 * Sends one message that needs SMTPUTF8 (RFC 6531 3.2), over a connection of its own. "unsupported",
 * and nothing sent, when the host does not take such. Never rejects.
 */
export function sendUtf8(
  options: Options,
  login: Login | undefined,
  { envelope, message, signal }: {
    readonly envelope: Envelope;
    readonly message: Readable;
    readonly signal: AbortSignal;
  },
): Promise<Outcome | "unsupported"> {
  const connection = new Utf8Connection(options);
  return new Promise<Outcome | "unsupported">((resolve) => {
    const fail = (failure: NodemailerError) => resolve({ failure, accepted: [], refusals: [] });
    signal.addEventListener("abort", () => fail(new Error("the server stops")), { once: true });
    const send = () => {
      connection.send(envelope, message, (error, info) => {
        const refusals = (error ?? info)?.rejectedErrors ?? [];
        resolve({ failure: error ?? null, accepted: info?.accepted ?? [], refusals });
      });
    };
    connection.once("error", fail);
    connection.once("end", () => fail(new Error("the connection ended")));
    connection.connect((error) => {
      if (error) fail(error);
      else if (!connection.takesUtf8) resolve("unsupported");
      else if (login === undefined) send();
      else connection.login(login, (failure) => failure ? fail(failure) : send());
    });
  }).finally(() => {
    message.destroy();
    connection.close();
  });
}
