import { parseAddress } from "../net/mod.ts";
import type { MailService } from "../web/mod.ts";
import type { ListenerConfig } from "./config/config.ts";

type Way = readonly [kind: ListenerConfig["kind"], security: MailService["security"]];

/** Kinds of listener in the order in which clients should try them: what everybody knows first. */
const WAYS: Readonly<Record<MailService["protocol"], readonly Way[]>> = {
  imap: [["imaps", "SSL"], ["imap", "STARTTLS"], ["alpn", "SSL"]],
  smtp: [["submissions", "SSL"], ["submission", "STARTTLS"], ["alpn", "SSL"]],
};

/** How mail programs reach this host, as far as its listeners tell. */
export function mailServices(listeners: readonly ListenerConfig[]): MailService[] {
  const protocols = ["imap", "smtp"] as const;
  return protocols.flatMap((protocol) =>
    WAYS[protocol].flatMap(([kind, security]) =>
      listeners
        .filter((listener) => listener.kind === kind)
        .filter(({ routes }) => kind !== "alpn" || routes.has(protocol))
        .flatMap(({ address }) => {
          const parsed = parseAddress(address);
          return "port" in parsed ? [{ protocol, port: parsed.port, security }] : [];
        })
    )
  );
}
