import QRCode from "qrcode";
import type { Clock } from "../base/mod.ts";
import type { Registration } from "../chatmail/mod.ts";
import { RateLimit } from "../delivery/mod.ts";
import { type MailService, writeAutoconfig } from "./autoconfig.ts";
import { escapeHtml, page } from "./html.ts";

/** Accounts that one address may ask for: what chatmail relays allow. */
const ASKING_RATE = { messagesPerMinute: 120, burst: 5 };

/** What a browser, or the camera of a phone, finds at a host where accounts make themselves. */
export class ChatmailPages {
  readonly #registration: Registration;
  readonly #services: readonly MailService[];
  readonly #rate: RateLimit<string>;

  constructor(registration: Registration, services: readonly MailService[], clock: Clock) {
    this.#registration = registration;
    this.#services = services;
    this.#rate = new RateLimit(clock, ASKING_RATE);
  }

  /** The answer to a request of `remote`; undefined when there is nothing of the kind here. */
  async answer(request: Request, remote: string): Promise<Response | undefined> {
    const { pathname, searchParams } = new URL(request.url);
    const token = searchParams.get("t") || undefined;
    const isReading = request.method === "GET" || request.method === "HEAD";
    switch (pathname) {
      case "/":
        return isReading ? await this.#front(token) : undefined;
      case "/new":
        if (request.method === "POST") return await this.#offer(token, remote);
        return isReading ? this.#openInClient(token) : undefined;
      case "/.well-known/autoconfig/mail/config-v1.1.xml":
      case "/mail/config-v1.1.xml":
        return isReading ? writeAutoconfig(this.#domain, this.#domain, this.#services) : undefined;
      default:
        return undefined;
    }
  }

  get #domain(): string {
    return this.#registration.rules.domain;
  }

  /** What a client makes an account from. */
  #accountUri(token: string | undefined): string {
    const query = token === undefined ? "" : `?t=${encodeURIComponent(token)}`;
    return `dcaccount:https://${this.#domain}/new${query}`;
  }

  async #front(token: string | undefined): Promise<Response> {
    const name = escapeHtml(this.#domain);
    const { registration } = this.#registration.rules;
    if (registration === "closed") {
      return page(200, name, "<p>Accounts are given out by the administrator.</p>");
    }
    if (registration === "invite" && token === undefined) {
      return page(200, name, "<p>An account is made with an invitation: open its whole link.</p>");
    }
    const uri = this.#accountUri(token);
    const image = await QRCode.toString(uri, { type: "svg", width: 300 });
    return page(
      200,
      name,
      `<p>Scan this with your chat program, or open
<a href="${escapeHtml(uri)}">this link</a> on a device that has one, to get an account.</p>
${image}`,
    );
  }

  /** A client that scanned nothing but the address. */
  #openInClient(token: string | undefined): Response {
    return new Response(null, { status: 301, headers: { location: this.#accountUri(token) } });
  }

  async #offer(token: string | undefined, remote: string): Promise<Response> {
    if (!this.#rate.take(remote)) {
      return json(429, { reason: "Too many accounts were asked for from your network; wait." });
    }
    const offered = await this.#registration.offer(token);
    if (offered === "later") {
      return json(503, { reason: "No new accounts are made at present; try again later." });
    }
    if (offered === undefined) {
      return json(403, { reason: "No account without an invitation that is valid." });
    }
    // A name that no authority can vouch for.
    const login = this.#domain.startsWith("_")
      ? {
        dclogin_url: `dclogin:${offered.email}?p=${encodeURIComponent(offered.password)}&v=1&ic=3`,
      }
      : {};
    return json(200, { ...offered, ...login });
  }
}

function json(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value) + "\n", {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}
