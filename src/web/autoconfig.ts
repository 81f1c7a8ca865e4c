import { type Directory, StoreError } from "../store/mod.ts";
import { escapeHtml } from "./html.ts";

/** One way to reach this host with a mail program. */
export interface MailService {
  readonly protocol: "imap" | "smtp";
  readonly port: number;
  readonly security: "SSL" | "STARTTLS";
}

/**
 * How to set a mail program up, in the form that Thunderbird began with and others read: the
 * services in the order in which they are to be tried.
 */
export function writeAutoconfig(
  domain: string,
  hostname: string,
  services: readonly MailService[],
): Response {
  const name = escapeHtml(domain);
  const server = ({ protocol, port, security }: MailService) => {
    const element = protocol === "imap" ? "incomingServer" : "outgoingServer";
    return `    <${element} type="${protocol}">
      <hostname>${escapeHtml(hostname)}</hostname>
      <port>${port}</port>
      <socketType>${security}</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </${element}>
`;
  };
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="${name}">
    <domain>${name}</domain>
    <displayName>${name}</displayName>
    <displayShortName>${name}</displayShortName>
${services.map(server).join("")}  </emailProvider>
</clientConfig>
`;
  return new Response(xml, {
    headers: { "content-type": "text/xml; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}

/** Where mail programs look: below autoconfig.DOMAIN, and below DOMAIN itself. */
export const AUTOCONFIG_PATHS: readonly string[] = [
  "/mail/config-v1.1.xml",
  "/.well-known/autoconfig/mail/config-v1.1.xml",
];

/** Tells mail programs how to reach a host whose accounts an admin makes. */
export class AutoconfigPage {
  readonly #directory: Directory;
  readonly #hostname: string;
  readonly #services: readonly MailService[];

  constructor(directory: Directory, hostname: string, services: readonly MailService[]) {
    this.#directory = directory;
    this.#hostname = hostname;
    this.#services = services;
  }

  /** The answer, for a domain that is here; undefined when the request is for something else. */
  async answer(request: Request): Promise<Response | undefined> {
    const { pathname, searchParams, hostname } = new URL(request.url);
    if (!AUTOCONFIG_PATHS.includes(pathname) || !["GET", "HEAD"].includes(request.method)) {
      return undefined;
    }
    const address = searchParams.get("emailaddress");
    const name = address === null
      ? hostname.replace(/^autoconfig\./, "")
      : address.slice(address.lastIndexOf("@") + 1);
    const domain = await this.#find(name);
    return domain === undefined
      ? undefined
      : writeAutoconfig(domain, this.#hostname, this.#services);
  }

  async #find(name: string): Promise<string | undefined> {
    try {
      const domain = await this.#directory.findDomain(name);
      return domain?.isDisabled ? undefined : domain?.name;
    } catch (error) {
      if (error instanceof StoreError && error.code === "invalid-name") return undefined;
      throw error;
    }
  }
}
