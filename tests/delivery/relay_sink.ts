import { SMTPServer } from "smtp-server";
import type { RelayOptions } from "../../src/delivery/mod.ts";
import { testCertificate } from "./submission_house.ts";

/** A message as the next mail server got it. */
export interface Relayed {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly isUtf8: boolean;
}

/** The next mail server: it takes all, but what the test has it refuse. */
export class RelaySink implements AsyncDisposable {
  readonly messages: Relayed[] = [];
  connections = 0;
  /** The reply to a recipient, when it is not 250. */
  refuse: (recipient: string) => string | undefined = () => undefined;
  /** The same for a message. */
  refuseMessage: () => string | undefined = () => undefined;
  /** Called when a message is there, which is answered when it resolves. */
  hold: () => Promise<void> = () => Promise.resolve();
  readonly #server: SMTPServer;
  readonly options: RelayOptions;

  private constructor(server: SMTPServer, options: RelayOptions) {
    this.#server = server;
    this.options = options;
  }

  static async open(
    { size, hideSMTPUTF8 = false }: { size?: number; hideSMTPUTF8?: boolean } = {},
  ): Promise<RelaySink> {
    const { certificate, privateKey } = await testCertificate();
    // deno-lint-ignore prefer-const -- its handlers look at it
    let sink: RelaySink;
    const server = new SMTPServer({
      cert: certificate,
      key: privateKey,
      logger: false,
      hideSMTPUTF8,
      ...(size === undefined ? {} : { size }),
      disableReverseLookup: true,
      onConnect: (_session, done) => {
        sink.connections++;
        done();
      },
      onAuth: ({ username, password }, _session, done) => {
        const isRight = username === "mailer" && password === "relay-password";
        done(isRight ? null : new Error("no"), { user: "mailer" });
      },
      onRcptTo: ({ address }, _session, done) => done(replyError(sink.refuse(address))),
      onData: (stream, { envelope }, done) => {
        const pieces: Uint8Array[] = [];
        stream.on("data", (piece) => pieces.push(piece));
        stream.on("end", async () => {
          await sink.hold();
          const error = replyError(sink.refuseMessage());
          if (error) return done(error);
          sink.messages.push({
            from: envelope.mailFrom ? envelope.mailFrom.address : "",
            isUtf8: envelope.smtpUtf8 === true,
            to: envelope.rcptTo.map(({ address }) => address),
            text: pieces.map((piece) => new TextDecoder().decode(piece)).join(""),
          });
          done();
        });
      },
    });
    server.on("error", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port: bound } = server.server.address() as { port: number };
    sink = new RelaySink(server, {
      host: "localhost",
      port: bound,
      tls: "starttls",
      credentials: { username: "mailer", password: "relay-password" },
      caCertificates: certificate,
      hostname: "mail.example.org",
    });
    return sink;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#server.connections) connection.close();
    await new Promise<void>((resolve) => this.#server.close(resolve));
  }
}

function replyError(reply: string | undefined): Error | null {
  if (reply === undefined) return null;
  const code = Number(reply.slice(0, 3));
  return Object.assign(new Error(reply.slice(4)), { responseCode: code });
}
